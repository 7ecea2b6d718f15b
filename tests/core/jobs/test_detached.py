"""The whole way, without anything fake: submit, a detached process, core.train, its last words."""

import os
import time
from pathlib import Path

import pytest

from core.jobs.process import this_process
from core.jobs.queue import find, runner_works, start_runner, submit
from tests.core.jobs.fakes import request

PATIENCE_S = 120.0


@pytest.fixture(autouse=True)
def _own_workspace(tmp_path, monkeypatch):
    """In place of the one that starts no runner."""
    monkeypatch.setenv("MICRODESIGN_WORKSPACE", str(tmp_path / "ws"))


def test_a_detached_runner_tells_why_training_failed_and_leaves(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "manifest.csv").write_text("file,specimen\ngone.png,S\n")
    number = submit(request("mine", tmp_path / "data")).id
    end = time.monotonic() + PATIENCE_S
    while find(number).status.active and time.monotonic() < end:
        status = find(number).status
        if status.runner is not None:
            assert status.runner != this_process()
            assert os.getsid(status.runner.pid) != os.getsid(0)
        time.sleep(0.1)
    job = find(number)
    assert (job.status.state, job.status.step) == ("failed", "train")
    assert "'gone.png' is not a file" in job.status.message
    start_runner()  # with nothing to do it leaves at once
    while runner_works() and time.monotonic() < end:
        time.sleep(0.1)
    assert not runner_works()
