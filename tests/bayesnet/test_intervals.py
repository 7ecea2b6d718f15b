"""Claims about intervals of settings: widening, its calibration, and enough draws behind them."""

import numpy as np
import pytest

from bayesnet.evidence import check_evidence
from bayesnet.intervals import Spread, spread
from bayesnet.posterior import MIN_EFFECTIVE, MOST_DRAWS, Posterior, process_posterior
from bayesnet.query import most_probable

TARGET = {"uts_mpa": 430.0, "ys_mpa": 270.0}


def test_widening_keeps_the_median_and_brings_a_setting_just_inside():
    found = Spread(np.array([0.0, -2.0]), np.array([1.0, -1.0]), np.array([3.0, 0.0]))
    low, high = found.widened(np.array([2.0, 1.0]))
    assert low.tolist() == [-1.0, -2.0] and high.tolist() == [5.0, 0.0]
    assert found.needed(np.array([4.0, -1.5])).tolist() == [1.5, 0.5]
    low, high = found.widened(found.needed(np.array([4.0, -3.0])))
    assert high[0] == 4.0 and low[1] == -3.0


def test_quantiles_are_weighted_over_all_regimes():
    settings = np.arange(200.0).reshape(2, 100, 1)
    log_weights = np.full((2, 100), -np.inf)
    log_weights[1] = np.log(0.01)  # the second regime alone, 100 to 199
    found = spread(
        Posterior(settings, log_weights, np.zeros(0), np.zeros(0, int), (), np.zeros(100, int))
    )
    assert (found.low[0], found.middle[0], found.high[0]) == pytest.approx((104, 149, 194), abs=1)


def test_effective_number_of_draws_is_that_of_kish():
    weights = np.array([[0.5, 0.25, 0.25]])
    found = Posterior(
        np.zeros((1, 3, 1)), np.log(weights), np.zeros(0), np.zeros(0, int), (), np.zeros(3)
    )
    assert found.effective == pytest.approx(1 / 0.375)


def test_more_is_drawn_until_enough_draws_count(network, monkeypatch):
    evidence = check_evidence(network, {"uts_mpa": 430.0}, None)
    found = process_posterior(network, evidence.targets, evidence, draws=16)
    assert 16 < found.log_weights.shape[1] <= MOST_DRAWS
    assert found.effective >= MIN_EFFECTIVE, found.effective
    narrow = check_evidence(network, TARGET, None)
    found = process_posterior(network, narrow.targets, narrow)
    monkeypatch.setattr("bayesnet.posterior.MOST_DRAWS", 1024)
    few = process_posterior(network, narrow.targets, narrow)
    assert few.log_weights.shape[1] == 1024 < found.log_weights.shape[1] <= MOST_DRAWS
    assert found.effective > 4 * few.effective, (found.effective, few.effective)
    fixed = check_evidence(network, TARGET, {"mg_wt": 0.04, "radius_mm": 20.0, "ce_pct": 4.1})
    found = process_posterior(network, fixed.targets, fixed, draws=16)
    assert found.log_weights.shape[1] == 16, "all draws are alike when every setting is fixed"


def test_factors_are_kept_with_the_network_and_used_in_designs_only(network):
    entries = network.calibration["process"]
    assert set(entries) == {"mg_wt", "radius_mm", "ce_pct"}
    for entry in entries.values():
        assert entry["specimens"] == 100 and 0.5 < entry["coverage_90_design"] <= 1
        assert 1 <= entry["widening_90"] < 3, entry
    evidence = check_evidence(network, TARGET, None)
    found = spread(process_posterior(network, evidence.targets, evidence, mode="posterior"))
    plain = most_probable(network, TARGET, mode="posterior").process
    for i, node in enumerate(network.process):
        low = np.clip(node.mean + node.scale * found.low[i], node.low, node.high)
        assert plain[node.column].low == pytest.approx(min(low, plain[node.column].value))


def test_specimens_left_out_lie_in_the_widened_intervals_of_the_network(network):
    """The factor is the split-conformal one: 90 % of the left-out specimens need no more."""
    for entry in network.calibration["process"].values():
        assert entry["coverage_90_widened"] >= max(0.9, entry["coverage_90_design"]), entry
