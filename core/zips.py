"""Zips from strangers: listed and read without unpacking anything to the disk.

No name in a zip becomes a path. A bomb is refused from the table of contents, which is itself read
no further than is allowed; an entry that lies about its size is read no further than the limit.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, cast

from core.display_name import printable
from core.errors import InputError
from core.image_limits import DEFAULT_LIMITS, ImageLimits, load_bytes

MAX_ENTRIES = 20_000
MAX_UNPACKED_BYTES = 8 * 2**30  # all entries together
MAX_RATIO = 200  # unpacked to packed, of one entry and of the zip; micrographs reach 10
RATIO_FREE_BYTES = 2**20  # entries smaller than this may pack as well as they like
MAX_CONTENTS_BYTES = 8 * 2**20  # of the table of contents
MAX_NAME = 300
_ENCRYPTED = 1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SYSTEM = ("__MACOSX", "Thumbs.db", "desktop.ini")
_BLOCK = 2**20
# What zipfile and zlib raise on damaged files.
_ERRORS = (
    OSError,
    ValueError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
)


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A file in a zip.

    Attributes:
        name: with its folders, safe to show; never opened as a path.
        size_bytes: unpacked, as the table of contents says.
        problem: why it is not read, "" where it is.
        load: reads its bytes; raises InputError with the reason where that cannot be done.
    """

    name: str
    size_bytes: int
    problem: str
    load: Callable[[], bytes] = field(repr=False, compare=False)


def read_entries(source: Path | IO[bytes], limits: ImageLimits = DEFAULT_LIMITS) -> list[ZipEntry]:
    """List the files in a zip, without folders and what operating systems add.

    Args:
        source: the zip; a stream stays open as long as its entries are used.
        limits: the largest entry that is read.

    Raises:
        InputError: it is no zip, or holds too many files or too much.
    """
    bounded = _Bounded(source)
    try:
        archive = zipfile.ZipFile(cast(IO[bytes], bounded))
    except InputError:
        raise
    except _ERRORS as error:
        reason = printable(str(error))[:100] or type(error).__name__
        raise InputError(f"not a zip that can be read ({reason}); pack it anew") from error
    found = archive.infolist()
    if len(found) > MAX_ENTRIES:
        raise InputError(f"it holds {len(found)} files; at most {MAX_ENTRIES} are read: split it")
    entries = [entry for entry in found if not _left_out(entry.filename)]
    total = sum(entry.file_size for entry in entries)
    if total > MAX_UNPACKED_BYTES:
        raise InputError(
            f"it unpacks to {total / 2**30:.1f} GiB; at most {MAX_UNPACKED_BYTES / 2**30:.0f} GiB "
            "are read: split it"
        )
    largest = max((entry.file_size for entry in entries), default=0)
    if total - largest > MAX_RATIO * bounded.size + RATIO_FREE_BYTES:
        raise InputError(
            f"it unpacks to {total / 2**20:.0f} MiB, more than {MAX_RATIO} times its own size: no "
            "micrographs do; pack it anew"
        )
    return [
        ZipEntry(
            _safe(entry.filename),
            entry.file_size,
            _problem(entry),
            partial(_load, archive, entry, limits),
        )
        for entry in entries
    ]


class _Bounded:
    """A file that gives no more than a table of contents may hold at once.

    zipfile reads the table of contents in one piece, as long as the zip says it is, and makes an
    object of half a kilobyte of each of its entries.
    """

    def __init__(self, source: Path | IO[bytes]) -> None:
        self._own = isinstance(source, Path)
        if isinstance(source, Path) and not source.is_file():
            raise InputError("there is no such file")
        self._stream = open(source, "rb") if isinstance(source, Path) else source  # noqa: SIM115
        self.size = self._stream.seek(0, io.SEEK_END)

    def __del__(self) -> None:
        if self._own and hasattr(self, "_stream"):
            self._stream.close()

    def read(self, count: int = -1) -> bytes:
        most = MAX_CONTENTS_BYTES + 1
        data = self._stream.read(most if count < 0 else min(count, most))
        if len(data) == most:
            raise InputError(
                f"its table of contents has more than {MAX_CONTENTS_BYTES // 2**20} MiB: split it"
            )
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True


def _left_out(name: str) -> bool:
    """Tell folders, and what operating systems put into zips."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return name.endswith(("/", "\\")) or any(p in _SYSTEM or p.startswith("._") for p in parts)


def _safe(name: str) -> str:
    """Return a name safe to show: plain characters, forward slashes."""
    plain = printable(name[-4 * MAX_NAME :].replace("\\", "/"))
    text = "/".join(part.strip() for part in plain.split("/")) or "file"
    return text if len(text) <= MAX_NAME else "…" + text[-MAX_NAME + 1 :]


def _problem(entry: zipfile.ZipInfo) -> str:
    """Return why an entry is not read, "" for an honest one."""
    raw = entry.filename.replace("\\", "/")
    path = PurePosixPath(raw)
    if path.is_absolute() or PureWindowsPath(raw).drive or ".." in path.parts:
        return "its name leads out of the zip; pack it anew"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "it is a link; pack the file itself"
    if entry.flag_bits & _ENCRYPTED:
        return "it has a password; pack it without"
    if entry.compress_type not in _METHODS:
        return "it is packed by another method than Deflate; pack it anew"
    if entry.file_size > MAX_RATIO * max(entry.compress_size, 1) + RATIO_FREE_BYTES:
        return (
            f"it unpacks to {entry.file_size / 2**20:.0f} MiB, more than {MAX_RATIO} times what it "
            "takes in the zip: no micrograph does; leave it out"
        )
    return ""


def _load(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: ImageLimits) -> bytes:
    """Read an entry, no further than the limit, whatever its header says."""
    if problem := _problem(entry):
        raise InputError(problem)
    try:
        with archive.open(entry) as stream:
            data = b"".join(_blocks(stream, limits.max_bytes + 1))
    except _ERRORS as error:
        reason = printable(str(error))[:100] or type(error).__name__
        raise InputError(f"it cannot be unpacked ({reason}); pack it anew") from error
    if len(data) < min(entry.file_size, limits.max_bytes):
        raise InputError(
            f"it cannot be unpacked ({len(data)} of {entry.file_size} bytes are there); pack it "
            "anew"
        )
    return load_bytes(data, limits)


def _blocks(stream: IO[bytes], most: int) -> Iterator[bytes]:
    """Yield at most so many bytes, whatever the header said."""
    left = most
    while left > 0 and (block := stream.read(min(left, _BLOCK))):
        left -= len(block)
        yield block
