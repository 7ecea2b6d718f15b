"""Claims about how verdicts and intervals are measured, on the toy foundry and a few castings."""

import json

import numpy as np
import pytest

from bayesnet.measure import posterior_intervals, setting_intervals, spread_targets, verdicts
from bayesnet.verify import fresh_castings, oracle, reachable_strengths, scatter_distances
from tests.bayesnet.simulator import RANGES, reachable, scatter_distance, strengths

NAMES = ("mg_wt", "radius_mm", "ce_pct")


@pytest.fixture
def one_process(monkeypatch):
    monkeypatch.setattr(oracle.os, "cpu_count", lambda: 1)


def by_property(mesh):
    return dict(zip(("uts_mpa", "ys_mpa"), mesh.T, strict=True))


def test_distance_is_counted_in_test_scatters():
    reach = {"uts_mpa": np.array([400.0, 100.0]), "ys_mpa": np.array([200.0, 50.0])}
    found = scatter_distances(np.array([[412.0, 200.0], [400.0, 216.0], [424.0, 212.0]]), reach)
    np.testing.assert_allclose(found, [1.0, 4.0, np.hypot(2, 3)])


def test_targets_fill_the_box_round_the_castings():
    found = spread_targets([{"uts_mpa": 100, "ys_mpa": 50}, {"uts_mpa": 200, "ys_mpa": 90}], 256)
    assert found.shape == (256, 2)
    np.testing.assert_allclose(found.min(axis=0), [85, 42.5])
    np.testing.assert_allclose(found.max(axis=0), [230, 103.5], rtol=0.01)


def test_verdicts_are_counted_by_what_the_targets_are(network):
    mesh, targets = reachable(20), spread_targets([{"uts_mpa": 200, "ys_mpa": 130}] * 2, 64)
    targets = targets * np.array([2.0, 2.0])
    figures = verdicts(network, targets, by_property(mesh))
    json.dumps(figures, allow_nan=False)
    truth = scatter_distance(targets, mesh)
    assert figures["feasible"]["n"] == (truth <= 2).sum()
    assert figures["infeasible"]["n"] == (truth > 4).sum()
    near, far = figures["infeasible_4_to_8_sd"]["n"], figures["infeasible_beyond_8_sd"]["n"]
    assert near + far == figures["infeasible"]["n"]
    assert figures["not_scored"] == 64 - figures["feasible"]["n"] - figures["infeasible"]["n"]
    shares = figures["infeasible"]["judged"]
    assert sum(shares.values()) == pytest.approx(1) and shares["infeasible"] > 0.8, shares


def test_settings_of_castings_are_looked_for_in_the_intervals(network):
    low, high = np.array([RANGES[n] for n in NAMES]).T
    process = low + (high - low) * np.random.default_rng(8).random((12, 3))
    settings = [dict(zip(NAMES, p, strict=True)) for p in process.tolist()]
    true = [{"uts_mpa": u, "ys_mpa": y} for u, y in strengths(*process.T).tolist()]
    figures = setting_intervals(network, settings, true)
    json.dumps(figures, allow_nan=False)
    assert figures["castings"] == 12
    for name in NAMES:
        assert 0.6 <= figures[name]["coverage"] <= 1, figures
    nowhere = [{n: 1e9 for n in NAMES}] * 12
    assert setting_intervals(network, nowhere, true)["mg_wt"]["coverage"] == 0


def test_the_network_s_own_intervals_cover_both_ways(network):
    low, high = np.array([RANGES[n] for n in NAMES]).T
    process = low + (high - low) * np.random.default_rng(9).random((30, 3))
    settings = [dict(zip(NAMES, p, strict=True)) for p in process.tolist()]
    true = [{"uts_mpa": u, "ys_mpa": y} for u, y in strengths(*process.T).tolist()]
    figures = posterior_intervals(network, settings, true)
    json.dumps(figures, allow_nan=False)
    for name in (*NAMES, "uts_mpa", "ys_mpa"):
        assert 0.7 <= figures[name] <= 1, figures
    far = [{n: 1.2 * v for n, v in t.items()} for t in true]
    wrong = posterior_intervals(network, settings, far)
    assert wrong["uts_mpa"] < 0.5, wrong


def test_reachable_strengths_are_those_of_cast_iron(one_process, monkeypatch):
    monkeypatch.setattr(oracle, "FIELD_PX", 320)
    found = reachable_strengths(12, points=256)
    assert all(values.shape == (256,) for values in found.values())
    assert (found["uts_mpa"] > found["ys_mpa"]).mean() > 0.95
    assert found["uts_mpa"].min() > 80 and found["uts_mpa"].max() < 700
    again = reachable_strengths(12, points=256)
    np.testing.assert_array_equal(found["ys_mpa"], again["ys_mpa"])


def test_fresh_castings_have_settings_and_true_strengths(one_process):
    settings, true = fresh_castings(2)
    assert [set(s) for s in settings] == [set(NAMES)] * 2
    assert [set(t) for t in true] == [{"uts_mpa", "ys_mpa"}] * 2
    assert true[0] != true[1] and all(100 < t["uts_mpa"] < 600 for t in true)
