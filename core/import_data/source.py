"""Where a user's pictures and tables come from: a folder, a zip, or uploads.

Nothing is unpacked to the disk and no name becomes a path: a file is known by the name that it had
there, made safe to show, and read when it is asked for, never more of it than is allowed.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath

from core.display_name import printable
from core.errors import InputError
from core.image_format import SUFFIXES
from core.image_limits import DEFAULT_LIMITS, load_bytes
from core.microscope_text import MAX_BYTES as MAX_TEXT
from core.microscope_text import is_microscope_text
from core.zips import read_entries

TABLES = (".csv", ".tsv", ".txt", ".xlsx")
MAX_FILES = 20_000
MAX_PATH = 300


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A picture or table of the user.

    Attributes:
        path: its name, with the folders inside the folder or zip, safe to show, never opened.
        size_bytes: unpacked.
        load: reads its bytes.
        beside: reads the text file that its microscope wrote beside it, None where there is none.
    """

    path: str
    size_bytes: int
    load: Callable[[], bytes] = field(repr=False, compare=False)
    beside: Callable[[], bytes] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found.

    Attributes:
        pictures: by name.
        tables: CSV and Excel files, by name.
        notes: what was left out and why.
    """

    pictures: tuple[SourceFile, ...]
    tables: tuple[SourceFile, ...]
    notes: tuple[str, ...]


def list_folder(root: Path) -> Listing:
    """List the pictures and tables in a folder and the folders in it; links are left out.

    Raises:
        InputError: it is no folder, or holds too many files.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder")
    found, links = [], 0
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file():
            links += path.is_symlink()
            continue
        # Names of older systems need not be UTF-8: what is not is shown as such.
        named = os.fsencode(path.relative_to(root)).decode("utf-8", errors="replace")
        found.append(SourceFile(_safe(named), path.stat().st_size, _reader(path)))
        if len(found) > MAX_FILES:
            raise InputError(f"{root} holds more than {MAX_FILES} files; split the data set")
    notes = [f"{many(links, 'link')} left out"] if links else []
    return _sorted(found, notes)


def list_zip(source: Path | bytes, name: str) -> Listing:
    """List the pictures and tables in a zip.

    Args:
        source: the file, or an upload's bytes.
        name: of the zip, for messages.

    Raises:
        InputError: it is no zip, has a password, names that lead out of it, or unpacks to too much.
    """
    try:
        entries = read_entries(BytesIO(source) if isinstance(source, bytes) else source)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    for entry in entries:
        if entry.problem:
            raise InputError(f"{name}: {entry.name[:120]!r}: {entry.problem}")
    return _sorted([SourceFile(e.name, e.size_bytes, e.load) for e in entries], [])


def list_uploads(uploads: Iterable[tuple[str, bytes]]) -> Listing:
    """List uploaded files: pictures and tables as they are, zips by what is in them.

    Raises:
        InputError: as `list_zip`.
    """
    found: list[SourceFile] = []
    notes: list[str] = []
    for name, data in uploads:
        if name.lower().endswith(".zip"):
            listing = list_zip(data, _safe(name))
            found += [*listing.pictures, *listing.tables]
            notes += listing.notes
        else:
            found.append(SourceFile(_safe(name), len(data), partial(bytes, data)))
    return _sorted(found, notes)


def list_source(path: Path) -> Listing:
    """List a folder or a zip, whichever the path is.

    Raises:
        InputError: it is neither.
    """
    return list_folder(path) if path.is_dir() else list_zip(path, path.name)


def _sorted(found: Sequence[SourceFile], notes: list[str]) -> Listing:
    """Tell pictures from tables by their names; what is neither is left out with a note."""
    pictures: dict[str, SourceFile] = {}
    tables, others = [], []
    for file in sorted(found, key=lambda f: f.path.lower()):
        parts = PurePosixPath(file.path).parts
        if any(part.startswith((".", "__MACOSX")) for part in parts):
            continue  # what operating systems add
        suffix = PurePosixPath(file.path).suffix.lower()
        if suffix in SUFFIXES:
            if file.path.lower() in pictures:
                notes.append(f"{file.path} is there twice; the first is used")
            pictures.setdefault(file.path.lower(), file)
        elif suffix in TABLES:
            tables.append(file)
        else:
            others.append(file.path)
    tables = _beside(tables, pictures)
    if others:
        notes.append(f"neither pictures nor tables: {many(len(others), 'file')}: {named(others)}")
    return Listing(tuple(pictures.values()), tuple(tables), tuple(notes))


def _beside(tables: list[SourceFile], pictures: dict[str, SourceFile]) -> list[SourceFile]:
    """Give pictures the text files that their microscopes wrote; return what other tables are."""
    named: dict[str, list[str]] = {}
    for key in pictures:
        named.setdefault(str(PurePosixPath(key).with_suffix("")), []).append(key)
    left = []
    for table in tables:
        path = PurePosixPath(table.path.lower())
        keys = named.get(str(path.with_suffix("")), []) if path.suffix == ".txt" else []
        if keys and table.size_bytes <= MAX_TEXT and _of_microscope(table):
            for key in keys:
                pictures[key] = replace(pictures[key], beside=table.load)
        else:
            left.append(table)
    return left


def _of_microscope(file: SourceFile) -> bool:
    try:
        return is_microscope_text(file.load())
    except InputError:
        return False  # as a table it says why it cannot be read


def named(names: Sequence[str], most: int = 5) -> str:
    """Return the first names of a list, and how many more there are.

    >>> named(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def many(count: int, what: str) -> str:
    """Return a number of things.

    >>> many(1, "picture"), many(2, "picture")
    ('1 picture', '2 pictures')
    """
    return f"{count} {what}{'' if count == 1 else 's'}"


def _safe(path: str) -> str:
    """Return a relative path safe to show: plain characters, forward slashes."""
    plain = printable(path[-4 * MAX_PATH :].replace("\\", "/"))
    text = "/".join(part.strip() for part in plain.split("/"))
    return text if len(text) <= MAX_PATH else "…" + text[-MAX_PATH + 1 :]


def _reader(path: Path) -> Callable[[], bytes]:
    return lambda: load_bytes(path, DEFAULT_LIMITS)
