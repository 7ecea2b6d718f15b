"""Claims about proposed tests: exact for the surface, telling where the target is, and refusals."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from bayesnet.evidence import check_evidence
from bayesnet.next_test import propose_tests, settings_of_the_target, with_tests
from bayesnet.support import restricted
from bayesnet.surface import predict_surface, surface_sd
from core.errors import InputError
from tests.bayesnet.simulator import RANGES, strengths

TARGET = {"uts_mpa": 400.0, "ys_mpa": 240.0}
NAMES = ("ce_pct", "mg_wt", "radius_mm")  # the order of the network's process nodes


@pytest.fixture(scope="module")
def thin(network):
    """The network with a dozen of its hundred tested specimens."""
    rows = np.arange(0, 100, 8)
    return replace(network, support=restricted(network.support, rows))


def spread(network, targets):
    evidence = check_evidence(network, targets, None)
    where = settings_of_the_target(network, evidence.targets, evidence, seed=0)
    return where, [
        float(np.sqrt((surface_sd(s, network.support.process, where) ** 2).mean()))
        for s in network.support.surfaces
    ]


def test_expected_deviations_are_those_of_the_surface_refitted(thin):
    tests = propose_tests(thin, TARGET, count=3)
    where, before = spread(thin, TARGET)
    targets = list(TARGET.values())
    np.testing.assert_allclose(
        list(tests[0].before.values()), np.multiply(before, targets), rtol=1e-6
    )
    settings = np.array([[t.settings[n] for n in NAMES] for t in tests])
    assert [n.column for n in thin.process] == list(NAMES)
    tested = with_tests(thin, settings, np.full((3, 2), 300.0))  # whatever they give
    after = [
        float(np.sqrt((surface_sd(s, tested.support.process, where) ** 2).mean()))
        for s in tested.support.surfaces
    ]
    np.testing.assert_allclose(
        list(tests[2].after.values()), np.multiply(after, targets), rtol=1e-6
    )


def test_each_test_narrows_and_the_first_narrows_most(thin):
    tests = propose_tests(thin, TARGET, count=5)
    assert len(tests) == 5
    for earlier, later in pairwise(tests):
        assert later.before == pytest.approx(earlier.after)
    reductions = [t.reduction for t in tests]
    assert all(0 < r < 1 for r in reductions) and reductions[0] == max(reductions), reductions


def test_proposals_stay_inside_the_limits_and_apart(thin):
    tests = propose_tests(thin, TARGET, {"radius_mm": (15, 25), "mg_wt": 0.045}, count=4)
    settings = np.array([[t.settings[n] for n in NAMES] for t in tests])
    assert (settings[:, 2] >= 15).all() and (settings[:, 2] <= 25).all()
    np.testing.assert_allclose(settings[:, 1], 0.045)
    gaps = np.linalg.norm(settings[:, None] - settings[None], axis=-1)[np.triu_indices(4, 1)]
    assert gaps.min() > 0.01


def test_five_proposals_bring_the_surface_nearer_to_the_truth_than_five_at_random(thin):
    """On the toy foundry, where truth is known: error where the target may be met."""
    rng = np.random.default_rng(0)
    mean, scale = np.array([[n.mean, n.scale] for n in thin.process]).T

    def truth(settings):
        return strengths(settings[:, 1], settings[:, 2], settings[:, 0])

    def error(network, where):
        found = [
            np.exp(predict_surface(s, network.support.process, where))
            for s in network.support.surfaces
        ]
        return np.sqrt(np.mean((np.array(found).T / truth(mean + scale * where) - 1) ** 2))

    ratios = []
    for target in ({"uts_mpa": 400.0, "ys_mpa": 240.0}, {"uts_mpa": 250.0, "ys_mpa": 170.0}):
        tests = propose_tests(thin, target, count=5)
        chosen = np.array([[t.settings[n] for n in NAMES] for t in tests])
        where, _ = spread(thin, target)
        low, high = np.array([RANGES[n] for n in NAMES]).T
        others = []
        for _ in range(20):
            settings = low + (high - low) * rng.random((5, 3))
            scattered = truth(settings) * (1 + rng.normal(size=(5, 2)) * [0.03, 0.02])
            others.append(error(with_tests(thin, settings, scattered), where))
        own = [
            error(
                with_tests(
                    thin, chosen, truth(chosen) * (1 + rng.normal(size=(5, 2)) * [0.03, 0.02])
                ),
                where,
            )
            for _ in range(20)
        ]
        ratios.append(np.mean(own) / np.mean(others))
    assert np.mean(ratios) < 0.9, ratios


def test_without_process_settings_that_predict_there_is_nothing_to_propose(network):
    poor = tuple(replace(s, r2=0.1) for s in network.support.surfaces)
    useless = replace(network, support=replace(network.support, surfaces=poor))
    with pytest.raises(InputError, match="do not predict these properties"):
        propose_tests(useless, TARGET)
    with pytest.raises(InputError, match="count = 0"):
        propose_tests(network, TARGET, count=0)
    with pytest.raises(InputError, match="unknown property"):
        propose_tests(network, {"hardness": 3})


def test_specimens_without_a_test_are_proposed_by_name(network):
    support = network.support
    properties = support.properties.copy()
    lacking = [3, 40, 77]
    properties[lacking, -1] = np.nan
    thin = replace(network, support=replace(support, properties=properties))
    tests = propose_tests(thin, TARGET, untested=True, count=5)
    assert {t.specimen for t in tests} <= {network.specimens[i] for i in lacking} and tests
    for test in tests:
        row = network.specimens.index(test.specimen)
        node = network.process[0]
        value = node.mean + node.scale * support.process[row, 0]
        assert test.settings[node.column] == pytest.approx(value)
    assert propose_tests(network, TARGET, untested=True) == ()
    assert all(t.specimen == "" for t in propose_tests(thin, TARGET, count=2))
    limited = {"mg_wt": tuple(sorted(tests[0].settings["mg_wt"] + d for d in (-1e-6, 1e-6)))}
    named = {t.specimen for t in propose_tests(thin, TARGET, limited, untested=True)}
    assert named == {tests[0].specimen}
