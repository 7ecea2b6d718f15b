"""What a running job shows: loss curves, pictures as they improve, time left, its log."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.denoiser.store import TRAINING as DENOISING
from core.errors import CheckpointError
from core.files import parse_json, read_bytes, read_json
from core.jobs.publishing import model_folder
from core.jobs.queue import Job
from core.jobs.request import STEPS
from core.jobs.status import LOG
from core.json_values import number
from core.previews import FOLDER as PREVIEWS

MAX_LOG_BYTES = 200_000
MAX_METRICS_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Curve:
    """A figure against the step of training."""

    steps: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the training of a job is.

    Attributes:
        step, steps: done and planned.
        share: 0 to 1 of the schedule.
        seconds_left: of the training, None before its first report.
        training, validation: figure -> curve.
        previews: step -> picture file, by step.
        denoiser: how far the denoiser's training is, None before it begins.
    """

    step: int
    steps: int
    share: float
    seconds_left: float | None
    training: dict[str, Curve]
    validation: dict[str, Curve]
    previews: dict[int, Path]
    denoiser: "Denoising | None" = None


@dataclass(frozen=True, slots=True)
class Denoising:
    """How far the training of a job's denoiser is; see `Progress`."""

    step: int
    share: float
    seconds_left: float | None
    training: dict[str, Curve]


def progress_of(job: Job) -> Progress:
    """Read how far a job's training is; nothing of it may be there yet."""
    folder = model_folder(job)
    records = _records(folder / "metrics.jsonl")
    told = _told(folder / "progress.json")
    train = [record for record in records if record.get("kind") == "train"]
    last = train[-1] if train else {}
    left = last.get("seconds_left")
    return Progress(
        step=int(told.get("step", 0)),
        steps=int(told.get("steps", _figure(job.request.config.get("steps")) or 0)),
        share=told.get("progress", 0.0),
        seconds_left=_figure(left),
        training=_curves(train),
        validation=_curves([r for r in records if r.get("kind") == "validation"]),
        previews=_previews(folder / PREVIEWS),
        denoiser=_denoising(folder / DENOISING),
    )


def _denoising(folder: Path) -> Denoising | None:
    told = _told(folder / "progress.json")
    if "step" not in told:
        return None
    reports = [r for r in _records(folder / "metrics.jsonl") if r.get("kind") == "train"]
    left = _figure(reports[-1].get("seconds_left")) if reports else None
    return Denoising(int(told["step"]), told.get("progress", 0.0), left, _curves(reports))


def read_log(job: Job, most: int = MAX_LOG_BYTES) -> str:
    """Return the end of a job's log, "" where there is none yet."""
    try:
        with open(job.folder / LOG, "rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(size - most, 0))
            return stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""


def steps_of(job: Job) -> list[tuple[str, str, float | None]]:
    """Return the steps with what became of each, and its seconds.

    Returns:
        (step, "done", "running", "failed", "stopped", "skipped" or "waiting", seconds or None).
    """
    status, rows = job.status, list[tuple[str, str, float | None]]()
    for step in STEPS:
        if step in status.done:
            rows.append((step, "done", status.done[step]))
        elif step in job.request.skipped:
            rows.append((step, "skipped", None))
        elif step == status.step and status.state != "queued":
            rows.append((step, status.state, None))
        else:
            rows.append((step, "waiting", None))
    return rows


def seconds_run(job: Job) -> float | None:
    """Return how long a job has been under way since it first started, None before."""
    status = job.status
    if status.started is None:
        return None
    return max((status.ended or time.time()) - status.started, 0.0)


def seconds_left(job: Job, progress: Progress) -> float | None:
    """Return about how long a running job will still take: the rest of its step, and what follows.

    The trainings say what is left of them; for all else it is what was expected at the start, less
    what has passed.

    Args:
        job: the job.
        progress: of its trainings.

    Returns:
        Seconds; None where it does not run, or where nothing was expected of a step that is left.
    """
    status, expected = job.status, job.request.expected_s
    left = [step for step, state, _ in steps_of(job) if state in ("running", "waiting")]
    if status.state != "running" or any(step not in expected for step in left):
        return None
    told: dict[str, float | None] = {"train": progress.seconds_left}
    if progress.denoiser is not None:
        told["denoise"] = progress.denoiser.seconds_left
    now, total = time.time(), 0.0
    for step in left:
        rest = told.get(step) if step == status.step else None
        if rest is None:
            passed = now - (status.begun or now) if step == status.step else 0.0
            rest = max(expected[step] - max(passed, 0.0), 0.0)
        total += rest
    return total


def _told(path: Path) -> dict[str, float]:
    """Return the figures of a progress file, only the numbers; none where it is damaged."""
    try:
        content = read_json(path)
    except CheckpointError:
        return {}
    content = content if isinstance(content, dict) else {}
    figures = {name: _figure(value) for name, value in content.items()}
    return {name: value for name, value in figures.items() if value is not None}


def _figure(value: Any) -> float | None:
    """Return a finite number, None for anything else."""
    try:
        return number(value, "a figure")
    except (ValueError, OverflowError):
        return None


def _records(path: Path) -> list[dict[str, Any]]:
    try:
        lines = read_bytes(path, MAX_METRICS_BYTES).decode("utf-8", errors="replace").splitlines()
    except CheckpointError:
        return []
    found = []
    for line in lines:
        try:
            record = parse_json(line)
        except ValueError:  # the line that is being written
            continue
        if isinstance(record, dict) and isinstance(record.get("step"), int):
            found.append(record)
    return found


def _curves(records: list[dict[str, Any]]) -> dict[str, Curve]:
    points: dict[str, list[tuple[int, float]]] = {}
    for record in records:
        for name, value in record.items():
            if name not in ("kind", "step") and (figure := _figure(value)) is not None:
                points.setdefault(name, []).append((record["step"], figure))
    return {
        name: Curve(tuple(step for step, _ in some), tuple(value for _, value in some))
        for name, some in points.items()
    }


def _previews(folder: Path) -> dict[int, Path]:
    found = {}
    for path in sorted(folder.glob("step-*.png")) if folder.is_dir() else ():
        number = path.stem.removeprefix("step-")
        if number.isdecimal():
            found[int(number)] = path
    return found
