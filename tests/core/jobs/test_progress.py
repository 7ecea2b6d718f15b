"""What a job shows of itself, from its first second to its end."""

import json
import time
from dataclasses import replace

import pytest

from core.files import write_bytes, write_json
from core.jobs.process import this_process
from core.jobs.progress import (
    Denoising,
    progress_of,
    read_log,
    seconds_left,
    seconds_run,
    steps_of,
)
from core.jobs.queue import Job, find
from core.jobs.runner import Runner
from core.jobs.status import changed, save_status
from core.workspace import jobs_folder, models_folder
from tests.core.jobs.fakes import command


def test_before_anything_is_there(submit):
    job = find(submit("mine", config={"steps": 70}))
    found = progress_of(job)
    assert (found.step, found.steps, found.share, found.seconds_left) == (0, 70, 0.0, None)
    assert found.training == {} and found.previews == {} and read_log(job) == ""
    assert seconds_run(job) is None
    assert {state for _, state, _ in steps_of(job)} == {"waiting"}
    assert found.denoiser is None


def test_curves_pictures_and_time_left_are_read_as_they_are_written(submit):
    number = submit("mine")
    model = jobs_folder() / number / "model"
    records = [
        {"kind": "train", "step": 10, "loss": 5.0, "seconds_left": 90.0},
        {"kind": "validation", "step": 10, "relative": 0.4},
        {"kind": "train", "step": 20, "loss": 4.0, "odd": None, "seconds_left": 80.0},
    ]
    text = "".join(json.dumps(record) + "\n" for record in records)
    write_bytes(model / "metrics.jsonl", f'{text}[1]\n{{"kind": "tr'.encode())  # being written
    write_json(model / "progress.json", {"step": 20, "steps": 100, "progress": 0.2})
    for step in (20, 10):
        write_bytes(model / "previews" / f"step-{step:08d}.png", b"")
    write_bytes(model / "previews" / "step-x.png", b"")
    found = progress_of(find(number))
    assert (found.step, found.steps, found.share, found.seconds_left) == (20, 100, 0.2, 80.0)
    assert found.training["loss"].steps == (10, 20) and found.training["loss"].values == (5.0, 4.0)
    assert "odd" not in found.training and found.validation["relative"].values == (0.4,)
    assert list(found.previews) == [10, 20]
    assert found.denoiser is None


def test_the_denoiser_has_a_curve_of_its_own(submit):
    number = submit("mine")
    folder = jobs_folder() / number / "model" / "denoiser-training"
    records = [
        {"kind": "train", "step": 25, "loss": 2.0, "seconds_left": 50.0},
        {"kind": "validation", "step": 25, "noise_0.1": 0.5},
        {"kind": "train", "step": 50, "loss": 1.5, "seconds_left": 40.0},
    ]
    write_bytes(folder / "metrics.jsonl", "".join(json.dumps(r) + "\n" for r in records).encode())
    write_json(folder / "progress.json", {"step": 50, "steps": 100, "progress": 0.5})
    found = progress_of(find(number)).denoiser
    assert found is not None and (found.step, found.seconds_left) == (50, 40.0)
    assert found.training["loss"].steps == (25, 50)
    assert found.training["loss"].values == (2.0, 1.5)


EXPECTED = {
    "train": 100.0, "denoise": 60.0, "encode": 30.0, "learn": 20.0, "reference": 10.0,
    "examples": 5.0, "labels": 40.0,
}  # fmt: skip


def running(number: str, step: str, begun_s_ago: float, done: tuple[str, ...] = ()) -> Job:
    """A job in a step that began some seconds ago."""
    job = find(number)
    status = changed(
        job.status, "running", step=step, begun=time.time() - begun_s_ago, runner=this_process(),
        done=dict.fromkeys(done, 1.0),
    )  # fmt: skip
    save_status(job.folder, status)
    return find(number)


def test_time_left_is_that_of_the_step_and_of_all_that_follow(submit):
    number = submit("mine", expected_s=EXPECTED, skipped={"reference": "too few"})
    job = find(number)
    assert seconds_left(job, progress_of(job)) is None, "it waits"
    job = running(number, "train", 30)
    assert seconds_left(job, progress_of(job)) == pytest.approx(70 + 155, abs=2)
    told = replace(progress_of(job), seconds_left=500.0)
    assert seconds_left(job, told) == 500 + 155
    job = running(number, "denoise", 10, ("train",))
    assert seconds_left(job, told) == pytest.approx(50 + 95, abs=2)
    told = replace(told, denoiser=Denoising(5, 0.1, 33.0, {}))
    assert seconds_left(job, told) == 33 + 95
    job = running(number, "labels", 1000, ("train", "denoise", "encode", "learn", "examples"))
    assert seconds_left(job, told) == 0


def test_time_left_is_not_guessed_where_nothing_was_expected(submit):
    none, some = submit("one"), submit("two", expected_s={"train": 5.0})
    for number in (none, some):
        job = running(number, "train", 1)
        assert seconds_left(job, progress_of(job)) is None


def test_a_finished_job_is_read_where_its_model_is(submit):
    number = submit("mine")
    Runner(command).run()
    write_json(models_folder() / "mine" / "progress.json", {"step": 9, "steps": 9, "progress": 1})
    job = find(number)
    assert progress_of(job).step == 9
    assert seconds_run(job) == job.status.ended - job.status.started


def test_of_a_long_log_the_end_is_shown(submit):
    job = find(submit("mine"))
    (job.folder / "log.txt").write_text("x" * 1000 + "end")
    assert read_log(job, 10) == "xxxxxxxend"
