"""Entanglement and independence on matrices worked by hand."""

import numpy as np
import pytest

from core.labels.entanglement import (
    against_each_other,
    disentanglement,
    entanglement,
    importance,
    independence,
    size_and_sparsity,
)
from core.labels.naming import Effect
from core.labels.quantities import QUANTITIES, column_of


def effect(quantity: str, standardised: float, recurs: bool = True) -> Effect:
    return Effect(
        quantity=quantity,
        slope=standardised,
        low=standardised,
        high=standardised,
        standardised=standardised,
        move=8 * standardised,
        monotonicity=1.0,
        share=1.0,
        starts=6,
        recurs=recurs,
        clear=recurs,
    )


def test_disentanglement_and_completeness_by_hand():
    matrix = np.array([[1.0, 1.0], [2.0, 0.0]])
    # row 1 spreads evenly over two (0, weight 2 of 4), row 2 moves one only (1, weight 2 of 4)
    assert disentanglement(matrix) == pytest.approx(0.5)
    shares = np.array([1 / 3, 2 / 3])
    first = 1 + float(shares @ np.log2(shares))
    assert disentanglement(matrix.T) == pytest.approx((3 * first + 1) / 4)
    assert disentanglement(np.zeros((2, 2))) is None


def test_effects_that_do_not_recur_do_not_entangle():
    effects = [
        [effect("graphite_pct", 0.2), effect("diameter_um", -0.1, recurs=False)],
        [effect("graphite_pct", -0.2), effect("roundness", 0.2)],
    ]
    matrix = importance(effects)
    assert matrix.sum() == pytest.approx(0.6) and matrix[0, column_of("graphite_pct")] == 0.2
    found = entanglement(effects)
    assert found["descriptors_a_dimension"] == 1.5
    assert found["dimensions_a_descriptor"]["graphite_pct"] == 2
    assert found["dimensions_a_descriptor"]["diameter_um"] == 0


def test_independent_latents_count_fully_and_copies_once():
    rng = np.random.default_rng(0)
    free = rng.normal(size=(4000, 3))
    assert independence(free, ["a", "b", "c"])["effective_dimensions"] == pytest.approx(3, abs=0.01)
    found = independence(np.stack([free[:, 0], -free[:, 0]], axis=1), ["z3", "z7"])
    assert found["effective_dimensions"] == pytest.approx(1)
    assert found["most_correlated"]["pair"] == ["z3", "z7"]
    assert found["most_correlated"]["correlation"] == pytest.approx(-1)
    assert independence(free[:, :1], ["a"])["effective_dimensions"] is None


def measured(sign: int) -> np.ndarray:
    specimens = np.full((8, len(QUANTITIES)), np.nan)
    specimens[:, column_of("diameter_um")] = np.arange(8)
    specimens[:, column_of("particles_per_mm2")] = sign * np.arange(8)
    return specimens


@pytest.mark.parametrize(("sign", "shows"), [(-1, True), (1, False)])
def test_large_and_sparse_together_show_or_do_not(sign, shows):
    effects = {
        f"z{i}": [effect("diameter_um", size), effect("particles_per_mm2", sign * size)]
        for i, size in enumerate((0.1, -0.2, 0.3, 0.4, -0.5, 0.6))
    }
    found = size_and_sparsity(effects, {}, measured(-1))
    assert found["shows"] is shows
    assert found["move_both"] == list(effects)
    assert found["against_each_other"] == (list(effects) if shows else [])
    assert found["over_dimensions"]["correlation"] == pytest.approx(sign)
    assert size_and_sparsity(effects, {}, measured(1))["shows"] is False


def test_a_principal_direction_alone_can_show_it():
    along = [effect("correlation_length_um", -0.2), effect("particles_per_mm2", 0.3)]
    found = size_and_sparsity({}, {"d1": along}, measured(-1))
    assert found["shows"] and found["against_each_other"] == ["d1"]
    both = [*along, effect("diameter_um", 0.2)]  # a size that goes with the count
    assert against_each_other(both) is False
    assert against_each_other([effect("diameter_um", 0.2)]) is None
    assert size_and_sparsity({}, {"d1": both}, measured(-1))["shows"] is False
    assert size_and_sparsity({}, {}, measured(-1))["shows"] is False
