"""Claims about queries: exactness, limits, errors, samples, and feasibility on the toy foundry."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from bayesnet.gaussian import condition
from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.query import judge, most_probable, sample_latents
from core.errors import InputError
from tests.bayesnet.simulator import (
    COLUMNS,
    RANGES,
    reachable,
    scatter_distance,
    simulate,
    strengths,
)

TARGET = {"uts_mpa": 430.0, "ys_mpa": 270.0}


def scores_of(network, latents):
    mean, scale = np.array([[n.mean, n.scale] for n in network.latents]).T
    return (latents[..., [n.index for n in network.latents]] - mean) / scale


def position(network, name):
    return [n.column for n in network.nodes].index(name)


def z_score(network, name, value):
    node = network.nodes[position(network, name)]
    return (value - node.mean) / node.scale


def test_latents_with_every_setting_fixed_are_exact_conditional_means(network):
    settings = {"mg_wt": 0.045, "radius_mm": 20.0, "ce_pct": 4.1}
    evidence = {**TARGET, **settings}
    answer = most_probable(network, TARGET, settings, mode="posterior")
    given = np.array([position(network, name) for name in evidence])
    values = np.array([z_score(network, name, v) for name, v in evidence.items()])
    weights = np.array(
        [
            w * multivariate_normal(m[given], c[np.ix_(given, given)]).pdf(values)
            for w, (m, c) in zip(network.weights, network.joints, strict=True)
        ]
    )
    np.testing.assert_allclose(answer.regimes, weights / weights.sum(), rtol=1e-6, atol=1e-12)
    rest, mean, _ = condition(*network.joints[int(weights.argmax())], given, values)
    expected = mean[np.isin(rest, network.positions("latent"))]
    np.testing.assert_allclose(scores_of(network, answer.latents), expected, atol=1e-8)
    for name, value in settings.items():
        assert answer.process[name].value == pytest.approx(value, rel=1e-12)


def test_posterior_of_settings_equals_brute_force_rejection(network):
    """Draw the whole mixture, keep what lies near the target and within the limits."""
    rng = np.random.default_rng(0)
    wanted = {"uts_mpa": 300.0}
    limits = {"mg_wt": (0.0, 0.02)}
    answer = most_probable(network, wanted, limits, mode="posterior")
    columns = [position(network, c) for c in ("uts_mpa", "mg_wt", "radius_mm", "ce_pct")]
    kept, regimes = [], []
    for k, (mean, cov) in enumerate(network.joints):
        count = int(3_000_000 * network.weights[k])
        x = rng.multivariate_normal(mean[columns], cov[np.ix_(columns, columns)], size=count)
        x = x * [network.nodes[c].scale for c in columns] + [network.nodes[c].mean for c in columns]
        low = np.array([297.0, 0.0, network.nodes[columns[2]].low, network.nodes[columns[3]].low])
        high = np.array(
            [303.0, 0.02, network.nodes[columns[2]].high, network.nodes[columns[3]].high]
        )
        x = x[((x >= low) & (x <= high)).all(axis=1)]
        kept.append(x)
        regimes.append(len(x))
    shares = np.array(regimes) / sum(regimes)
    np.testing.assert_allclose(answer.regimes, shares, atol=0.02)
    best = kept[int(shares.argmax())]
    together = np.vstack(kept)
    for i, name in enumerate(("mg_wt", "radius_mm", "ce_pct"), start=1):
        estimate = answer.process[name]
        span = network.nodes[columns[i]].scale
        assert estimate.value == pytest.approx(best[:, i].mean(), abs=0.05 * span), name
        ends = np.quantile(together[:, i], [0.05, 0.95])
        np.testing.assert_allclose([estimate.low, estimate.high], ends, atol=0.07 * span)


def test_recommended_process_stays_inside_data_and_limits(network):
    answer = most_probable(network, {"uts_mpa": 430}, {"radius_mm": (15, 20), "ce_pct": (None, 4)})
    node = {n.column: n for n in network.process}
    assert 15 <= answer.process["radius_mm"].low <= answer.process["radius_mm"].high <= 20
    assert node["ce_pct"].low <= answer.process["ce_pct"].low
    assert answer.process["ce_pct"].high <= 4
    assert node["mg_wt"].low <= answer.process["mg_wt"].value <= node["mg_wt"].high


def test_design_predicts_its_target_back_better_than_the_plain_posterior(network):
    rng = np.random.default_rng(2)
    low, high = np.array([RANGES[n] for n in ("mg_wt", "radius_mm", "ce_pct")]).T
    truth = strengths(*(low + (high - low) * rng.random((40, 3))).T)
    errors = {"design": [], "posterior": []}
    settings = {"design": [], "posterior": []}
    for y in truth:
        for mode in errors:
            answer = most_probable(network, {"uts_mpa": y[0], "ys_mpa": y[1]}, mode=mode)
            back = [answer.properties[n].value for n in ("uts_mpa", "ys_mpa")]
            errors[mode].append(np.abs(np.array(back) / y - 1))
            recipe = [answer.process[n].value for n in ("mg_wt", "radius_mm", "ce_pct")]
            settings[mode].append(np.abs(strengths(*recipe) / y - 1))
    back = {mode: np.median(e, axis=0) for mode, e in errors.items()}
    cast = {mode: np.median(e, axis=0) for mode, e in settings.items()}
    assert (back["design"] <= back["posterior"] + 1e-3).all(), back
    assert (cast["design"] < cast["posterior"]).all(), cast
    assert (cast["design"] < [0.04, 0.03]).all(), cast


def test_intervals_of_settings_cover_fresh_castings(network):
    rng = np.random.default_rng(3)
    names = ("mg_wt", "radius_mm", "ce_pct")
    low, high = np.array([RANGES[n] for n in names]).T
    process = low + (high - low) * rng.random((100, 3))
    inside = []
    for p, y in zip(process, strengths(*process.T), strict=True):
        answer = most_probable(network, {"uts_mpa": y[0], "ys_mpa": y[1]})
        inside.append(
            [
                answer.process[n].low <= v <= answer.process[n].high
                for n, v in zip(names, p, strict=True)
            ]
        )
    covered = np.mean(inside, axis=0)
    assert (covered >= 0.85).all(), covered


def test_samples_are_reproducible_different_and_less_central_than_the_mode(network):
    a = sample_latents(network, TARGET, None, 4, seed=1)
    np.testing.assert_array_equal(a, sample_latents(network, TARGET, None, 4, seed=1))
    assert not np.array_equal(a, sample_latents(network, TARGET, None, 4, seed=2))
    assert a.shape == (4, 64) and np.isfinite(a).all()
    gaps = np.linalg.norm(a[:, None] - a[None], axis=-1)[np.triu_indices(4, 1)]
    assert gaps.min() > 1.0, gaps
    mode = scores_of(network, most_probable(network, TARGET).latents)
    assert np.linalg.norm(scores_of(network, a), axis=1).mean() > np.linalg.norm(mode)


def test_samples_predict_the_target(network):
    latents = sample_latents(network, TARGET, None, 12, seed=0)
    index = position(network, "uts_mpa")
    node = network.nodes[index]
    best = int(np.argmax(most_probable(network, TARGET).regimes))
    mean, cov = network.joints[best]
    where = network.positions("latent")
    back = []
    for scores in scores_of(network, latents):
        rest, m, _ = condition(mean, cov, where, scores)
        back.append(node.mean + node.scale * m[list(rest).index(index)])
    assert abs(np.mean(back) / 430 - 1) < 0.05, back


@pytest.mark.parametrize(
    ("targets", "process", "match"),
    [
        ({}, None, "no target"),
        ({"hardness": 3}, None, "hardness"),
        ({"uts_mpa": 400}, {"mn": 1}, "mn"),
        ({"uts_mpa": float("nan")}, None, "finite"),
        ({"uts_mpa": "strong"}, None, "not a number"),
        ({"uts_mpa": True}, None, "not a number"),
        ({"uts_mpa": -5}, None, "positive"),
        ({"uts_mpa": 400}, {"mg_wt": (0.05, 0.01)}, "above"),
        ({"uts_mpa": 400}, {"mg_wt": (0.01, 0.02, 0.03)}, "pair"),
        ({"uts_mpa": 400}, {"mg_wt": 0.5}, "outside the range"),
        ({"uts_mpa": 400}, {"radius_mm": (90, None)}, "outside the range"),
        ({"uts_mpa": 400}, {"radius_mm": (None, "x")}, "not a number"),
    ],
)
def test_bad_queries_say_what_is_wrong(network, targets, process, match):
    with pytest.raises(InputError, match=match):
        most_probable(network, targets, process)


def test_zero_samples_are_refused(network):
    with pytest.raises(InputError, match="at least one"):
        sample_latents(network, TARGET, None, 0, seed=0)


def test_uts_900_ys_700_is_infeasible_and_answered_with_the_nearest(network):
    answer = most_probable(network, {"uts_mpa": 900, "ys_mpa": 700})
    verdict = answer.feasibility
    assert verdict.verdict == "infeasible" and verdict.distance > 3
    assert verdict.nearest is not None and answer.conditioned_on == verdict.nearest
    assert "900 MPa" in verdict.message and "nearest" in verdict.message
    again = most_probable(network, verdict.nearest)
    assert again.feasibility.verdict == "feasible"


def test_uts_430_without_magnesium_is_infeasible_and_says_so(network):
    verdict = most_probable(network, {"uts_mpa": 430}, {"mg_wt": 0}).feasibility
    assert verdict.verdict == "infeasible"
    assert "magnesium fixed at 0 wt%" in verdict.message
    assert "feasible without the limit on magnesium; " in verdict.message
    assert most_probable(network, {"uts_mpa": 430}).feasibility.verdict == "feasible"


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"radius_mm": (40, None)}, "the limit on casting radius"),
        ({"mg_wt": 0, "radius_mm": (None, 40)}, "the limit on magnesium"),
        ({"mg_wt": 0, "radius_mm": (40, None)}, "these limits"),  # both are in the way
    ],
)
def test_an_infeasible_target_says_which_limit_alone_has_to_give(network, limits, said):
    verdict = judge(network, {"uts_mpa": 430, "ys_mpa": 270}, limits)
    assert verdict.verdict == "infeasible"
    assert f"it would be feasible without {said}; the nearest" in verdict.message


def test_every_casting_of_the_data_is_feasible(network, table):
    verdicts = [
        most_probable(network, dict(row)).feasibility.verdict
        for _, row in table.specimens[["uts_mpa", "ys_mpa"]].head(40).iterrows()
    ]
    assert verdicts.count("infeasible") <= 2, verdicts


def test_verdicts_are_right_on_random_targets(network):
    """measures.md: feasible within two scatter deviations of a reachable pair, not beyond four."""
    rng = np.random.default_rng(5)
    wide = np.column_stack([rng.uniform(100, 900, 600), rng.uniform(80, 700, 600)])
    near = np.column_stack([rng.uniform(170, 560, 600), rng.uniform(110, 340, 600)])
    targets = np.vstack([wide, near])
    truth = scatter_distance(targets, reachable(30))
    flagged = np.array(
        [judge(network, {"uts_mpa": u, "ys_mpa": y}).verdict == "infeasible" for u, y in targets]
    )
    wrong = flagged[truth <= 2].mean()
    caught = flagged[truth > 4].mean()
    close = flagged[(truth > 4) & (truth <= 8)].mean()
    assert wrong <= 0.05 and caught >= 0.97 and close >= 0.9, (wrong, caught, close)


def test_limits_far_from_every_specimen_are_refused_rather_than_extrapolated():
    table = simulate(specimens=120)
    mg = table.specimens["mg_wt"]
    kept = set(table.specimens.index[(mg < 0.012) | (mg > 0.048)])
    rows = np.isin(table.specimen, list(kept))
    parts = {n: getattr(table, n)[rows] for n in ("mu", "specimen", "file", "corner")}
    columns = tuple(c for c in COLUMNS if c.name not in ("radius_mm", "ce_pct"))
    hollow = SimpleNamespace(**{**vars(table), **parts, "columns": columns})
    network = fit_network(hollow, NetworkConfig(regimes=(1,), factors=(4,)))
    with pytest.raises(InputError, match="no specimen in the data lies near magnesium fixed at"):
        most_probable(network, {"uts_mpa": 300}, {"mg_wt": 0.03})
    assert np.isfinite(most_probable(network, {"uts_mpa": 300}).feasibility.distance)


def test_properties_that_no_specimen_has_together_are_refused_with_a_reason():
    table = simulate(specimens=24)
    frame = table.specimens.copy()
    frame.iloc[::2, 3], frame.iloc[1::2, 4] = np.nan, np.nan
    columns = tuple(c for c in COLUMNS if c.role == "property")
    apart = SimpleNamespace(**{**vars(table), "specimens": frame, "columns": columns})
    network = fit_network(apart, NetworkConfig(regimes=(1,), factors=(2,)))
    with pytest.raises(InputError, match="no specimen in the data has all these properties"):
        most_probable(network, TARGET)
    assert most_probable(network, {"uts_mpa": 430.0}).latents.shape == (64,)


@pytest.mark.parametrize("name", ["uts_mpa", "ys_mpa"])
def test_one_property_alone_can_be_asked_for(network, name):
    answer = most_probable(network, {name: TARGET[name]})
    assert answer.feasibility.verdict == "feasible"
    assert set(answer.conditioned_on) == {name}
    assert set(answer.properties) == {"uts_mpa", "ys_mpa"}
    assert answer.properties[name].value == pytest.approx(TARGET[name], rel=0.05)


def test_the_verdict_alone_is_that_of_the_answer(network):
    for targets in (TARGET, {"uts_mpa": 900.0, "ys_mpa": 700.0}):
        assert judge(network, targets) == most_probable(network, targets).feasibility
