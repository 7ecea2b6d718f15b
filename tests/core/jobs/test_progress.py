"""What a job shows of itself, from its first second to its end."""

import json

from core.files import write_bytes, write_json
from core.jobs.progress import progress_of, read_log, seconds_run, steps_of
from core.jobs.queue import find
from core.jobs.runner import Runner
from core.workspace import jobs_folder, models_folder
from tests.core.jobs.fakes import command


def test_before_anything_is_there(submit):
    job = find(submit("mine", config={"steps": 70}))
    found = progress_of(job)
    assert (found.step, found.steps, found.share, found.seconds_left) == (0, 70, 0.0, None)
    assert found.training == {} and found.previews == {} and read_log(job) == ""
    assert seconds_run(job) is None
    assert {state for _, state, _ in steps_of(job)} == {"waiting"}


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
