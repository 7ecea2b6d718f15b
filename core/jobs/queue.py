"""The queue of training jobs: submit, list, stop, resume, remove; each from any process."""

import logging
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core import logs
from core.errors import CheckpointError, ConfigError, InputError
from core.files import storing
from core.folders import new_folder, remove_folder, settle_folder
from core.jobs.process import is_alive, this_process
from core.jobs.request import JobRequest, load_request, save_request
from core.jobs.status import STOP, Status, changed, observed, save_status
from core.locks import exclusive, is_held
from core.workspace import ROOT, jobs_folder, models_folder, workspace

ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
logger = logging.getLogger(__name__)
STATES_LOCK, RUNNER_LOCK, RUNNER_LOG = "states.lock", "runner.lock", "runner.log"


@dataclass(frozen=True, slots=True)
class Job:
    """A job: its number, its folder, what was asked for, how far it is."""

    id: str
    folder: Path
    request: JobRequest
    status: Status


def states_lock() -> Path:
    """Return the lock that every change of a state holds."""
    return jobs_folder() / STATES_LOCK


def submit(request: JobRequest) -> Job:
    """Put a job at the end of the queue and see that the queue is run.

    Raises:
        InputError: the model's name is taken, or the data set is gone.
        StorageError: the job cannot be written; nothing is left of it.
    """
    if not (Path(request.data) / "manifest.csv").is_file():
        raise InputError(f"there is no data set in {request.data}; choose another")
    with exclusive(states_lock()):
        if (models_folder() / request.name).exists():
            raise InputError(f"a model named {request.name!r} is there already; choose another")
        if any(job.request.name == request.name for job in jobs() if job.status.active):
            raise InputError(f"a job for a model named {request.name!r} is under way already")
        with new_folder(jobs_folder()) as made:
            save_request(made, request)
            now = time.time()
            save_status(made, Status(state="queued", created=now, queued=_last_in_queue(now)))
            while True:
                number = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
                if settle_folder(made, jobs_folder() / number):
                    break
    logs.event(logger, "job", id=number, state="queued")
    start_runner()
    return find(number)


def jobs() -> list[Job]:
    """Return all jobs that can be read, newest first."""
    found = []
    for path in _folders():
        with suppress(CheckpointError):
            found.append(Job(path.name, path, load_request(path), observed(path)))
    return found


def damaged() -> dict[str, str]:
    """Return the jobs that cannot be read: number -> why."""
    found = {}
    for path in _folders():
        try:
            load_request(path)
            observed(path)
        except CheckpointError as error:
            if path.is_dir():  # it has not just been removed
                found[path.name] = str(error)
    return found


def find(number: str) -> Job:
    """Return a job by its number.

    Raises:
        InputError: there is none.
    """
    folder = jobs_folder() / number
    if not ID.fullmatch(number) or not folder.is_dir():
        raise InputError(f"there is no job {number[:40]!r}; it may have been removed")
    return Job(number, folder, load_request(folder), observed(folder))


def waiting() -> list[Job]:
    """Return the jobs in the queue, the next one first."""
    return sorted((j for j in jobs() if j.status.state == "queued"), key=lambda j: j.status.queued)


def stop(number: str) -> None:
    """Stop a job: out of the queue, or with a checkpoint after the step of training it is in.

    Raises:
        InputError: there is no such job.
    """
    with exclusive(states_lock()):
        job = find(number)
        if job.status.state == "queued":
            save_status(job.folder, changed(job.status, "stopped", message="stopped in the queue"))
        elif job.status.state == "running":
            with storing(job.folder / STOP):
                (job.folder / STOP).touch()
            child = job.status.child
            if not is_alive(job.status.runner) and child is not None and is_alive(child):
                os.kill(child.pid, signal.SIGTERM)  # its runner was killed: ask it directly


def resume(number: str) -> None:
    """Put a stopped or failed job into the queue again; what is done is not done again.

    Raises:
        InputError: there is no such job, or it is not stopped or failed.
    """
    with exclusive(states_lock()):
        job = find(number)
        if not job.status.resumable:
            raise InputError(f"job {number} is {job.status.state}; only stopped ones are resumed")
        (job.folder / STOP).unlink(missing_ok=True)
        now = _last_in_queue(time.time())
        save_status(job.folder, changed(job.status, "queued", queued=now))
    start_runner()


def remove(number: str) -> None:
    """Remove a job, damaged or not, and what it has made, but not a finished model.

    Raises:
        InputError: there is no such job, or it waits or runs.
        StorageError: it cannot be removed.
    """
    with exclusive(states_lock()):
        if number in damaged():
            if runner_works():  # it may be the one that runs
                raise InputError(f"job {number} is damaged; remove it when no job runs")
            remove_folder(jobs_folder() / number)
            return
        job = find(number)
        if job.status.active:
            raise InputError(f"job {number} is {job.status.state}; stop it first")
        remove_folder(job.folder)


def claim() -> Job | None:
    """Return the next job of the queue, from now on running in this process; None without one."""
    with exclusive(states_lock()):
        queue = waiting()
        if not queue:
            return None
        job = queue[0]
        (job.folder / STOP).unlink(missing_ok=True)
        save_status(job.folder, changed(job.status, "running", runner=this_process(), child=None))
    return find(job.id)


def runner_works() -> bool:
    """Tell whether a process runs the queue."""
    return is_held(jobs_folder() / RUNNER_LOCK)


def start_runner() -> None:
    """Start a process that runs the queue; it leaves at once where one does already.

    It has a session of its own and survives whoever started it.

    Raises:
        ConfigError: it cannot be started.
        StorageError: the folder of jobs cannot be written.
    """
    folder = jobs_folder()
    environment = os.environ | {"MICRODESIGN_WORKSPACE": str(workspace().resolve())}
    with storing(folder / RUNNER_LOG):
        folder.mkdir(parents=True, exist_ok=True)
        log = open(folder / RUNNER_LOG, "ab")  # noqa: SIM115 - closed below
    with log:
        done = subprocess.run(
            [sys.executable, "-m", "core.jobs", "run", "--detach"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            timeout=60,
            check=False,
        )
    if done.returncode:
        raise ConfigError(f"the queue could not be started: see {folder / RUNNER_LOG}")


def _folders() -> list[Path]:
    """Return the folders of all jobs, newest first."""
    folder = jobs_folder()
    found = [p for p in folder.iterdir() if ID.fullmatch(p.name)] if folder.is_dir() else []
    return sorted(found, reverse=True)


def _last_in_queue(now: float) -> float:
    """Return a time after all that wait, also where the clock was put back."""
    return max([now, *(job.status.queued + 1e-3 for job in waiting())])


def ensure_runner() -> None:
    """Start a runner where jobs wait and none works, as after a restart of the machine."""
    if waiting() and not runner_works():
        start_runner()
