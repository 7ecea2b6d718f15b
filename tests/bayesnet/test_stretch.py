"""Claims about the width of posteriors: stretched by left-out factors, as far as evidence tells."""

from dataclasses import replace

import numpy as np
import pytest

from bayesnet import calibration
from bayesnet.belief import Belief
from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.query import posterior
from bayesnet.stretch import PRIOR, direction, explained, needed, stretched
from tests.bayesnet.simulator import simulate


@pytest.fixture
def belief(network):
    node = next(n for n in network.nodes if n.column == "uts_mpa")
    half = 0.2 * PRIOR / 2 * node.scale  # four fifths of the width explained
    return Belief(node, 400.0, 400.0 - half, 400.0 + half, None)


def test_a_factor_holds_in_full_where_as_much_is_explained(belief):
    assert explained(belief) == pytest.approx(0.8)
    assert needed(belief, {"factor": 1.5, "explained": 0.8}) == pytest.approx(1.5)
    assert needed(belief, {"factor": 1.5, "explained": 0.4}) == pytest.approx(1.5)  # never more
    assert 1 < needed(belief, {"factor": 1.5, "explained": 1.0}) < 1.5
    found = stretched(belief, 1.5)
    assert found.high - 400 == pytest.approx(1.5 * (belief.high - 400))
    assert 400 - found.low == pytest.approx(1.5 * (400 - belief.low))


def test_without_evidence_nothing_is_stretched(network, belief):
    prior = posterior(network, {})
    plain = posterior(network, {}, stretched=False)
    assert prior.nodes == plain.nodes
    wide = replace(belief, low=-1e4, high=1e4)
    assert needed(wide, {"factor": 3.0, "explained": 0.5}) == 1.0


@pytest.mark.parametrize(
    ("column", "roles", "expected"),
    [
        ("uts_mpa", {"process"}, "process"),
        ("uts_mpa", {"property"}, None),
        ("mg_wt", {"property"}, "outcome"),
        ("mg_wt", {"descriptor"}, "outcome"),
        ("mg_wt", {"process"}, None),
    ],
)
def test_the_side_that_evidence_comes_from(network, column, roles, expected):
    node = next(n for n in network.nodes if n.column == column)
    assert direction(node, roles) == expected


def test_a_latent_that_adds_nothing_makes_no_jump(network):
    """The latents' factors, about 2 and more, are for all latents known, not for one of 16."""
    settings = {"mg_wt": 0.04, "radius_mm": 20.0, "ce_pct": 4.1}
    before = posterior(network, settings).nodes
    latent = network.latents[0].column
    after = posterior(network, settings | {latent: before[latent].mean}).nodes
    for name in ("uts_mpa", "ys_mpa"):
        widths = [found[name].high - found[name].low for found in (before, after)]
        assert widths[1] / widths[0] == pytest.approx(1.0, abs=0.15)


def test_nine_tenths_of_left_out_specimens_lie_in_the_stretched_intervals(network, monkeypatch):
    """The factor is split-conformal, and no wider than that takes."""
    needed = np.random.default_rng(0).gamma(2.0, 1.0, 99)
    pairs = {"uts_mpa": [(score, 0.5) for score in needed]}
    monkeypatch.setattr(calibration, "_needed", lambda asked, direction: pairs)
    entry = calibration._factors(network, [], [], None)["process"]["uts_mpa"]
    assert (needed <= entry["factor"]).sum() == 90 and entry["specimens"] == 99
    assert entry["coverage_90_before"] == (needed <= 1).mean()


def test_factors_are_from_left_out_specimens_of_every_direction(network):
    found = network.calibration["posterior"]
    assert set(found) == {"process", "latent", "outcome"}
    assert set(found["process"]) == {"uts_mpa", "ys_mpa"}
    assert set(found["latent"]) == {"uts_mpa", "ys_mpa", "mg_wt", "radius_mm", "ce_pct"}
    for entries in found.values():
        for entry in entries.values():
            assert entry["specimens"] > 80 and entry["from"] == "left out"


def test_new_castings_lie_in_the_stretched_intervals(network):
    """Judged on castings of the same foundry that nothing has learned from."""
    new = simulate(specimens=80, patches=3, seed=21).specimens
    settings, strengths = ["mg_wt", "radius_mm", "ce_pct"], ["uts_mpa", "ys_mpa"]
    ends = {n.column: (n.low, n.high) for n in network.process}
    inside: dict[str, list[bool]] = {}
    for row in new.to_dict("records"):
        known = {n: float(np.clip(row[n], *ends[n])) for n in settings}
        strong = {n: row[n] for n in strengths}
        for evidence, asked in ((known, strengths), (strong, settings)):
            nodes = posterior(network, evidence, about=asked).nodes
            for name in asked:
                value = known.get(name, row[name])
                inside.setdefault(name, []).append(nodes[name].low <= value <= nodes[name].high)
    covered = {name: float(np.mean(values)) for name, values in inside.items()}
    apart = 3 * np.sqrt(0.9 * 0.1 * (1 / 80 + 1 / 100))  # both samples are of finite size
    assert all(share >= 0.9 - apart for share in covered.values()), covered
    assert np.mean(list(covered.values())) == pytest.approx(0.9, abs=0.05), covered


def test_specimens_new_to_network_and_encoder_are_asked_if_there_are_enough():
    table = simulate(specimens=40, dimensions=12, dead=2)
    unseen = simulate(specimens=30, dimensions=12, dead=2, seed=9)
    unseen.data_name, unseen.data_hash = "new castings", "n" * 64
    config = NetworkConfig(regimes=(1,), factors=(2,), structures=("full",))
    found = fit_network(table, config, unseen=unseen).calibration["posterior"]
    for asked, column in (("latent", "uts_mpa"), ("process", "uts_mpa"), ("outcome", "mg_wt")):
        entry = found[asked][column]
        assert entry["from"] == "unseen (new castings)" and entry["specimens"] <= 30, asked
    few = simulate(specimens=8, dimensions=12, dead=2, seed=9)
    few.data_name, few.data_hash = "new castings", "n" * 64
    found = fit_network(table, config, unseen=few).calibration["posterior"]
    assert found["process"]["uts_mpa"]["from"] == "left out", "eight give no interval"


def test_a_network_of_an_earlier_version_answers_with_its_own_intervals(network):
    calibration = {k: v for k, v in network.calibration.items() if k != "posterior"}
    old = replace(network, calibration=calibration)
    evidence = {"mg_wt": 0.04, "radius_mm": 20.0, "ce_pct": 4.1}
    assert posterior(old, evidence).nodes == posterior(old, evidence, stretched=False).nodes
    assert posterior(network, evidence).nodes != posterior(old, evidence).nodes
