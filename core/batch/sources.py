"""The files of a batch: files, folders, zips, uploads; each read only when its turn comes.

Nothing is unpacked to the disk and no name in a zip becomes a path. A zip that is a bomb is refused
from its table of contents; an entry that lies about its size is read no further than the limit.
Whatever cannot be read becomes a row with its reason, so a source is made for it too.
"""

import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from core.display_name import printable
from core.errors import InputError
from core.image_format import SUFFIXES
from core.image_limits import DEFAULT_LIMITS, ImageLimits, load_bytes

MAX_FILES = 1000  # of a batch
MAX_ZIP_BYTES = 4 * 2**30  # unpacked, all entries together
MAX_RATIO = 200  # unpacked to packed, of one entry; micrographs reach 10
RATIO_FREE_BYTES = 2**20  # entries smaller than this may pack as well as they like
MAX_NAME = 120
_ENCRYPTED = 1
_SYSTEM = ("__MACOSX", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a batch.

    Attributes:
        name: safe to show, with the folders inside its zip; never opened as a path.
        load: reads its bytes; raises InputError with the reason where that cannot be done.
    """

    name: str
    load: Callable[[], bytes] = field(repr=False, compare=False)


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
    found: list[Source] = []
    for name, stream in uploads:
        if name.lower().endswith(".zip"):
            found += from_zip(stream, name, limits)
        else:
            found.append(Source(_shown(name), partial(_read_stream, stream, limits)))
        _check_count(len(found))
    return found


def from_zip(
    source: Path | IO[bytes], name: str, limits: ImageLimits = DEFAULT_LIMITS
) -> list[Source]:
    """Return the files in a zip; one source, for the zip itself, where it cannot be used."""
    shown = _shown(name)
    try:
        archive = zipfile.ZipFile(source)
        entries = [entry for entry in archive.infolist() if not _of_the_system(entry)]
        _check_zip(entries)
    except InputError as error:
        return [Source(shown, partial(_refuse, str(error)))]
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        reason = f"not a zip that can be read ({printable(str(error))[:100]}); pack it anew"
        return [Source(shown, partial(_refuse, reason))]
    if not entries:
        return [Source(shown, partial(_refuse, "the zip is empty"))]
    return [
        Source(_shown(f"{shown}: {entry.filename}"), partial(_read_entry, archive, entry, limits))
        for entry in entries
    ]


def _file(path: Path, name: str, limits: ImageLimits) -> Source:
    return Source(_shown(name), partial(load_bytes, path, limits))


def _check_count(count: int) -> None:
    if count > MAX_FILES:
        raise InputError(f"there are more than {MAX_FILES} files; send them in several batches")


def _check_zip(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_FILES:
        raise InputError(f"it holds {len(entries)} files; at most {MAX_FILES} are read: split it")
    total = sum(entry.file_size for entry in entries)
    if total > MAX_ZIP_BYTES:
        raise InputError(
            f"it unpacks to {total / 2**30:.1f} GiB; at most {MAX_ZIP_BYTES / 2**30:.0f} GiB are "
            "read: split it"
        )


def _of_the_system(entry: zipfile.ZipInfo) -> bool:
    """Tell folders, and what operating systems put into zips."""
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    return entry.is_dir() or any(part in _SYSTEM or part.startswith("._") for part in parts)


def _shown(name: str) -> str:
    text = printable(name.replace("\\", "/")).strip() or "file"
    return text if len(text) <= MAX_NAME else "…" + text[-MAX_NAME + 1 :]


def _refuse(reason: str) -> bytes:
    raise InputError(reason)


def _read_stream(stream: IO[bytes], limits: ImageLimits) -> bytes:
    stream.seek(0)
    return load_bytes(stream.read(limits.max_bytes + 1), limits)


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: ImageLimits) -> bytes:
    """Read an entry, no further than the limit, whatever its header says."""
    if entry.flag_bits & _ENCRYPTED:
        raise InputError("it has a password; pack it without")
    if entry.file_size > MAX_RATIO * max(entry.compress_size, 1) + RATIO_FREE_BYTES:
        raise InputError(
            f"it unpacks to {entry.file_size / 2**20:.0f} MiB, more than {MAX_RATIO} times what it "
            "takes in the zip: no micrograph does"
        )
    try:
        with archive.open(entry) as stream:
            data = stream.read(limits.max_bytes + 1)
    except (
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,  # of which NotImplementedError is one: another compression
        ValueError,
    ) as error:
        raise InputError(f"it cannot be unpacked ({printable(str(error))[:100]})") from error
    return load_bytes(data, limits)
