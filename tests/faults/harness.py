"""Real code in a child process, hurt at each of its steps on the disk, one step after the other.

The interpreter tells an audit hook of every file that is opened for writing, renamed, removed and
so on. In the child the hook counts those under a folder, and at the n-th kills the process
(SIGKILL), or answers as a full disk does. Nothing of the code under test is replaced.
"""

import errno
import os
import resource
import shutil
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from core.errors import MicroDesignError
from core.folders import leftovers

Fault = Literal["kill", "full", "cut", "short"]
MOST_STEPS = 400
SAID = 4000  # bytes of an error that the child hands over
NOBODY = 65534
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_MAKING = ("open", "os.mkdir")  # what a full disk refuses
_STEPS = (*_MAKING, "os.rename", "os.remove", "os.rmdir", "os.chmod", "shutil.rmtree")
_CALLS = ("ctypes.dlsym",)  # before two folders are exchanged


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a child ended.

    Attributes:
        killed: by a signal.
        error: what it said, "" where it was done.
        clear: whether the error is one that is meant for users.
    """

    killed: bool = False
    error: str = ""
    clear: bool = True


def in_child(action: Callable[[], object]) -> Outcome:
    """Run an action in a fork of this process, and wait for its end."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads: none is used
        child = os.fork()
    if child == 0:
        os.close(read)
        _run(action, write)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        said = stream.read().decode("utf-8", errors="replace")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Outcome(killed=code < 0, error=said, clear=code <= 1)


def _run(action: Callable[[], object], write: int) -> None:
    """Do the child's part; it never returns."""
    code = 2
    try:
        torch.set_num_threads(1)  # a fork has none of its parent's threads
        action()
        code = 0
    except MicroDesignError as error:
        os.write(write, str(error).encode()[:SAID])
        code = 1
    except BaseException:
        os.write(write, traceback.format_exc().encode()[-SAID:])
    finally:
        os._exit(code)


def hurt(action: Callable[[], object], root: Path, fault: Fault, number: int) -> Outcome:
    """Run an action in a child that meets a fault at a step on the disk.

    Args:
        action: what is done.
        root: steps under this folder count.
        fault: "kill" at the step, "full" from this step on (nothing new can be made), "cut": killed
            when a file reaches ``number`` bytes, "short": no file can become larger than that.
        number: of the step, from 0, or bytes.
    """

    def with_fault() -> None:
        if fault in ("cut", "short"):
            deaf = signal.SIG_IGN if fault == "short" else signal.SIG_DFL
            signal.signal(signal.SIGXFSZ, deaf)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (number, resource.RLIM_INFINITY))
        else:
            sys.addaudithook(_hook(str(root), fault, number))
        action()

    return in_child(with_fault)


def _hook(root: str, fault: Fault, number: int) -> Callable[[str, tuple], None]:
    seen = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal seen
        if not _counts(event, arguments, root):
            return
        seen += 1
        if seen <= number:
            return
        if fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif event in _MAKING:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return hook


def _counts(event: str, arguments: tuple, root: str) -> bool:
    if event in _CALLS:
        return arguments[1] == "renameat2"
    if event not in _STEPS or not isinstance(arguments[0], (str, bytes, os.PathLike)):
        return False
    if event == "open" and not int(arguments[2] or 0) & _WRITING:
        return False
    return os.fsdecode(arguments[0]).startswith(root)


def as_nobody(action: Callable[[], object]) -> Outcome:
    """Run an action in a child without root's rights, which no read-only folder would stop."""

    def without_rights() -> None:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        action()

    return in_child(without_rights)


def read_only(root: Path) -> None:
    """Take the right to write from a folder and all that is in it."""
    for folder, _, files in os.walk(root):
        os.chmod(folder, 0o555)
        for name in files:
            os.chmod(Path(folder) / name, 0o444)


def copied(start: Path, root: Path) -> None:
    """Bring a folder back to how it was."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(start, root)


def left(root: Path) -> list[str]:
    """Return the names of what is half-written."""
    return [str(path.relative_to(root)) for path in leftovers(root, 0.0)]
