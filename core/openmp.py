"""How OpenMP's threads wait for each other, so that several processes share the cores."""

import os
from collections.abc import Mapping, MutableMapping

SPINS = "30000"  # looks before a thread gives up its core: a tenth of GNU OpenMP's default
BRIEF = "1000"  # what it takes itself where one process has more threads than cores


def wait_less(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads that wait give up their core sooner; call it before torch is loaded.

    A thread that waits for another looks again and again, by default for a millisecond or more,
    then sleeps. Where one process has the cores to itself looking is the quickest. Where two
    compute at once, the waiting threads of each hold the cores that the other's work needs: with
    the default both are dozens of times slower (`core.bench_sharing` measures it).

    Settings that somebody has made (``GOMP_SPINCOUNT``, ``OMP_WAIT_POLICY``) stay. Processes that
    are started from this one inherit it. OpenMP libraries other than GNU's take no notice.

    Args:
        environment: the process's.

    Example:
        >>> given = {}
        >>> wait_less(given)
        >>> given
        {'GOMP_SPINCOUNT': '30000'}
    """
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", SPINS)


def beside_others(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process in the background, whose threads hardly look at all.

    Alone it is a third slower or so; beside a page that somebody waits for, both get their share.

    Args:
        environment: what it would have; settings that somebody has made stay.

    Example:
        >>> beside_others({"GOMP_SPINCOUNT": SPINS}), beside_others({"GOMP_SPINCOUNT": "5"})
        ({'GOMP_SPINCOUNT': '1000'}, {'GOMP_SPINCOUNT': '5'})
    """
    made = "OMP_WAIT_POLICY" in environment or environment.get("GOMP_SPINCOUNT", SPINS) != SPINS
    return dict(environment) if made else {**environment, "GOMP_SPINCOUNT": BRIEF}
