"""How OpenMP's threads wait for each other: briefly, so that several processes share the cores."""

import os
from collections.abc import MutableMapping

SPINS = "1000"  # what GNU OpenMP takes itself where one process has more threads than cores


def wait_briefly(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads that wait give up their core soon; call it before torch is loaded.

    By default they look again and again for a millisecond or more. That costs nothing where one
    process has the cores to itself, but where two compute at once, such as the dashboard and a
    training that it has started, the waiting threads of each hold the cores that the other's
    work needs, and both are many times slower (``python -m core.bench`` measures it).

    Settings that somebody has made (``GOMP_SPINCOUNT``, ``OMP_WAIT_POLICY``) stay. Processes that
    are started from this one inherit it. OpenMP libraries other than GNU's take no notice.

    Args:
        environment: the process's.

    Example:
        >>> given = {}
        >>> wait_briefly(given)
        >>> given
        {'GOMP_SPINCOUNT': '1000'}
    """
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", SPINS)
