"""A workspace of its own, and no process that the tests did not ask for."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from core.jobs import queue
from core.jobs.queue import Job, find
from core.jobs.runner import Runner
from core.jobs.status import load_status
from core.workspace import ROOT, workspace
from tests.core.jobs.fakes import command, request

PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def _own_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("MICRODESIGN_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setattr(queue, "start_runner", lambda: None)


@pytest.fixture
def data(tmp_path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "manifest.csv").write_text("file,specimen\n")
    return folder


@pytest.fixture
def submit(data) -> Callable[..., str]:
    """Put a job into the queue; its number."""

    def submitted(name: str, **changes) -> str:
        return queue.submit(request(name, data, **changes)).id

    return submitted


@pytest.fixture
def in_thread() -> Iterator[Callable[..., Runner]]:
    """Run the queue in a thread; it is ended after the test."""
    started: list[tuple[Runner, threading.Thread]] = []

    def start(grace_s: float = 30.0) -> Runner:
        runner = Runner(command, grace_s)
        thread = threading.Thread(target=runner.run)
        thread.start()
        started.append((runner, thread))
        return runner

    yield start
    for runner, thread in started:
        runner.end(signal.SIGTERM)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@pytest.fixture
def in_process() -> Iterator[Callable[[], subprocess.Popen]]:
    """Run the queue in a process of its own; whatever is left of it is killed after the test."""
    started: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.core.jobs.fakes"], cwd=ROOT, start_new_session=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_S)


def until(number: str, *states: str) -> Job:
    """Wait until a job is in one of these states."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        job = find(number)
        if job.status.state in states:
            return job
        time.sleep(0.05)
    raise AssertionError(f"job is {find(number).status} after {PATIENCE_S} s, not {states}")


def until_begun(number: str) -> Job:
    """Wait until a slow job's training is under way."""
    end = time.monotonic() + PATIENCE_S
    folder = workspace() / "jobs" / number
    while time.monotonic() < end:
        if (folder / "model" / "begun").exists() and load_status(folder).child is not None:
            return find(number)
        time.sleep(0.05)
    raise AssertionError(f"training has not begun after {PATIENCE_S} s: {find(number).status}")
