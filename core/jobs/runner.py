"""The process that runs the queue: a job after the other, a step after the other.

One at a time on a machine: it holds a lock that its steps share, so that even where it is killed
alone no second job starts beside the step that is left.
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from core import logs
from core.denoiser.store import TRAINING as DENOISING
from core.errors import MicroDesignError
from core.folders import remove_leftovers
from core.jobs.process import identify
from core.jobs.publishing import TRAINING, publish
from core.jobs.queue import RUNNER_LOCK, Job, claim, states_lock, waiting
from core.jobs.request import AFTERWARDS, STEPS, TRAVERSALS
from core.jobs.status import LOG, STOP, State, Status, changed, load_status, save_status
from core.locks import exclusive, tried
from core.openmp import beside_others
from core.workspace import ROOT, jobs_folder

POLL_S = 0.2
PATIENCE_S = 0.5  # with the lock: who only looks whether it is held holds it for a moment
GRACE_S = 300.0  # from the request to stop to the kill: a training step and a checkpoint fit
logger = logging.getLogger(__name__)

# Where a step keeps what it goes on from, in the model's folder.
_CHECKPOINTS = {"train": TRAINING, "denoise": f"{DENOISING}/checkpoint"}
Command = Callable[[Job, str, bool], Sequence[str]]


def command_of(job: Job, step: str, resume: bool) -> Sequence[str]:
    """Return the command that does a step."""
    return [sys.executable, *job.request.arguments(step, job.folder, resume)]


class Runner:
    """Runs the queue until it is empty, or until it is asked to end."""

    def __init__(self, command: Command = command_of, grace_s: float = GRACE_S) -> None:
        self.command, self.grace_s = command, grace_s
        self.ending = False

    def end(self, number: int, frame: FrameType | None = None) -> None:
        """Ask to stop the job that runs and to leave (a signal handler)."""
        self.ending = True

    def run(self) -> None:
        """Run the queue; return at once where another process does."""
        while not self.ending:
            with tried(jobs_folder() / RUNNER_LOCK, PATIENCE_S) as handle:
                if handle is None:
                    return
                remove_leftovers(jobs_folder())
                while not self.ending and (job := claim()) is not None:
                    self.run_job(job, handle)
            # Whoever submitted while the lock was held saw a runner and left it to us.
            if not waiting():
                return

    def run_job(self, job: Job, handle: int) -> None:
        """Do a job's steps that are not done yet, and put the model where models are.

        What only adds to a complete model comes after that, so that it can be used whatever
        becomes of the rest.
        """
        logs.event(logger, "job", id=job.id, state="running")
        try:
            for step in STEPS:
                if step in job.status.done or step in job.request.skipped:
                    continue
                if step in AFTERWARDS and not publish(job, complete=False):
                    return
                if not self._do(job, step, handle):
                    return
                job = replace(job, status=load_status(job.folder))
            publish(job)
            shutil.rmtree(job.folder / TRAVERSALS, ignore_errors=True)  # of no use any more
        except Exception as error:  # a full disk, a folder that was removed: say it, go on
            fields = {"event": "job_error", "id": job.id}
            logger.exception("job %s", job.id, extra={"fields": fields})
            _settle(job, "failed", message=str(error) or type(error).__name__)

    def _do(self, job: Job, step: str, handle: int) -> bool:
        """Do one step; tell whether to go on."""
        begun = time.monotonic()
        resume = (job.folder / "model" / _CHECKPOINTS.get(step, "") / "state.json").is_file()
        if step == "train" and not resume:
            shutil.rmtree(job.folder / "model", ignore_errors=True)  # what a kill may have left
        command = list(self.command(job, step, resume))
        log = job.folder / LOG
        with open(log, "ab") as stream:
            stream.write(f"== {step}: {' '.join(command[1:])}\n".encode())
            stream.flush()
            start = stream.tell()
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=beside_others(os.environ | {"PYTHONUNBUFFERED": "1"}),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                pass_fds=(handle,),
            )
        _settle(
            job,
            "running",
            step=step,
            begun=time.time(),
            runner=load_status(job.folder).runner,
            child=identify(child.pid),
        )
        asked = self._wait(job, child)
        if asked:
            why = "the machine or its user ended the queue" if self.ending else "stopped by hand"
            _settle(job, "stopped", step=step, message=why)
            return False
        if child.returncode:
            _settle(job, "failed", step=step, message=last_words(log, start, child.returncode))
            return False
        done = load_status(job.folder).done | {step: round(time.monotonic() - begun, 1)}
        _settle(job, "running", step=step, done=done, runner=load_status(job.folder).runner)
        return True

    def _wait(self, job: Job, child: subprocess.Popen[bytes]) -> bool:
        """Wait for a step's end, or end it where that is asked for; tell whether it was."""
        asked_at = None
        while child.poll() is None:
            if asked_at is None and (self.ending or (job.folder / STOP).exists()):
                asked_at = time.monotonic()
                child.terminate()
            if asked_at is not None and time.monotonic() - asked_at > self.grace_s:
                child.kill()
            time.sleep(POLL_S)
        return asked_at is not None and child.returncode != 0


def last_words(log: Path, start: int, code: int) -> str:
    """Return why a step failed, from the end of what it said.

    Args:
        log: the job's log.
        start: where the step's part begins, in bytes.
        code: its exit status; negative where a signal ended it.
    """
    if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return "it was killed, most likely because the memory ran out; try a smaller batch"
    with open(log, "rb") as stream:
        stream.seek(start)
        lines = stream.read()[-20_000:].decode("utf-8", errors="replace").splitlines()
    said = [line.strip() for line in lines if line.strip()]
    if not said:
        return f"it ended with status {code} and said nothing"
    told = next((line for line in reversed(said) if "error: " in line), said[-1])
    return told.partition("error: ")[2] or told if "error: " in told else told


def _settle(job: Job, state: State, **changes: object) -> Status:
    """Write a job's new state."""
    with exclusive(states_lock()):
        status = changed(load_status(job.folder), state, **changes)
        save_status(job.folder, status)
    seconds = status.done.get(status.step)
    logs.event(logger, "job", id=job.id, state=state, step=status.step or None, seconds=seconds)
    return status


def serve(detach: bool) -> int:
    """Run the queue in this process; ``detach`` leaves whoever started it first."""
    if detach:
        if os.fork():
            os._exit(0)
        os.setsid()
    logs.set_up()
    runner = Runner()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, runner.end)
    try:
        runner.run()
    except MicroDesignError as error:  # a full disk: what ran reads as failed, and can be resumed
        logs.refused(logger, error)
        return 1
    return 0
