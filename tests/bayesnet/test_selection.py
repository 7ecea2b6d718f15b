"""Claims about folds: settings stay whole, labels are spread, few labels are no crash."""

from types import SimpleNamespace

import numpy as np
import pytest

from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.levels import build_levels
from bayesnet.query import most_probable
from bayesnet.regimes import estimate, ridge
from bayesnet.selection import make_folds
from core.errors import InputError
from tests.bayesnet.simulator import simulate

SMALL = NetworkConfig(regimes=(1,), factors=(2,))


def labelled(table, rows):
    frame = table.specimens.copy()
    missing = np.setdiff1d(np.arange(len(frame)), rows)
    frame.iloc[missing, 3:] = np.nan
    return SimpleNamespace(**{**vars(table), "specimens": frame})


def test_replicates_are_left_out_together():
    levels = build_levels(simulate(specimens=40, replicates=4))
    folds, notes = make_folds(levels, 5, 0)
    assert notes == ()
    assert (folds.reshape(10, 4) == folds[::4, None]).all(), folds
    assert np.bincount(folds).tolist() == [8] * 5


def test_few_settings_are_dealt_singly_with_a_note():
    levels = build_levels(simulate(specimens=24, replicates=8))
    folds, notes = make_folds(levels, 5, 0)
    assert set(np.bincount(folds)) == {4, 5}
    assert "3 process settings" in notes[0]


def test_labels_are_spread_over_the_folds():
    table = simulate(specimens=25)
    for seed in range(20):
        rows = np.random.default_rng(seed).permutation(25)[:5]
        folds, _ = make_folds(build_levels(labelled(table, rows)), 5, seed)
        assert sorted(folds[rows]) == [0, 1, 2, 3, 4]


def test_labels_that_would_fall_into_one_fold_are_no_crash():
    """The fold of old: with these five labels, one fold left none to train on."""
    table = simulate(specimens=25)
    rows = np.flatnonzero(np.random.default_rng(SMALL.seed).permutation(25) % SMALL.folds == 0)
    network = fit_network(labelled(table, rows), SMALL)
    entry = network.calibration["properties"]["uts_mpa"]
    assert entry["specimens"] == 5 and np.isfinite(entry["rms_given_latents"])
    answer = most_probable(network, {"uts_mpa": 420.0})
    assert answer.process["mg_wt"].low is None, "five left-out specimens give no interval"


@pytest.mark.parametrize(("count", "mean"), [(0, 0.0), (2, 0.75)])
def test_fewer_than_three_labels_are_predicted_by_their_mean(count, mean):
    rng = np.random.default_rng(0)
    process, latents = rng.normal(size=(10, 2)), rng.normal(size=(10, 4))
    properties = np.full((10, 1), np.nan)
    properties[:count, 0] = [0.5, 1.0][:count]
    found = estimate(process, latents, properties, np.ones(10), 2)
    np.testing.assert_allclose(found.weights, [[mean, 0, 0, 0, 0]])
    assert 0.5 < found.outcome_cov[0, 0] <= 1.0, found.outcome_cov


def test_regression_on_nothing_is_refused():
    with pytest.raises(InputError, match="0 specimens of total weight 0"):
        ridge(np.zeros((0, 3)), np.zeros(0), np.zeros(0), np.zeros(3))
