"""Putting a job's model where the dashboard lists models, under its name."""

import shutil
from pathlib import Path

from core.denoiser.store import TRAINING as DENOISING
from core.errors import CheckpointError
from core.files import read_json, storing, write_json
from core.jobs.queue import Job, states_lock
from core.jobs.status import changed, load_status, save_status
from core.locks import RUN_LOCK, exclusive
from core.workspace import models_folder

TRAINING = "checkpoint"  # folder, in the model's, that `core.train` goes on from
_ABOUT = "job.json"


def publish(job: Job, complete: bool = True) -> bool:
    """Put a job's model where models are; tell whether it is there. If not, the job has failed.

    Args:
        job: whose model is made.
        complete: whether the job is finished with that; else it goes on with the model there.
    """
    with exclusive(states_lock()):
        if not is_published(job):
            if why := _hindrance(job):
                status = changed(load_status(job.folder), "failed", message=why)
                save_status(job.folder, status)
                return False
            _move(job)
        if complete:
            save_status(job.folder, changed(load_status(job.folder), "finished", step=""))
        return True


def is_published(job: Job) -> bool:
    """Tell whether a job's model can be used; steps that follow may still be under way."""
    if job.status.state == "finished":
        return True
    return not (job.folder / "model").exists() and _made_by(_target(job)) == job.id


def model_folder(job: Job) -> Path:
    """Return where a job's model is: in its own folder until it is published."""
    return _target(job) if is_published(job) else job.folder / "model"


def _target(job: Job) -> Path:
    return models_folder() / job.request.name


def _hindrance(job: Job) -> str:
    """Return why a job's model cannot be published, "" where it can."""
    name = job.request.name
    if _target(job).exists():
        return f"a model named {name!r} appeared meanwhile; remove it, then resume"
    if not (job.folder / "model").exists():
        return f"the model {name!r} that this job made has been removed; train it again"
    return ""


def _move(job: Job) -> None:
    """Drop what only the making of the model needed, and move its folder in one step."""
    model, target = job.folder / "model", _target(job)
    for folder in (TRAINING, DENOISING):  # of no use any more, and large
        shutil.rmtree(model / folder, ignore_errors=True)
    (model / RUN_LOCK).unlink(missing_ok=True)
    write_json(model / _ABOUT, {"job": job.id, "preset": job.request.preset})
    with storing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        model.rename(target)


def _made_by(model: Path) -> str | None:
    """Return the job that a model folder came from, None where it does not say."""
    try:
        return str(read_json(model / _ABOUT)["job"])
    except (CheckpointError, KeyError, TypeError):
        return None
