"""The workspace: whether it can be written, has room, and what of it is damaged or left over."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from core.dataset import load_dataset
from core.doctor.finding import Finding
from core.errors import CheckpointError, MicroDesignError, StorageError
from core.files import TEMPORARY, read_json, write_bytes
from core.folders import leftovers
from core.images import read_image
from core.jobs.queue import damaged, jobs, runner_works, waiting
from core.jobs.status import ENDED_SILENTLY
from core.workspace import data_folder, workspace

LEAST_BYTES, LOW_BYTES = 200 * 2**20, 2 * 2**30  # a checkpoint of the shipped model: 150 MB
_DESIGN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")  # as `bayesnet.library` names them


def check_workspace() -> Iterator[Finding]:
    """Yield what is found of the workspace and of everything kept in it."""
    place = workspace()
    yield _place(place)
    yield _room(place)
    yield from _left(place)
    yield from _jobs()
    yield from _designs(place / "designs")
    yield from _data_sets()


def _place(place: Path) -> Finding:
    """Look whether the workspace can be written, by writing."""
    remedy = "make it writable for the user of this program, or set MICRODESIGN_WORKSPACE"
    if not place.exists():
        above = _existing(place)
        if os.access(above, os.W_OK):
            return Finding("workspace", "ok", f"{place} is made when it is first needed")
        return Finding("workspace", "error", f"{place} cannot be made in {above}", remedy)
    if not place.is_dir():
        return Finding("workspace", "error", f"{place} is no folder", "set MICRODESIGN_WORKSPACE")
    probe = place / f".doctor-{os.getpid()}{TEMPORARY}"
    try:
        write_bytes(probe, b"ok")
        probe.unlink()
    except StorageError as error:
        return Finding("workspace", "error", str(error), remedy)
    return Finding("workspace", "ok", f"{place} can be written")


def _room(place: Path) -> Finding:
    free = shutil.disk_usage(_existing(place)).free
    said = f"{free / 2**30:.1f} GiB free"
    if free >= LOW_BYTES:
        return Finding("disk", "ok", said)
    remedy = f"free some; training needs {LOW_BYTES / 2**30:.0f} GiB"
    return Finding("disk", "error" if free < LEAST_BYTES else "warning", said, remedy)


def _left(place: Path) -> Iterator[Finding]:
    if found := leftovers(place):
        size = sum(_size(path) for path in found)
        said = f"{len(found)} unfinished files of killed programs, {size / 2**20:.1f} MiB"
        yield Finding("leftovers", "warning", said, "python -m core.doctor --tidy removes them")


def _jobs() -> Iterator[Finding]:
    found = jobs()
    broken = damaged()
    for number, why in broken.items():
        remedy = f"python -m core.jobs remove {number}"
        yield Finding(f"job {number}", "error", why, remedy)
    for job in found:
        if job.status.message == ENDED_SILENTLY:
            remedy = f"python -m core.jobs resume {job.id}"
            yield Finding(f"job {job.id}", "warning", "ended without a word", remedy)
    if waiting() and not runner_works():
        remedy = "python -m core.jobs run --detach"
        yield Finding("queue", "warning", f"{len(waiting())} jobs wait and nothing runs", remedy)
    if not broken:
        yield Finding("jobs", "ok", f"{len(found)} can be read")


def _designs(folder: Path) -> Iterator[Finding]:
    found = [p for p in folder.iterdir() if _DESIGN.fullmatch(p.name)] if folder.is_dir() else []
    broken = 0
    for path in sorted(found):
        try:
            if not isinstance(read_json(path / "recipe.json"), dict):
                raise CheckpointError(f"{path / 'recipe.json'} holds no recipe")
            read_image((path / "picture.png").read_bytes(), "picture.png")
        except (MicroDesignError, OSError) as error:
            broken += 1
            remedy = f"delete it on the page Library, or restore {path}"
            yield Finding(f"design {path.name}", "error", str(error), remedy)
    if not broken:
        yield Finding("designs", "ok", f"{len(found)} can be read")


def _data_sets() -> Iterator[Finding]:
    folder = data_folder()
    found = sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    shown, broken = [p for p in found if not p.name.startswith(".")], 0
    for path in shown:
        try:
            load_dataset(path)
        except MicroDesignError as error:
            broken += 1
            yield Finding(f"data set {path.name}", "error", str(error), f"restore or remove {path}")
    if not broken:
        yield Finding("data sets", "ok", f"{len(shown)} can be read")


def _existing(place: Path) -> Path:
    """Return the nearest folder above that is there."""
    return next(p for p in (place.absolute(), *place.absolute().parents) if p.exists())


def _size(path: Path) -> int:
    inner = path.rglob("*") if path.is_dir() else [path]
    return sum(one.stat().st_size for one in inner if one.is_file())
