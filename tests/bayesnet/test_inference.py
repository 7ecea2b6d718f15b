"""Claims about queries in any direction: exact, as rejection says, as pgmpy says, and refusals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm, truncnorm

from bayesnet.gaussian import condition
from bayesnet.query import posterior
from core.errors import InputError
from tests.bayesnet.simulator import simulate


def place(network, name):
    return [n.column for n in network.nodes].index(name)


def z_scores(network, values):
    return np.array(
        [
            (v - network.nodes[place(network, n)].mean) / network.nodes[place(network, n)].scale
            for n, v in values.items()
        ]
    )


def quantile(shares, means, stds, tail):
    return brentq(lambda x: shares @ norm.cdf((x - means) / stds) - tail, -60, 60)


@pytest.mark.parametrize(
    "evidence",
    [
        {"uts_mpa": 430.0, "ys_mpa": 270.0},
        {"mg_wt": 0.04, "radius_mm": 22.0, "ce_pct": 4.2},
        {"z0": 0.5, "z3": -0.4, "uts_mpa": 400.0},
        {"mg_wt": 0.01, "ys_mpa": 180.0, "z1": 0.1},
    ],
)
def test_values_are_conditioned_on_exactly_in_every_direction(network, evidence):
    found = posterior(network, evidence, inside_data=False)
    at = np.array([place(network, n) for n in evidence])
    values = z_scores(network, evidence)
    shares = np.array(
        [
            w * multivariate_normal(m[at], c[np.ix_(at, at)]).pdf(values)
            for w, (m, c) in zip(network.weights, network.observed(at), strict=True)
        ]
    )
    shares = shares / shares.sum()
    np.testing.assert_allclose(found.regimes, shares, rtol=1e-6, atol=1e-12)
    assert found.effective == np.inf
    moments = [condition(m, c, at, values) for m, c in network.observed(at)]
    for j, i in enumerate(moments[0][0]):
        node = network.nodes[i]
        means = np.array([m[j] for _, m, _ in moments])
        stds = np.sqrt([c[j, j] for _, _, c in moments])
        belief = found.nodes[node.column]
        assert belief.mean == pytest.approx(node.mean + node.scale * shares @ means, abs=1e-7)
        for end, tail in ((belief.low, 0.05), (belief.high, 0.95)):
            z = quantile(shares, means, stds, tail)
            assert end == pytest.approx(node.mean + node.scale * z, abs=1e-5 * node.scale)
    for name, value in evidence.items():
        belief = found.nodes[name]
        assert (belief.mean, belief.low, belief.high) == pytest.approx((value,) * 3)
        assert belief.given is not None


def test_one_regime_agrees_with_pgmpy_in_every_direction(network):
    """pgmpy's own inference on the regime's graph; the mixture has that regime alone.

    Its graph holds the specimens' own latents, without the scatter of patches.
    """
    alone = replace(network, regimes=(replace(network.regimes[0], weight=1.0),), scores={})
    for evidence in ({"uts_mpa": 300.0}, {"mg_wt": 0.03, "ce_pct": 4.0}, {"z0": 0.4}):
        found = posterior(alone, evidence, inside_data=False)
        nodes = [network.nodes[place(network, n)].node for n in evidence]
        frame = pd.DataFrame([z_scores(network, evidence)], columns=nodes)
        names, mean, cov = alone.regimes[0].graph.predict_probability(frame)
        for i, name in enumerate(names):
            node = next((n for n in network.nodes if n.node == name), None)
            if node is None:
                continue  # a hidden cause
            belief = found.nodes[node.column]
            half = 1.6448536 * np.sqrt(cov[i, i]) * node.scale
            expected = node.mean + node.scale * mean[0][i]
            assert belief.mean == pytest.approx(expected, abs=2e-5 * node.scale), name
            assert belief.high - belief.mean == pytest.approx(half, abs=2e-5 * node.scale), name


def test_measured_latents_scatter_as_means_of_patches_do(network, table):
    """Their covariance is that of the specimens' latents, and the patches' over their number."""
    at = np.array([place(network, name) for name in ("z0", "z3", "uts_mpa")])
    (_, plain), (_, seen) = network.joints[0], network.observed(at)[0]
    names, counts = np.unique(table.specimen, return_counts=True)
    assert len(names) == 100
    for name, other in (("z0", "z0"), ("z0", "z3"), ("uts_mpa", "uts_mpa"), ("z1", "z1")):
        i, j = place(network, name), place(network, other)
        added = (seen - plain)[i, j] * network.nodes[i].scale * network.nodes[j].scale
        known = [n.column for n in network.latents]
        if {name, other} <= {"z0", "z3"}:
            within = network.within[known.index(name), known.index(other)]
            assert added == pytest.approx(within / network.scores["independent_patches"])
        else:
            assert added == 0.0, name
    assert 1 < network.scores["independent_patches"] <= counts.mean()


def test_a_new_specimen_with_all_its_latents_is_not_impossible(network):
    """Means of patches scatter round the latents that the regimes describe."""
    new = simulate(specimens=30, seed=33)
    owner, mu = np.asarray(new.specimen), np.asarray(new.mu, dtype=float)
    errors = []
    for name in new.specimens.index:
        mean = mu[owner == name].mean(axis=0)
        found = posterior(network, {n.column: float(mean[n.index]) for n in network.latents})
        node = found.nodes["uts_mpa"]
        errors.append(abs(node.mean / new.specimens.loc[name, "uts_mpa"] - 1))
    assert np.median(errors) < 0.08, errors


def test_ranges_agree_with_rejection_from_the_whole_mixture(network):
    rng = np.random.default_rng(1)
    evidence = {"uts_mpa": (380.0, None), "ys_mpa": (200.0, 260.0), "ce_pct": (3.9, 4.3)}
    names = ["uts_mpa", "ys_mpa", "ce_pct", "mg_wt", "radius_mm", "z0", "z5"]
    at = [place(network, n) for n in names]
    kept, regimes = [], []
    for weight, (mean, cov) in zip(network.weights, network.joints, strict=True):
        x = rng.multivariate_normal(mean[at], cov[np.ix_(at, at)], int(600_000 * weight))
        x = x * [network.nodes[i].scale for i in at] + [network.nodes[i].mean for i in at]
        ok = (x[:, 0] >= 380) & (x[:, 1] >= 200) & (x[:, 1] <= 260)
        ok &= (x[:, 2] >= 3.9) & (x[:, 2] <= 4.3)
        kept.append(x[ok])
        regimes.append(ok.sum())
    found = posterior(network, evidence, inside_data=False)
    np.testing.assert_allclose(found.regimes, np.array(regimes) / sum(regimes), atol=0.02)
    x = np.vstack(kept)
    assert len(x) > 5000
    for j, name in enumerate(names):
        belief, scale = found.nodes[name], network.nodes[at[j]].scale
        assert belief.mean == pytest.approx(x[:, j].mean(), abs=0.03 * scale), name
        ends = np.quantile(x[:, j], [0.05, 0.95])
        np.testing.assert_allclose([belief.low, belief.high], ends, atol=0.06 * scale)


def test_one_minimum_alone_is_the_truncated_normal(network):
    alone = replace(network, regimes=(replace(network.regimes[0], weight=1.0),))
    i = place(network, "uts_mpa")
    node, (mean, cov) = network.nodes[i], alone.joints[0]
    centre, std = node.mean + node.scale * mean[i], node.scale * np.sqrt(cov[i, i])
    found = posterior(alone, {"uts_mpa": (centre + std, None)}, inside_data=False)
    true = truncnorm(1.0, np.inf, centre, std)
    belief = found.nodes["uts_mpa"]
    assert belief.mean == pytest.approx(true.mean(), rel=2e-3)
    np.testing.assert_allclose([belief.low, belief.high], true.ppf([0.05, 0.95]), rtol=4e-3)


def test_settings_without_evidence_stay_inside_the_data_unless_told_otherwise(network):
    evidence = {"uts_mpa": (150.0, 200.0)}
    inside, plain = (posterior(network, evidence, inside_data=b) for b in (True, False))
    for node in network.process:
        belief = inside.nodes[node.column]
        assert node.low <= belief.low <= belief.mean <= belief.high <= node.high
        assert belief.given is None
    mg = network.process[[n.column for n in network.process].index("mg_wt")]
    assert plain.nodes["mg_wt"].low < mg.low, "the plain Gaussian knows no limit"


def test_more_magnesium_means_more_strength_and_back(network):
    poor = posterior(network, {"mg_wt": 0.005}).nodes["uts_mpa"]
    rich = posterior(network, {"mg_wt": 0.05}).nodes["uts_mpa"]
    assert rich.mean > poor.mean + 50
    weak = posterior(network, {"uts_mpa": (None, 250.0)}).nodes["mg_wt"]
    strong = posterior(network, {"uts_mpa": (400.0, None)}).nodes["mg_wt"]
    assert strong.mean > weak.high


def test_as_high_as_possible_lies_beyond_what_the_rest_leaves(network):
    limits = {"radius_mm": (10.0, 20.0)}
    free = posterior(network, limits).nodes["uts_mpa"]
    best = posterior(network, {**limits, "uts_mpa": "highest"})
    worst = posterior(network, {**limits, "uts_mpa": "lowest"})
    assert best.nodes["uts_mpa"].mean > free.mean > worst.nodes["uts_mpa"].mean
    assert best.nodes["uts_mpa"].low >= 0.9 * free.high - 1e-9
    assert best.nodes["mg_wt"].mean > worst.nodes["mg_wt"].mean
    thin = posterior(network, {"radius_mm": "lowest"}).nodes["radius_mm"]
    assert thin.high < 20


def test_no_evidence_gives_the_data_back(network, table):
    found = posterior(network, {})
    for name in ("uts_mpa", "ys_mpa"):
        values = table.specimens[name]
        assert found.nodes[name].mean == pytest.approx(values.mean(), abs=0.2 * values.std())
    assert found.plausibility == 1.0 and sum(found.regimes) == pytest.approx(1)


def test_same_question_same_answer(network):
    evidence = {"uts_mpa": (400.0, 450.0), "mg_wt": (0.02, 0.05)}
    assert posterior(network, evidence) == posterior(network, evidence)


def test_evidence_unlike_the_data_is_told_apart(network):
    assert not posterior(network, {"uts_mpa": 430.0, "ys_mpa": 270.0}).unusual
    odd = posterior(network, {"mg_wt": 0.0, "uts_mpa": 380.0})
    assert odd.unusual and odd.plausibility > 1e-9
    inside = posterior(network, {"mg_wt": 0.0, "uts_mpa": (None, 380.0)})
    assert not inside.unusual, "a range counts by its point nearest to the data"


@pytest.mark.parametrize(
    ("evidence", "match"),
    [
        ({"hardness": 3}, "unknown quantity 'hardness'"),
        ({"z99": 0.0}, "unknown quantity 'z99'"),
        ({"uts_mpa": float("nan")}, "not a finite number"),
        ({"uts_mpa": "strong"}, "not a number"),
        ({"z0": True}, "not a number"),
        ({"ys_mpa": (300, 200)}, "lower limit 300 is above upper limit 200"),
        ({"ys_mpa": (None, None)}, "neither a lower nor an upper limit"),
        ({"ys_mpa": (1, 2, 3)}, "pair"),
        ({"ys_mpa": (None, -4)}, "must be positive"),
        ({"mg_wt": 0.5}, "outside the range of the data"),
        ({"uts_mpa": 5000.0}, "holds this for impossible: tensile strength 5000 MPa"),
        ({"uts_mpa": 450.0, "ys_mpa": (None, 60.0)}, "contradict each other"),
    ],
)
def test_bad_evidence_says_what_is_wrong(network, evidence, match):
    with pytest.raises(InputError, match=match):
        posterior(network, evidence)
