"""Locks between processes. The system frees them when their holder ends, however it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import ConfigError
from core.files import storing

RUN_LOCK = "run.lock"
_POLL_S = 0.02


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock, waiting for it: for a moment's change of states.

    Raises:
        StorageError: the lock's file cannot be made.
    """
    handle = _open(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def tried(path: Path, patience_s: float = 0.0) -> Iterator[int | None]:
    """Hold a lock where it is free; yield its file handle, None where another holds it.

    A process started with the handle (``pass_fds``) holds the lock too, until it ends.

    Args:
        path: of the lock's file.
        patience_s: how long to try; `is_held` holds it for a moment.

    Raises:
        StorageError: the lock's file cannot be made.
    """
    handle, end = _open(path), time.monotonic() + patience_s
    try:
        while not _locked(handle):
            if time.monotonic() >= end:
                yield None
                return
            time.sleep(_POLL_S)
        yield handle
    finally:
        os.close(handle)


def is_held(path: Path) -> bool:
    """Tell whether a process holds a lock; nothing is written, so a read-only folder will do."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # never locked
        return False
    try:
        return not _locked(handle)
    finally:
        os.close(handle)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a run's folder for this process alone, for as long as the context lasts.

    Raises:
        ConfigError: another process holds it; the message says which.
        StorageError: the folder cannot be written.
    """
    with tried(folder / RUN_LOCK) as handle:
        if handle is None:
            holder = ""
            with suppress(OSError):
                holder = (folder / RUN_LOCK).read_text(encoding="ascii", errors="replace")
            raise ConfigError(
                f"{folder} is in use by {holder[:40] or 'another process'}: wait until it ends or "
                "stop it, or give another folder"
            )
        with suppress(OSError):  # only for the other's message
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()}".encode(), 0)
        yield


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
