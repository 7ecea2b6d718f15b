"""Claims about what changes go with: slopes of a hand-worked covariance, signs, what is missing."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from bayesnet.association import (
    carriers,
    mixture_covariance,
    property_changes,
    slopes,
    weighed,
)
from bayesnet.explain import Change
from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.nodes import Node
from bayesnet.query import Estimate
from tests.bayesnet.simulator import simulate
from tests.bayesnet.test_descriptors import measured


def node(column: str, role: str, scale: float) -> Node:
    return Node(
        node=column,
        column=column,
        role=role,  # type: ignore[arg-type]
        unit="MPa" if role == "property" else "%",
        label=column,
        mean=100.0,
        scale=scale,
        low=0.0,
        high=200.0,
    )


ROUND, AREA, FLAT = (
    node(n, "descriptor", s) for n, s in (("round", 20.0), ("area", 2.0), ("flat", 1.0))
)
UTS, YS = node("uts", "property", 50.0), node("ys", "property", 10.0)
# z-scores, in the order round, area, flat, uts, ys
COV = np.array(
    [
        [1.00, 0.50, 0.00, 0.80, 0.10],
        [0.50, 0.25, 0.00, -0.10, 0.00],
        [0.00, 0.00, 1e-9, 0.00, 0.00],
        [0.80, -0.10, 0.00, 1.00, 0.60],
        [0.10, 0.00, 0.00, 0.60, 1.00],
    ]
)


def made(*joints) -> SimpleNamespace:
    """A network of these regimes."""
    nodes = (ROUND, AREA, FLAT, UTS, YS)
    return SimpleNamespace(
        nodes=nodes,
        outcomes=nodes,
        joints=joints or ((np.zeros(5), COV),),
        specimens=("s1", "s2"),
        outcome_places=lambda some: np.array([nodes.index(n) for n in some], dtype=int),
        support=SimpleNamespace(
            properties=np.array([[1.0, 2.0, 3.0, 400.0, 250.0], [1.0, 2.0, 3.0, np.nan, 240.0]])
        ),
    )


def change(name: str, before: float | None, after: float | None, **goes_with: float) -> Change:
    return Change(name, name, "%", before, after, goes_with)


def test_a_slope_is_the_covariance_over_the_descriptors_variance_in_the_units():
    found = slopes(made(), (1.0,), ["round", "area"], UTS)
    assert found["round"] == pytest.approx(0.80 / 1.00 * 50 / 20)  # MPa per %
    assert found["area"] == pytest.approx(-0.10 / 0.25 * 50 / 2)


def test_what_hardly_varies_what_is_unknown_and_the_property_itself_have_no_slope():
    assert set(slopes(made(), (1.0,), ["flat", "unknown", "uts", "round"], UTS)) == {"round"}


def test_strongly_correlated_descriptors_keep_their_own_slopes():
    """A regression on both would give slopes of opposite signs, a thousand times as large."""
    near = COV.copy()
    near[:2, :2] = [[1.0, 1.0 - 1e-9], [1.0 - 1e-9, 1.0]]
    near[0, 3] = near[3, 0] = near[1, 3] = near[3, 1] = 0.8
    found = slopes(made((np.zeros(5), near)), (1.0,), ["round", "area"], UTS)
    assert found == {"round": pytest.approx(2.0), "area": pytest.approx(20.0)}


def test_regimes_apart_add_the_covariance_of_their_means():
    """Two points at +-1 in round and +-3 in uts: covariance 3, variance 1, beside their own."""
    apart = np.array([1.0, 0.0, 0.0, 3.0, 0.0])
    network = made((apart, COV), (-apart, COV))
    np.testing.assert_allclose(
        mixture_covariance(network, (0.5, 0.5)), COV + np.outer(apart, apart)
    )
    np.testing.assert_allclose(mixture_covariance(network, (2.0, 0.0)), COV)
    found = slopes(network, (0.5, 0.5), ["round"], UTS)
    assert found["round"] == pytest.approx((0.8 + 3) / (1 + 1) * 50 / 20)


def test_the_mixtures_slope_is_that_of_its_draws():
    rng = np.random.default_rng(0)
    means, covs = ((1.0, 2.0), (-1.0, 0.0)), (((1.0, 0.3), (0.3, 1.0)), ((0.5, -0.2), (-0.2, 2.0)))
    draws = np.vstack(
        [
            rng.multivariate_normal(m, c, n)
            for m, c, n in zip(means, covs, (30_000, 70_000), strict=True)
        ]
    )
    network = SimpleNamespace(
        nodes=(ROUND, UTS),
        outcomes=(ROUND, UTS),
        joints=tuple((np.array(m), np.array(c)) for m, c in zip(means, covs, strict=True)),
    )
    known = np.cov(draws.T)
    found = slopes(network, (0.3, 0.7), ["round"], UTS)["round"]
    assert found == pytest.approx(known[0, 1] / known[0, 0] * 50 / 20, abs=0.05)


def test_what_goes_with_most_comes_first_whatever_changes_most():
    before = (change("area", 1.0, 1.1), change("round", 50.0, 60.0), change("flat", 1.0, 9.0))
    found = weighed(before, made(), (1.0,), (UTS, YS))
    assert [one.name for one in found] == ["round", "area", "flat"]
    assert found[0].goes_with == {"uts": pytest.approx(20.0), "ys": pytest.approx(0.5)}
    assert found[1].goes_with["uts"] == pytest.approx(-1.0)
    assert found[2].goes_with == {}


def test_properties_of_small_spread_count_as_much():
    """+5 MPa are half a deviation of ys, +20 MPa less than one of uts."""
    steep = COV.copy()
    steep[1, 4] = steep[4, 1] = 0.25  # area -> ys: 5 MPa per %
    found = weighed(
        (change("round", 50.0, 52.0), change("area", 1.0, 2.0)),
        made((np.zeros(5), steep)),
        (1.0,),
        (UTS, YS),
    )
    assert [one.name for one in found] == ["area", "round"]


def test_missing_values_go_with_nothing_and_keep_their_order():
    before = (change("round", None, 60.0), change("area", 1.0, None))
    assert weighed(before, made(), (1.0,), (UTS,)) == before
    assert weighed((), made(), (1.0,), (UTS,)) == ()
    assert weighed(before, made(), (1.0,), ()) == before


def test_the_specimens_tests_stand_before_what_is_expected_of_the_design():
    expected = {"uts": Estimate(430.0, None, None), "ys": Estimate(260.0, 250.0, 270.0)}
    uts, ys = property_changes(made(), "s1", expected, (UTS, YS))
    assert (uts.before, uts.after, uts.gap) == (400.0, 430.0, 30.0) and ys.before == 250.0
    assert property_changes(made(), "s2", expected, (UTS,))[0].gap is None
    assert property_changes(made(), "unknown", expected, (UTS,))[0].before is None
    assert property_changes(made(), "s1", expected, ()) == ()


def test_only_changes_in_the_propertys_direction_carry_it():
    up, more, down = (
        change("a", 1.0, 2.0, uts=5.0),
        change("b", 1.0, 2.0, uts=9.0),
        change("c", 1.0, 2.0, uts=-20.0),
    )
    rises = Change("uts", "UTS", "MPa", 400.0, 430.0)
    assert carriers(rises, (up, more, down)) == (more, up)
    assert carriers(replace(rises, after=380.0), (up, more, down)) == (down,)
    assert carriers(replace(rises, before=None), (up, more, down)) == (down, more, up)
    assert carriers(replace(rises, name="ys"), (up, more, down)) == ()


def test_in_a_fitted_network_round_graphite_goes_with_strength():
    """The toy foundry's nodular irons are its strong ones."""
    table = simulate(specimens=60, dimensions=16, patches=12, dead=2)
    config = NetworkConfig(regimes=(2,), factors=(2,), structures=("full",))
    network = fit_network(table, config, measured(table))
    uts = next(n for n in network.properties if n.column == "uts_mpa")
    found = slopes(network, network.weights, [n.column for n in network.descriptors], uts)
    assert set(found) == {"nodularity_iso_pct", "particles_per_mm2"}
    values = network.support.properties
    area, strength = (
        values[:, network.outcome_places((n,))][:, 0] for n in (network.descriptors[0], uts)
    )
    data = np.polyfit(area, strength, 1)[0]
    assert found["nodularity_iso_pct"] == pytest.approx(data, rel=0.15)
