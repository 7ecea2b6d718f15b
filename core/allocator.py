"""How the C library keeps freed memory: in few arenas, so that a server's memory stays flat."""

import ctypes

ARENAS = 2
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
