"""Claims about where support ends: as much of the scatter inside, however many are asked for."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.query import judge
from bayesnet.reachable import KEPT, SURFACE_SD, candidates, design_range, radius
from tests.bayesnet.simulator import RANGES, column, simulate


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_support_holds_the_same_share_of_castings_however_many_targets(count):
    share = chi2.cdf(radius(SURFACE_SD, count) ** 2, count)
    assert share >= chi2.cdf(SURFACE_SD**2, 2) - 1e-12
    assert radius(SURFACE_SD, 2) == radius(SURFACE_SD, 1) == SURFACE_SD


@pytest.fixture(scope="module")
def foundry():
    """A network of the toy foundry with eight properties of 3 % scatter, and the castings' own."""
    rng = np.random.default_rng(3)
    table = simulate(specimens=80, dimensions=8, patches=6, dead=0)
    frame = table.specimens.copy()
    unit = (frame[list(RANGES)] - frame[list(RANGES)].mean()) / frame[list(RANGES)].std()
    more = {}
    for i, slopes in enumerate(rng.normal(size=(6, 3))):
        truth = 100 * np.exp(0.1 * unit.to_numpy() @ slopes)
        frame[f"p{i}"] = truth * (1 + 0.03 * rng.normal(size=len(frame)))
        more[f"p{i}"] = column(f"p{i}", "1", f"property {i}", "property")
    table.specimens, table.columns = frame, (*table.columns, *more.values())
    config = NetworkConfig(regimes=(1,), factors=(2,), structures=("full",))
    return fit_network(table, config), frame[["uts_mpa", "ys_mpa", *more]].to_dict("records")


def test_castings_are_feasible_by_all_their_own_properties(foundry):
    """Eight properties of one casting, each with its scatter, are not held for out of reach."""
    network, own = foundry
    verdicts = [judge(network, row).verdict for row in own]
    assert verdicts.count("infeasible") <= 0.1 * len(own), verdicts


def test_candidates_are_kept_apart_by_properties_and_limits(foundry):
    """What was worked out before is what would be worked out now; the number kept is bounded."""
    network, _ = foundry
    low, high = design_range(network)
    asked = [np.array(c) for c in ([0], [1], [0, 1], [1, 0])]
    boxes = [(low + share * (high - low), high) for share in (0.0, 0.2, 0.4, 0.6, 0.8)]
    for columns in asked:
        for box in boxes:
            first, again = (candidates(network, columns, *box) for _ in range(2))
            assert again is first
            fresh = candidates(replace(network), columns, *box)
            np.testing.assert_array_equal(first.values, fresh.values)
            np.testing.assert_array_equal(first.tolerances, fresh.tolerances)
            assert len(network.reachable) <= KEPT
