"""Processes told apart for good: a number is used again, a number with its start time is not."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_START_FIELD = 19  # of /proc/PID/stat after the name in brackets: starttime


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its number, and when it was started in a form that is only compared."""

    pid: int
    started: str


def identify(pid: int) -> Process | None:
    """Return a process that runs now, None where there is none (or only its remains)."""
    if pid <= 0:
        return None
    started = _linux(pid) if (_PROC / "self" / "stat").exists() else _ps(pid)
    return Process(pid, started) if started else None


def this_process() -> Process:
    """Return the process that asks."""
    found = identify(os.getpid())
    return found or Process(os.getpid(), "unknown")


def is_alive(process: Process | None) -> bool:
    """Tell whether this very process still runs."""
    return process is not None and identify(process.pid) == process


def _linux(pid: int) -> str:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else f"{boot} {fields[_START_FIELD]}"


def _ps(pid: int) -> str:
    """Ask ps, where there is no /proc (macOS)."""
    try:
        found = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        ).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return ""
    return "" if len(found) < 2 or found[0].startswith("Z") else " ".join(found[1:])
