"""The files of a batch: files, folders, zips, uploads; each read only when its turn comes.

Nothing is unpacked to the disk and no name in a zip becomes a path (`core.zips`). Whatever cannot
be read becomes a row with its reason, so a source is made for it too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from posixpath import splitext
from typing import IO

from core.display_name import printable
from core.errors import InputError
from core.image_format import SUFFIXES
from core.image_limits import DEFAULT_LIMITS, ImageLimits, load_bytes
from core.zips import read_entries

MAX_FILES = 1000  # of a batch
MAX_NAME = 120
TEXT = ".txt"


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a batch.

    Attributes:
        name: safe to show, with the folders inside its zip; never opened as a path.
        load: reads its bytes; raises InputError with the reason where that cannot be done.
        beside: reads the text file of its name beside it, None where there is none.
    """

    name: str
    load: Callable[[], bytes] = field(repr=False, compare=False)
    beside: Callable[[], bytes] | None = field(default=None, repr=False, compare=False)


def from_paths(paths: Iterable[Path], limits: ImageLimits = DEFAULT_LIMITS) -> list[Source]:
    """Return the files of paths: files as they are, zips and folders by what is in them.

    Args:
        paths: files, zips, or folders (their pictures, sorted, without links).
        limits: the largest file read.

    Raises:
        InputError: there are too many files.
    """
    found: list[Source] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
            files = [p for p in inside if p.is_file() and not p.is_symlink()]
            found += [_file(p, p.relative_to(path).as_posix(), limits) for p in files]
        elif path.suffix.lower() == ".zip" and path.is_file():
            found += from_zip(path, path.name, limits)
        else:
            found.append(_file(path, path.name, limits))
        _check_count(len(found))
    return found


def from_uploads(
    uploads: Iterable[tuple[str, IO[bytes]]], limits: ImageLimits = DEFAULT_LIMITS
) -> list[Source]:
    """Return the files of uploads, zips by what is in them.

    Args:
        uploads: (name, stream) pairs; the streams stay open as long as the sources are used.
        limits: the largest file read.

    Raises:
        InputError: there are too many files.
    """
    given = list(uploads)
    pictures = {_stem(name) for name, _ in given if not name.lower().endswith(TEXT)}
    texts = {_stem(name): stream for name, stream in given if name.lower().endswith(TEXT)}
    found: list[Source] = []
    for name, stream in given:
        if name.lower().endswith(".zip"):
            found += from_zip(stream, name, limits)
        elif not (name.lower().endswith(TEXT) and _stem(name) in pictures):
            text = texts.get(_stem(name))
            beside = None if text is None else partial(_read_stream, text, limits)
            found.append(Source(_shown(name), partial(_read_stream, stream, limits), beside))
        _check_count(len(found))
    return found


def from_zip(
    source: Path | IO[bytes], name: str, limits: ImageLimits = DEFAULT_LIMITS
) -> list[Source]:
    """Return the files in a zip; one source, for the zip itself, where it cannot be used."""
    shown = _shown(name)
    try:
        entries = read_entries(source, limits)
    except InputError as error:
        return [Source(shown, partial(_refuse, str(error)))]
    if not entries:
        return [Source(shown, partial(_refuse, "the zip is empty"))]
    if len(entries) > MAX_FILES:
        reason = f"it holds {len(entries)} files; at most {MAX_FILES} are read in a batch: split it"
        return [Source(shown, partial(_refuse, reason))]
    texts = {_stem(e.name): e.load for e in entries if e.name.lower().endswith(TEXT)}
    pictures = {_stem(e.name) for e in entries if not e.name.lower().endswith(TEXT)}
    return [
        Source(_shown(f"{shown}: {entry.name}"), entry.load, texts.get(_stem(entry.name)))
        for entry in entries
        # A text beside a picture of its name goes with that; any other is a file with a reason.
        if not (entry.name.lower().endswith(TEXT) and _stem(entry.name) in pictures)
    ]


def _stem(name: str) -> str:
    """Return a name without its ending, as a text and its picture share it; any text is a name."""
    return splitext(name.lower())[0]


def _file(path: Path, name: str, limits: ImageLimits) -> Source:
    text = path.with_suffix(TEXT)
    there = path.suffix.lower() != TEXT and text.is_file() and not text.is_symlink()
    beside = partial(load_bytes, text, limits) if there else None
    return Source(_shown(name), partial(load_bytes, path, limits), beside)


def _check_count(count: int) -> None:
    if count > MAX_FILES:
        raise InputError(f"there are more than {MAX_FILES} files; send them in several batches")


def _shown(name: str) -> str:
    text = printable(name[-8 * MAX_NAME :].replace("\\", "/")).strip() or "file"
    return text if len(text) <= MAX_NAME else "…" + text[-MAX_NAME + 1 :]


def _refuse(reason: str) -> bytes:
    raise InputError(reason)


def _read_stream(stream: IO[bytes], limits: ImageLimits) -> bytes:
    stream.seek(0)
    return load_bytes(stream.read(limits.max_bytes + 1), limits)
