"""Folders that appear, change places and go as a whole, and what a crash may leave of that."""

import ctypes
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.files import TEMPORARY, storing, sync_folder

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)
LEFT_AFTER_S = 3600.0  # what is written for longer than this has lost its writer


@contextmanager
def new_folder(parent: Path) -> Iterator[Path]:
    """Yield an empty hidden folder in ``parent``; what is still there afterwards is removed.

    Raises:
        StorageError: it cannot be made, or something inside cannot be written.
    """
    with storing(parent):
        parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=parent, prefix=".new-", suffix=TEMPORARY))
        try:
            made.chmod(0o755)
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


def settle_folder(made: Path, target: Path) -> bool:
    """Give a complete folder its name; return False, and change nothing, where that is taken.

    Raises:
        StorageError: the system refuses for another reason.
    """
    with storing(target):
        if target.exists():
            return False
        try:
            made.rename(target)
        except OSError as error:  # another process was faster
            if error.errno in _TAKEN:
                return False
            raise
        sync_folder(target.parent)
    return True


def replace_folder(made: Path, target: Path) -> None:
    """Put a complete folder in another's place, at once where the system can exchange the two.

    Where it cannot, there is a moment in which the old one lies beside, as ``.NAME.old``;
    `recover_folder` brings it back after a crash in that moment.

    Raises:
        StorageError: the system refuses; the old folder is in its place.
    """
    with storing(target):
        recover_folder(target)
        if not target.exists():
            made.rename(target)
        elif not _exchanged(made, target):
            old = _aside(target)
            target.rename(old)
            try:
                made.rename(target)
            except OSError:
                old.rename(target)
                raise
            shutil.rmtree(old, ignore_errors=True)
        sync_folder(target.parent)


def recover_folder(target: Path) -> bool:
    """Bring a folder back that a crash has left beside its place; tell whether that was so."""
    old = _aside(target)
    if not old.is_dir():
        return False
    with storing(target):
        if target.exists():
            shutil.rmtree(old)
            return False
        old.rename(target)
    return True


def remove_folder(folder: Path) -> None:
    """Remove a folder: at once for others, then file by file.

    Raises:
        StorageError: the system refuses.
    """
    away = folder.with_name(f".deleted-{folder.name}{TEMPORARY}")
    with storing(folder):
        shutil.rmtree(away, ignore_errors=True)
        folder.rename(away)
        shutil.rmtree(away)


def leftovers(root: Path, older_than_s: float = LEFT_AFTER_S) -> list[Path]:
    """Return what killed writers have left under ``root``: hidden names that end in ``.tmp``.

    Args:
        root: a folder; one that is not there holds nothing.
        older_than_s: younger ones may still be written. A folder is as old as the newest thing in
            it: pictures of an import go into a folder inside the new one.
    """
    found = []
    for folder, names, files in os.walk(root):
        left = [n for n in (*names, *files) if n.startswith(".") and n.endswith(TEMPORARY)]
        names[:] = [n for n in names if n not in left]
        found += [path for n in left if _age_s(path := Path(folder) / n) >= older_than_s]
    return sorted(found)


def remove_leftovers(root: Path, older_than_s: float = LEFT_AFTER_S) -> int:
    """Remove what `leftovers` finds; return how many of them went, without those that stay."""
    count = 0
    for path in leftovers(root, older_than_s):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        count += not path.exists()
    return count


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _age_s(path: Path) -> float:
    """Return the seconds since a change of it or in it; never below 0, if the clock was put back.

    What cannot be looked at counts as just changed.
    """
    try:
        inner = path.rglob("*") if path.is_dir() else ()
        newest = max(one.lstat().st_mtime for one in (path, *inner))
        return max(time.time() - newest, 0.0)
    except OSError:
        return 0.0


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where system or file system cannot (Linux can)."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    return call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0
