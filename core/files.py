"""Atomic writes and bounded reads: a file is either whole or not there."""

import errno
import hashlib
import json
import math
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.errors import CheckpointError, StorageError

MAX_JSON_BYTES = 64 * 2**20
MAX_JSON_VALUES = 4_000_000  # each is an object of 24 to 72 bytes in memory
MAX_INTEGER_DIGITS = 20
TEMPORARY = ".tmp"  # ends the hidden names of what is being written
NEXT = ".next"  # ends the name of a part that is about to take its place (`write_together`)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)


@contextmanager
def storing(what: str | Path) -> Iterator[None]:
    """Tell, where the system refuses to write, what cannot be written, why, and what to do.

    Raises:
        StorageError: in place of any OSError inside.
    """
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno in _FULL:
            why += "; free some space, then do it again"
        elif error.errno in _REFUSED:
            why += "; make it writable for the user of this program, or set another workspace"
        raise StorageError(f"{what} cannot be written: {why}") from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that a reader sees the old file or the new one, never a part.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and the file is
    renamed over the target.

    Raises:
        StorageError: the disk is full, read-only, or refuses; the old file is as it was.
    """
    path = Path(path)
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=TEMPORARY
        )
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on the disk, so that a rename outlives a loss of power."""
    with suppress(OSError):  # not every file system can, and the files themselves are there
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically (see `write_bytes`)."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, content: Any, compact: bool = False) -> None:
    """Write strict JSON atomically (see `json_bytes` and `write_bytes`)."""
    write_bytes(path, json_bytes(content, compact))


def json_bytes(content: Any, compact: bool = False) -> bytes:
    """Return strict JSON (no NaN or infinity), ending in a newline, as UTF-8.

    Indented, or ``compact``: half as long where it is mostly numbers, and nobody reads it.
    """
    style: dict[str, Any] = {"separators": (",", ":")} if compact else {"indent": 2}
    return (json.dumps(content, allow_nan=False, **style) + "\n").encode("utf-8")


def write_together(
    folder: Path, parts: Mapping[str, bytes], last: str, content: Any, compact: bool = False
) -> None:
    """Replace files that belong together: a crash leaves all the old ones, or all the new ones.

    The parts are written beside the old ones, then ``last``, then the parts take their places. From
    the moment that ``last`` is there the new ones count, and `settled` finds them.

    Args:
        folder: of them all.
        parts: name -> bytes.
        last: name of a JSON file; ``content`` must hold the SHA-256 of each part.
        compact: how it is written (`json_bytes`).

    Raises:
        StorageError: the disk is full, read-only, or refuses; the old ones count.
    """
    finish_together(folder, tuple(parts), last)  # what a crash has left of the time before
    try:
        for name, data in parts.items():
            write_bytes(folder / f"{name}{NEXT}", data)
        write_json(folder / last, content, compact)
    except StorageError:
        for name in parts:
            with suppress(OSError):
                (folder / f"{name}{NEXT}").unlink(missing_ok=True)
        raise
    finish_together(folder, tuple(parts), last)


def finish_together(folder: Path, parts: tuple[str, ...], last: str) -> None:
    """Bring parts that count to their places, and take away those that never came to count."""
    pending = [path for name in parts if (path := folder / f"{name}{NEXT}").is_file()]
    if not pending:
        return
    told = (folder / last).read_text(encoding="utf-8") if (folder / last).is_file() else ""
    for path in pending:
        with storing(path):
            if sha256_file(path) in told:
                os.replace(path, path.with_name(path.name.removesuffix(NEXT)))
            else:
                path.unlink()


def settled(path: Path, sha256: object) -> Path:
    """Return the file that counts as ``path``: one of this hash that waits beside it, or itself."""
    waiting = path.with_name(path.name + NEXT)
    try:
        return waiting if sha256_file(waiting) == sha256 else path
    except OSError:  # none waits, as nearly always
        return path


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Read a file of bounded size; a pipe or device, which may have no end, is none.

    Raises:
        CheckpointError: it is missing, no file, or larger than ``max_bytes``.
    """
    path = Path(path)
    try:
        with open(path, "rb", opener=_open_at_once) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError(f"cannot read {path}: it is not a file")
            if status.st_size > max_bytes:
                raise CheckpointError(
                    f"{path.name} has {status.st_size} bytes; at most {max_bytes} are read"
                )
            return stream.read(status.st_size)  # what is asked for is allocated at once
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(f"cannot read {path}: {reason}") from error


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for whoever writes to a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_json(path: Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """Read a strict JSON file of bounded size: no NaN, no infinity, no numbers out of range.

    Raises:
        CheckpointError: the file is missing, larger than ``max_bytes``, holds too many values or
            is not JSON.
    """
    path = Path(path)
    data = read_bytes(path, max_bytes)
    values = sum(data.count(sign) for sign in (b",", b"[", b"{"))
    if values > MAX_JSON_VALUES:
        raise CheckpointError(
            f"{path.name} holds {values} values; at most {MAX_JSON_VALUES} are read"
        )
    try:
        return parse_json(data.decode("utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path} is not valid JSON: {error}") from error


def parse_json(text: str) -> Any:
    """Parse strict JSON: no NaN, no infinity, no half characters, not nested too deeply.

    Raises:
        ValueError: it is not that.
    """
    try:
        content = json.loads(text, parse_constant=_finite, parse_float=_finite, parse_int=_whole)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if "\\ud" in text or "\\uD" in text:  # half a character cannot be shown or written again
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    return content


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it holds {text[:40]}, which is not a finite number")
    return value


def _whole(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise ValueError(f"it holds a whole number of {len(text)} digits")
    return int(text)


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
