"""How the C library keeps freed memory: little of it, so that a server's memory stays flat."""

import ctypes
import time
from collections.abc import Callable

ARENAS = 2
TRIM_EVERY_S = 5.0
_M_ARENA_MAX = -8  # mallopt(3)


def few_arenas(count: int = ARENAS) -> bool:
    """Let all threads share a few of glibc's arenas; call it before many threads have worked.

    By default up to eight arenas a core hold what their threads have freed, and every page is run
    in a thread of its own: a server's memory then grows with the number of threads that have ever
    worked at once.

    Args:
        count: how many.

    Returns:
        Whether the C library took the setting: False where it is another.
    """
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_ARENA_MAX, count))


class Trim:
    """Gives the memory that is free in glibc's arenas back to the system, now and then.

    Between small things that live on, an arena keeps what large calculations have freed.

    Args:
        every_s: at most so often.
    """

    def __init__(self, every_s: float = TRIM_EVERY_S) -> None:
        self.every_s, self._last = every_s, -every_s
        self._trim: Callable[[int], int] | None
        try:
            self._trim = ctypes.CDLL("libc.so.6").malloc_trim
        except (OSError, AttributeError):
            self._trim = None

    def __call__(self) -> bool:
        """Return whether it was done: not so soon after the last time, nor without glibc."""
        now = time.monotonic()
        if self._trim is None or now - self._last < self.every_s:
            return False
        self._last = now
        self._trim(0)
        return True
