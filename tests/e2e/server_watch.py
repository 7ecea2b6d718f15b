"""Watches a server from outside: does its health page answer, and how much memory does it take?"""

import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HEALTH_PATIENCE_S = 10.0


def resident_mb(pid: int) -> float:
    """Return the memory that a process holds, in MB (Linux).

    Raises:
        OSError: there is no such process.
    """
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError(f"process {pid} has no memory: it ended")


@dataclass
class Watch:
    """Asks for the health page and reads the memory, at even times, in a thread of its own.

    Attributes:
        address: of the server; pid: its process.
        every_s: between two looks.
        times_s, memory_mb: of each look, seconds from the start.
        answers_s: how long each health answer took; ``missed``: looks without an "ok".
    """

    address: str
    pid: int
    every_s: float = 1.0
    times_s: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    answers_s: list[float] = field(default_factory=list)
    missed: int = 0

    def __enter__(self) -> "Watch":
        self._ended = threading.Event()
        self._begun = time.monotonic()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(HEALTH_PATIENCE_S + 5)

    def _look_on(self) -> None:
        while not self._ended.wait(self.every_s):
            begun = time.monotonic()
            try:
                with urllib.request.urlopen(
                    f"{self.address}/_stcore/health", timeout=HEALTH_PATIENCE_S
                ) as answer:
                    healthy = answer.read() == b"ok"
                self.memory_mb.append(resident_mb(self.pid))
            except OSError:
                self.missed += 1
                continue
            self.missed += not healthy
            self.answers_s.append(time.monotonic() - begun)
            self.times_s.append(begun - self._begun)


def growth_pct(times_s: list[float], memory_mb: list[float], warm_up_s: float) -> float | None:
    """Return how much the memory grew after the warm-up, in per cent.

    The mean of the last quarter of what follows the warm-up, against the mean of its first quarter.

    Returns:
        None where fewer than eight looks follow the warm-up.

    >>> growth_pct([0, *range(10, 18)], [50, *[100] * 4, *[110] * 4], 10)
    10.0
    """
    after = np.array([m for t, m in zip(times_s, memory_mb, strict=True) if t >= warm_up_s])
    if len(after) < 8:
        return None
    quarter = len(after) // 4
    first, last = after[:quarter].mean(), after[-quarter:].mean()
    return round(float(100 * (last / first - 1)), 6)
