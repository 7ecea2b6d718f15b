"""How far a training job is: a small file, replaced whole at each change."""

import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from core.errors import CheckpointError
from core.files import read_json, write_json
from core.jobs.process import Process, is_alive
from core.json_values import mapping, number, text, whole

FILE, LOG, STOP = "status.json", "log.txt", "stop"
State = Literal["queued", "running", "stopped", "failed", "finished"]
STATES: tuple[State, ...] = ("queued", "running", "stopped", "failed", "finished")
ENDED_SILENTLY = (
    "the process that ran it ended without a word: it was killed, or the machine restarted. "
    "Resume it to go on from the last checkpoint"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of a job.

    Attributes:
        state: queued, running, stopped (by the user), failed or finished.
        message: why it failed or stopped.
        step: the step that runs, or that ended it; "" before the first.
        done: step -> seconds it took.
        created, queued, started, ended: times (s since 1970); ``queued`` orders the queue.
        begun: when the step that runs began, of the last attempt (s since 1970).
        runner: the process that runs it; ``child``: the step's own.
    """

    state: State
    message: str = ""
    step: str = ""
    done: dict[str, float] = field(default_factory=dict)
    created: float = 0.0
    queued: float = 0.0
    started: float | None = None
    ended: float | None = None
    begun: float | None = None
    runner: Process | None = None
    child: Process | None = None

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("queued", "running")

    @property
    def resumable(self) -> bool:
        """Whether it can be resumed."""
        return self.state in ("stopped", "failed")


def save_status(folder: Path, status: Status) -> None:
    """Write a status."""
    write_json(folder / FILE, asdict(status))


def load_status(folder: Path) -> Status:
    """Read a status as it was written.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    content = read_json(folder / FILE)
    try:
        for name in ("runner", "child"):
            content[name] = _process(content[name]) if content[name] else None
        if content["state"] not in STATES:
            raise ValueError(f"state {content['state']!r}")
        for name in ("message", "step"):
            text(content.get(name, ""), name)
        for step, seconds in mapping(content.get("done", {}), "done").items():
            number(seconds, step, 0)
        for name in ("created", "queued"):
            number(content.get(name, 0.0), name)
        for name in ("started", "ended", "begun"):
            if content.get(name) is not None:
                number(content[name], name)
        return Status(**content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{folder / FILE} is damaged: {error}; remove the job and submit it again"
        ) from error


def _process(content: Any) -> Process:
    process = Process(**content)
    whole(process.pid, "pid")
    text(process.started, "started")
    return process


def observed(folder: Path) -> Status:
    """Read a status and hold it against the machine: what claims to run must have a process.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    status = load_status(folder)
    if status.state == "running" and not is_alive(status.runner) and not is_alive(status.child):
        again = load_status(folder)  # it may have ended in between
        if again == status:
            return replace(status, state="failed", message=ENDED_SILENTLY)
        return again
    return status


def changed(status: Status, state: State, **changes: Any) -> Status:
    """Return a status in another state; times are set, processes dropped where it does not run."""
    now = time.time()
    times: dict[str, Any] = {}
    if state == "running":
        times = {"started": status.started or now, "ended": None}
    elif state == "queued":
        times = {"queued": now, "ended": None}
    else:
        times = {"ended": now}
    if state != "running":
        times |= {"runner": None, "child": None}
    return replace(status, **({"state": state, "message": ""} | times | changes))
