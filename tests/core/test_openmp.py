"""How OpenMP's threads wait is set before torch is loaded, whichever package comes first."""

import os
import subprocess
import sys

import pytest

from core.openmp import BRIEF, SPINS, beside_others, wait_less
from tests.conftest import ROOT

SETTINGS = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def spins(imports: str, **settings: str) -> set[str]:
    """Return what the OpenMP libraries of a fresh process say of themselves as they are loaded."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    done = subprocess.run(
        [sys.executable, "-c", f"import {imports}, torch"],
        cwd=ROOT, env=kept | settings | {"OMP_DISPLAY_ENV": "verbose"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = [line.split("'")[1] for line in done.stderr.splitlines() if SETTINGS[0] in line]
    if not said:
        pytest.skip("torch brings another OpenMP library than GNU's here")
    return set(said)


@pytest.mark.parametrize("first", ["core", "bayesnet.learn", "dashboard.app"])
def test_threads_wait_less_whatever_is_imported_first(first):
    assert spins(first) == {SPINS}
    assert spins("torch") != {SPINS}  # else there is nothing to set


def test_what_somebody_has_set_stays():
    assert spins("core", GOMP_SPINCOUNT="77") == {"77"}
    given = {"OMP_WAIT_POLICY": "active"}
    wait_less(given)
    assert given == {"OMP_WAIT_POLICY": "active"}


def test_what_runs_in_the_background_hardly_waits_unless_somebody_has_set_it():
    assert beside_others({"A": "b"}) == {"A": "b", "GOMP_SPINCOUNT": BRIEF}
    assert beside_others({"GOMP_SPINCOUNT": SPINS}) == {"GOMP_SPINCOUNT": BRIEF}
    for made in ({"GOMP_SPINCOUNT": "77"}, {"OMP_WAIT_POLICY": "active"}):
        assert beside_others(made) == made
