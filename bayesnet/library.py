"""Saved designs: a folder each, `recipe.json`, `picture.png` and `note.txt`, whole or not there."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bayesnet.design_report import design_report
from bayesnet.recipe import Recipe, load_recipe
from bayesnet.recording import picture_text
from core.errors import CheckpointError, InputError
from core.files import read_bytes, write_bytes, write_json, write_text
from core.folders import new_folder, remove_folder, settle_folder
from core.image_limits import DEFAULT_LIMITS, load_bytes
from core.images import encode_png, read_image

RECIPE, PICTURE, NOTE = "recipe.json", "picture.png", "note.txt"
MAX_NOTE = 4000  # characters
MAX_NOTE_BYTES = 2**20
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
Pixels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved design.

    Attributes:
        id: of its folder; begins with the date.
        folder: where it lies.
        recipe: what it was made from and what came out.
        note: of the user.
    """

    id: str
    folder: Path
    recipe: Recipe
    note: str

    @property
    def picture(self) -> bytes:
        """The picture as PNG, its scale in it.

        Raises:
            InputError: it was taken away.
        """
        try:
            return load_bytes(self.folder / PICTURE, DEFAULT_LIMITS)
        except InputError as error:
            raise InputError(f"the picture of design {self.id} is gone: {error}") from error

    @property
    def pixels(self) -> Pixels:
        """The picture's grey levels (H, W) in [0, 1], of 8 bits.

        Raises:
            InputError: the picture is damaged.
        """
        pixels: Pixels = read_image(self.picture, PICTURE).pixels
        return pixels


@dataclass(frozen=True, slots=True)
class Damaged:
    """A folder among the designs that cannot be read, and why."""

    id: str
    folder: Path
    why: str


def save_design(library: Path, recipe: Recipe, pixels: Pixels, note: str = "") -> tuple[str, bool]:
    """Keep a design.

    Args:
        library: folder of all saved designs.
        recipe: of the design.
        pixels: (H, W) in [0, 1], its picture, the refined one where it was refined.
        note: at most 4000 characters.

    Returns:
        The design's id, and whether it is new: a design that is there already, with the same
        parts, targets, limits, seed and size, is left as it is.

    Raises:
        InputError: the note is too long.
        StorageError: the folder cannot be written; nothing is left of it.
    """
    note = _checked_note(note)
    digest = _digest(recipe)
    here = (f.name for f in library.iterdir()) if library.is_dir() else iter(())
    known = sorted(name for name in here if _ID.fullmatch(name) and name.endswith(digest))
    if known:
        return known[0], False
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{digest}"
    picture = encode_png(pixels, recipe.um_per_px, picture_text(recipe))
    with new_folder(library) as made:
        write_bytes(made / PICTURE, picture)
        write_text(made / NOTE, note)
        write_json(made / RECIPE, recipe.to_json())
        return name, settle_folder(made, library / name)  # another session may have been faster


def design_names(library: Path) -> tuple[str, ...]:
    """Return the ids of all saved designs, the newest first; no file is read for that."""
    names = [f.name for f in library.iterdir()] if library.is_dir() else []
    return tuple(sorted((name for name in names if _ID.fullmatch(name)), reverse=True))


def load_designs(
    library: Path, names: Iterable[str]
) -> tuple[tuple[Saved, ...], tuple[Damaged, ...]]:
    """Return the saved designs of these ids, in their order, and those that cannot be read."""
    saved, damaged = [], []
    for name in names:
        try:
            saved.append(load_design(library, name))
        except InputError as error:
            damaged.append(Damaged(name, library / name, str(error)))
    return tuple(saved), tuple(damaged)


def list_designs(library: Path) -> tuple[tuple[Saved, ...], tuple[Damaged, ...]]:
    """Return all saved designs, the newest first, and what cannot be read; every recipe is read."""
    return load_designs(library, design_names(library))


def load_design(library: Path, name: str) -> Saved:
    """Read a saved design.

    Raises:
        InputError: there is none of this name, or it is damaged.
    """
    folder = _folder(library, name)
    recipe = load_recipe(folder / RECIPE)
    if not (folder / PICTURE).is_file():
        raise InputError(f"the design {name} has lost its picture ({PICTURE})")
    try:
        whole = read_bytes(folder / NOTE, MAX_NOTE_BYTES) if (folder / NOTE).exists() else b""
        note = whole.decode("utf-8")[:MAX_NOTE]
    except (CheckpointError, UnicodeDecodeError) as error:
        raise InputError(f"the note of design {name} cannot be read: {error}") from error
    return Saved(name, folder, recipe, note)


def set_note(library: Path, name: str, note: str) -> None:
    """Replace the note of a saved design.

    Raises:
        InputError: there is no such design, or the note is too long.
        StorageError: it cannot be written; the old note is as it was.
    """
    write_text(_folder(library, name) / NOTE, _checked_note(note))


def delete_design(library: Path, name: str) -> None:
    """Delete a saved design, damaged or not: at once for others, then file by file.

    Raises:
        InputError: there is no such design.
        StorageError: it cannot be deleted.
    """
    remove_folder(_folder(library, name))


def archive(designs: Sequence[Saved]) -> bytes:
    """Return designs as a zip file: recipe, picture, note and report, a folder each.

    Raises:
        InputError: a picture is damaged or gone.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for one in designs:
            recipe = json.dumps(one.recipe.to_json(), indent=2, allow_nan=False)
            packed.writestr(f"{one.id}/{RECIPE}", recipe)
            packed.writestr(f"{one.id}/{PICTURE}", one.picture)
            packed.writestr(f"{one.id}/{NOTE}", one.note)
            report = design_report(one.recipe, [one.pixels], one.note)
            packed.writestr(f"{one.id}/report.html", report)
    return buffer.getvalue()


def _folder(library: Path, name: str) -> Path:
    """Return a design's folder; a name from an address or a form is never taken as a path."""
    if not _ID.fullmatch(name) or not (library / name).is_dir():
        raise InputError(f"there is no saved design {name[:40]!r}; it may have been deleted")
    return library / name


def _digest(recipe: Recipe) -> str:
    asked: list[object] = [
        recipe.targets,
        recipe.process,
        recipe.seed,
        recipe.size_px,
        recipe.parts,
    ]
    if recipe.refinement is not None:
        asked.append({"refined": recipe.refinement.steps})
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]


def _checked_note(note: str) -> str:
    note = note.strip()
    if len(note) > MAX_NOTE:
        raise InputError(f"the note has {len(note)} characters; at most {MAX_NOTE} are kept")
    return note
