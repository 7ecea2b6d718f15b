"""Where a user's pictures and tables come from: a folder, a zip, or uploads.

Nothing is unpacked to the disk and no name becomes a path: a file is known by the name that it had
there, made safe to show, and read when it is asked for, never more of it than is allowed.
"""

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath

from core.display_name import printable
from core.errors import InputError
from core.image_format import SUFFIXES
from core.image_limits import DEFAULT_LIMITS, load_bytes

TABLES = (".csv", ".tsv", ".txt", ".xlsx")
MAX_FILES = 20_000
MAX_ZIP_BYTES = 8 * 2**30  # of a zip's pictures, unpacked
MAX_RATIO = 200  # unpacked to packed, of one entry; micrographs reach 10
MAX_PATH = 300


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A picture or table of the user.

    Attributes:
        path: its name, with the folders inside the folder or zip, safe to show, never opened.
        size_bytes: unpacked.
        load: reads its bytes.
    """

    path: str
    size_bytes: int
    load: Callable[[], bytes] = field(repr=False, compare=False)


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
        relative = path.relative_to(root).as_posix()
        found.append(SourceFile(_safe(relative), path.stat().st_size, _reader(path)))
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
        archive = zipfile.ZipFile(BytesIO(source) if isinstance(source, bytes) else source)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(f"{name} is not a zip that can be read ({error}); pack it anew") from error
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_FILES:
        raise InputError(f"{name} holds more than {MAX_FILES} files; split the data set")
    found = [SourceFile(*_checked(name, e), _zip_reader(archive, e)) for e in entries]
    total = sum(file.size_bytes for file in found)
    if total > MAX_ZIP_BYTES:
        raise InputError(
            f"{name} unpacks to {total / 2**30:.1f} GiB; at most {MAX_ZIP_BYTES / 2**30:.0f} are "
            "read: split it"
        )
    return _sorted(found, [])


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
    if others:
        notes.append(f"neither pictures nor tables: {many(len(others), 'file')}: {named(others)}")
    return Listing(tuple(pictures.values()), tuple(tables), tuple(notes))


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
    text = "/".join(part.strip() for part in printable(path.replace("\\", "/")).split("/"))
    return text if len(text) <= MAX_PATH else "…" + text[-MAX_PATH + 1 :]


def _reader(path: Path) -> Callable[[], bytes]:
    return lambda: load_bytes(path, DEFAULT_LIMITS)


def _checked(name: str, entry: zipfile.ZipInfo) -> tuple[str, int]:
    """Return an entry's safe name and its size; refuses what no honest zip holds."""
    raw = entry.filename.replace("\\", "/")
    shown = _safe(raw)
    path = PurePosixPath(raw)
    if path.is_absolute() or PureWindowsPath(raw).drive or ".." in path.parts:
        raise InputError(f"{name}: {shown[:120]!r} leads out of the zip; pack it anew")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise InputError(f"{name}: {shown[:120]!r} is a link; pack the file itself")
    if entry.flag_bits & 1:
        raise InputError(f"{name} has a password; pack it without")
    if entry.file_size > MAX_RATIO * max(entry.compress_size, 1) + 2**20:
        raise InputError(
            f"{name}: {shown[:120]!r} unpacks to {entry.file_size} bytes, more than {MAX_RATIO} "
            "times what it takes in the zip: no micrograph does; leave it out"
        )
    return shown, entry.file_size


def _zip_reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        most = DEFAULT_LIMITS.max_bytes
        try:
            with archive.open(entry) as stream:
                data = b"".join(_blocks(stream, most + 1))
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise InputError(f"it cannot be unpacked ({error}); pack it anew") from error
        if len(data) > most:
            raise InputError(f"it unpacks to more than {most / 2**20:.0f} MiB")
        return data

    return read


def _blocks(stream: object, most: int) -> Iterator[bytes]:
    """Yield at most so many bytes, whatever the header said."""
    left = most
    while left > 0 and (block := stream.read(min(left, 2**20))):  # type: ignore[attr-defined]
        left -= len(block)
        yield block
