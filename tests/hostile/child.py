"""The process that cases run in: ``python -m tests.hostile.child GROUP FOLDER [SKIP]``.

The system holds it to its limits: address space (RLIMIT_AS), processor time in all (RLIMIT_CPU)
and, case by case, by a timer of the processor time used (ITIMER_PROF). A line of JSON a case goes
to the standard output.
"""

import gc
import json
import os
import re
import resource
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from core.errors import MicroDesignError
from core.images import encode_png, read_image
from core.import_data.sheet import read_sheet
from tests.core.textures import texture
from tests.hostile.case import CPU_CAP_S, MEMORY_CAP_MIB, MESSAGE_CAP, Case
from tests.hostile.groups import GROUPS

_MIB = 2**20
GROUP_CPU_S = 120
_GOOD = encode_png(texture(40, 40, 2.0, 0))


class TooLong(BaseException):
    """The case has used up its processor time."""


def status(name: str) -> float:
    """Return an entry of ``/proc/self/status``, MiB; 0 where there is none (not Linux)."""
    path = Path("/proc/self/status")
    text = path.read_text(encoding="ascii", errors="replace") if path.exists() else ""
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) / 1024 if found else 0.0


def limit() -> None:
    """Hold the address space to what it is now and the cap, and the process to `GROUP_CPU_S`."""
    resource.setrlimit(resource.RLIMIT_CPU, (GROUP_CPU_S, GROUP_CPU_S))
    now = status("VmSize")
    if now:
        most = int((now + MEMORY_CAP_MIB) * _MIB)
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


@contextmanager
def limited_time() -> Iterator[None]:
    """Raise `TooLong` when the processor time of a case is used up."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, CPU_CAP_S, 1)  # again where it was swallowed
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def left(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the files under a folder with their sizes and times of change."""
    found = {}
    for path in folder.rglob("*"):
        about = path.lstat()
        folder_itself = stat.S_ISDIR(about.st_mode)  # changes when a file comes and goes
        found[str(path)] = (0, 0) if folder_itself else (about.st_size, about.st_mtime_ns)
    return found


def open_files() -> int:
    """Return how many files this process has open."""
    where = Path("/proc/self/fd")
    return len(os.listdir(where)) if where.exists() else 0


def error_problem(case: Case, error: MicroDesignError) -> str:
    """Return what is wrong with an error, "" for a clear one."""
    text, cause = str(error), error.__cause__ or error.__context__
    while cause is not None:
        if isinstance(cause, MemoryError):
            return f"it ran out of memory: {text[:200]}"
        cause = cause.__cause__ or cause.__context__
    if not case.says:
        return f"it was refused: {text[:300]}"
    if not isinstance(error, case.kind):
        return f"{type(error).__name__} instead of {case.kind.__name__}: {text[:200]}"
    if len(text) > MESSAGE_CAP or not text.isprintable():
        return f"the message has {len(text)} characters, or some cannot be printed: {text[:200]!r}"
    if not re.search(case.says, text):
        return f"the message does not say {case.says!r}: {text[:300]}"
    return ""


def verdict(case: Case, read: Callable[[], Any]) -> tuple[str, Any]:
    """Read a case's input; return what is wrong with what came of it, "" for nothing, and that."""
    try:
        with limited_time():
            result = read()
    except MicroDesignError as error:
        return error_problem(case, error), None
    except TooLong:
        return f"it took more than {CPU_CAP_S} s of processor time", None
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        notes = " ".join(getattr(error, "__notes__", []))[:400]
        said = f"{type(error).__name__}: {error!s:.200} ({where.filename}:{where.lineno}) {notes}"
        return said, None
    if case.says:
        return f"it was accepted: {result!r:.200}", None
    try:
        case.right(result)
    except AssertionError as error:
        return f"it was read wrongly: {error!s:.300}", None
    return "", result


def usable() -> bool:
    """Tell whether the readers still read what is good."""
    good = read_sheet(b"file;uts_mpa\na.png;430,5\n", "t.csv")
    return read_image(_GOOD).pixels.shape == (40, 40) and good.number("430,5") == 430.5


def run(case: Case, folder: Path) -> dict[str, Any]:
    """Run a case in a folder of its own; return its outcome."""
    folder.mkdir()
    try:
        given = case.make(folder)
    except Exception as error:
        return outcome(case, f"it could not be made: {type(error).__name__}: {error!s:.200}")
    files, handles, threads = left(folder.parent), open_files(), threading.active_count()
    Path("/proc/self/clear_refs").write_text("5") if status("VmRSS") else None
    rss, cpu = status("VmRSS"), time.process_time()
    problem, result = verdict(case, partial(case.read, given))
    cpu = time.process_time() - cpu
    peak = max(status("VmHWM") - rss, 0.0)
    examples = result if case.category.startswith("fuzz") and isinstance(result, int) else 1
    del result
    gc.collect()
    if not problem and cpu > CPU_CAP_S:
        problem = f"it took {cpu:.1f} s of processor time; the cap is {CPU_CAP_S}"
    now = left(folder.parent)
    if not problem and now != files:
        new = sorted(name for name in {*now, *files} if now.get(name) != files.get(name))
        problem = f"files came or changed: {[Path(name).name for name in new][:5]}"
    if not problem and open_files() > handles:
        problem = f"{open_files() - handles} files were left open"
    if not problem and threading.active_count() > threads:
        problem = "threads were left running"
    if not problem and not usable():
        problem = "the process is of no use afterwards"
    shutil.rmtree(folder)
    return outcome(case, problem, cpu, peak, examples)


def outcome(
    case: Case, problem: str, cpu: float = 0.0, peak: float = 0.0, examples: int = 0
) -> dict[str, Any]:
    """Return what came of a case, as JSON."""
    return {
        "id": case.id,
        "category": case.category,
        "problem": problem,
        "cpu_s": round(cpu, 4),
        "peak_mib": round(peak, 2),
        "examples": examples,
    }


def main(argv: list[str]) -> None:
    """Run the cases of a group, from the one numbered SKIP on."""
    group, folder, skip = argv[0], Path(argv[1]), int(argv[2]) if len(argv) > 2 else 0
    cases = GROUPS[group]()
    tempfile.tempdir = str(folder)
    os.chdir(folder)
    warnings.simplefilter("error")
    if not usable():
        raise SystemExit("the readers do not read what is good")
    gc.collect()
    gc.freeze()
    limit()
    for number, case in enumerate(cases[skip:], start=skip):
        print(json.dumps({"number": number, "id": case.id}), flush=True)
        print(json.dumps({"number": number, **run(case, folder / f"case{number}")}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
