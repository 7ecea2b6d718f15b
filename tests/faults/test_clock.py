"""A clock that is put back loses no job, reverses no queue and makes no time negative."""

import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from bayesnet import library
from bayesnet.library import list_designs, save_design
from core.folders import leftovers, new_folder
from core.jobs import queue
from core.jobs.progress import seconds_run
from core.jobs.queue import find, jobs, resume, stop, submit, waiting
from core.jobs.request import JobRequest
from core.jobs.runner import Runner
from core.jobs.status import load_status
from core.trainer import Trainer
from tests.core.jobs.fakes import command
from tests.recipes import grey_noise, make_recipe

HOUR_S = 3600.0


@pytest.fixture
def clock(monkeypatch, tmp_path):
    """A clock to be put back: ``clock.now`` in seconds since 1970."""
    monkeypatch.setenv("MICRODESIGN_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setattr(queue, "start_runner", lambda: None)
    held = SimpleNamespace(now=1_790_000_000.0)

    class Moment(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(held.now, tz)

    monkeypatch.setattr(time, "time", lambda: held.now)
    monkeypatch.setattr(queue, "datetime", Moment)
    monkeypatch.setattr(library, "datetime", Moment)
    return held


def ask(name: str, folder: Path) -> str:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    (data / "manifest.csv").write_text("file,specimen\n")
    asked = {"data_name": "D", "preset": "quick", "config": {"steps": 1}}
    return submit(JobRequest(name=name, data=str(data), **asked)).id


def test_the_queue_keeps_its_order(clock, tmp_path):
    first = ask("first", tmp_path)
    clock.now -= HOUR_S
    second = ask("second", tmp_path)
    clock.now -= HOUR_S
    third = ask("third", tmp_path)
    assert [job.id for job in waiting()] == [first, second, third]
    stop(first)
    resume(first)
    assert [job.id for job in waiting()] == [second, third, first]


def test_a_job_of_the_same_second_and_number_does_not_replace_the_other(
    clock, tmp_path, monkeypatch
):
    drawn = iter(["ab12", "ab12", "cd34"])
    monkeypatch.setattr(queue.secrets, "token_hex", lambda n: next(drawn))
    first = ask("first", tmp_path)
    clock.now += HOUR_S
    clock.now -= HOUR_S  # the same second comes again
    second = ask("second", tmp_path)
    assert first != second and {job.request.name for job in jobs()} == {"first", "second"}


def test_times_of_a_job_are_never_negative(clock, tmp_path):
    number = ask("mine", tmp_path)

    def meanwhile(job, step, again):
        clock.now -= HOUR_S
        return command(job, step, again)

    Runner(meanwhile).run()
    job = find(number)
    assert job.status.state == "finished"
    assert all(0 <= seconds < 60 for seconds in job.status.done.values()), job.status.done
    assert seconds_run(job) == 0.0
    assert load_status(job.folder).created == 1_790_000_000.0


def test_a_schedule_by_minutes_does_not_follow_the_clock_on_the_wall(clock, monkeypatch):
    passing = iter([100.0, 160.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(passing))
    started = time.monotonic()
    clock.now -= HOUR_S
    assert Trainer._elapsed(SimpleNamespace(), started) == 60.0


def test_designs_keep_their_place_and_none_is_replaced(clock, tmp_path):
    names = []
    for seed in range(3):
        names.append(save_design(tmp_path, make_recipe(seed=seed), grey_noise())[0])
        clock.now -= HOUR_S
    assert len({*names}) == len(list_designs(tmp_path)[0]) == 3
    day = datetime.fromtimestamp(clock.now + 3 * HOUR_S, UTC)
    assert names[0] > names[1] > names[2] and names[0].startswith(f"{day:%Y%m%d-%H%M%S}")
    assert save_design(tmp_path, make_recipe(seed=0), grey_noise()) == (names[0], False)


def test_what_is_being_written_is_no_leftover_after_the_clock_was_put_back(clock, tmp_path):
    with new_folder(tmp_path):
        clock.now = 0.0
        assert leftovers(tmp_path) == []
        clock.now = 4e9
        assert len(leftovers(tmp_path)) == 1
