"""Claims about what regimes are described by."""

from types import SimpleNamespace

import numpy as np
import pytest

from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.nodes import Node
from bayesnet.regime_means import regime_means
from tests.bayesnet.simulator import simulate


def node(name, mean=0.0, scale=1.0, role="property", group=""):
    return Node(
        node=name,
        column=name,
        role=role,
        unit="MPa",
        label=name,
        mean=mean,
        scale=scale,
        low=-1.0,
        high=1.0,
        group=group,
    )


def made(nodes, scores, spread=1.0):
    """Stand in for a network whose regimes have these means (K, nodes) in z-scores.

    ``spread`` is the standard deviation within them, in z-scores.
    """
    return SimpleNamespace(
        nodes=nodes,
        regimes=(None,) * len(scores),
        weights=np.full(len(scores), 1 / len(scores)),
        joints=[(np.array(row, float), np.eye(len(row)) * np.square(spread)) for row in scores],
        positions=lambda *roles: np.flatnonzero([n.role in roles for n in nodes]),
    )


def test_means_are_in_the_nodes_units_and_latents_and_words_are_left_out():
    nodes = (
        node("z0", role="latent"),
        node("uts", mean=300.0, scale=50.0),
        node("kind", group="kind"),
        node("graphite", mean=8.0, scale=2.0, role="descriptor"),
    )
    found = regime_means(made(nodes, [[9, 1, 9, 0.5], [-9, -1, -9, 0.0]]))
    assert {n.column for n in found.nodes} == {"uts", "graphite"}
    by_name = dict(zip([n.column for n in found.nodes], found.means.T, strict=True))
    np.testing.assert_allclose(by_name["uts"], [350, 250])
    np.testing.assert_allclose(by_name["graphite"], [9, 8])


def test_two_regimes_that_the_largest_difference_leaves_alike_are_told_apart_by_another():
    nodes = tuple(map(node, ("a", "b", "c")))
    scores = [[3, 3, 0.0], [-3, -3, 1.0], [-3, -3, -1.0]]  # a and b say the same
    found = regime_means(made(nodes, scores))
    assert "c" in {n.column for n in found.nodes}
    assert len(np.unique(found.means, axis=0)) == 3


def test_a_difference_counts_beside_the_spread_within_the_regimes():
    nodes = tuple(map(node, ("a", "b", "c")))
    scores = [[1.0, 1.2, 1.0], [-1.0, -1.2, -1.0]]
    found = regime_means(made(nodes, scores, [0.5, 0.9, 0.4]))
    assert [n.column for n in found.nodes] == ["c", "a"]


@pytest.mark.parametrize("scores", [[[1.0]], [[1.0], [0.5]]])
def test_a_single_regime_needs_no_description_and_one_quantity_is_enough_for_two(scores):
    found, regimes = regime_means(made((node("a"),), scores)), len(scores)
    assert len(found.nodes) == regimes - 1 and found.means.shape == (regimes, regimes - 1)
    nothing = regime_means(made((node("z0", role="latent"),), scores))
    assert nothing.nodes == () and nothing.means.shape == (regimes, 0)


def test_regimes_of_a_fitted_network_have_means_among_the_specimens():
    table = simulate(specimens=60, dimensions=8, patches=8, dead=1)
    network = fit_network(table, NetworkConfig(regimes=(2,), factors=(1,), structures=("full",)))
    found = regime_means(network)
    assert {n.column for n in found.nodes} == {"uts_mpa", "ys_mpa"}
    assert found.means.shape == (2, 2)
    for i, one in enumerate(found.nodes):
        assert (found.means[:, i] > one.low).all() and (found.means[:, i] < one.high).all()
        mean = float(network.weights @ found.means[:, i])
        assert mean == pytest.approx(one.mean, abs=0.15 * one.scale), "weighted: that of the data"
