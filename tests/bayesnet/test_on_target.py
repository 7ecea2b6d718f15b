"""Claims about recommended settings: they give the target by the surfaces, inside the limits."""

import numpy as np
import pytest

from bayesnet.on_target import on_target
from bayesnet.query import most_probable, resolve
from bayesnet.surface import predict_surface

TARGET = {"uts_mpa": 430.0, "ys_mpa": 270.0}


def expected(network, process):
    """What the surfaces say of settings, by property."""
    scores = np.array([[(process[n.column] - n.mean) / n.scale for n in network.process]])
    found = {}
    for node in network.properties:
        surface = network.support.surfaces[network.outcomes.index(node)]
        value = float(predict_surface(surface, network.support.process, scores)[0])
        found[node.column] = float(np.exp(value)) if surface.log else value
    return found


def recommended(network, targets, process=None):
    return {k: v.value for k, v in most_probable(network, targets, process).process.items()}


def test_recommended_settings_give_the_target_by_the_surfaces(network, monkeypatch):
    values = network.support.properties[:10, network.outcome_places(network.properties)]
    targets = [dict(zip([n.column for n in network.properties], v, strict=True)) for v in values]

    def gap():
        """Median over targets of the worst property's relative distance from its target."""
        found = []
        for wanted in targets:
            answer = most_probable(network, wanted)
            given = expected(network, {k: v.value for k, v in answer.process.items()})
            found.append(max(abs(given[k] / v - 1) for k, v in answer.conditioned_on.items()))
        return float(np.median(found))

    moved = gap()
    monkeypatch.setattr("bayesnet.query.on_target", lambda n, w, e, d, weights: weights @ d)
    assert moved < 0.01 and moved < gap() / 2, (moved, gap())


def test_limits_hold_and_fixed_settings_stay(network):
    free = recommended(network, TARGET)
    node = network.process[0]
    held = free[node.column] + 0.1 * node.scale
    fixed = recommended(network, TARGET, {node.column: held})
    assert fixed[node.column] == pytest.approx(held)
    limited = recommended(network, TARGET, {node.column: (held, None)})
    assert limited[node.column] >= held - 1e-9


def test_a_range_is_met_where_it_is_nearest(network):
    node = network.properties[0]
    value = TARGET[node.column]
    wide = {**TARGET, node.column: (0.8 * value, 1.2 * value)}
    given = expected(network, recommended(network, wide))
    assert 0.79 * value <= given[node.column] <= 1.21 * value


def test_without_surfaces_that_tell_the_mean_stays(network, monkeypatch):
    evidence, _, wanted = resolve(network, TARGET, None)
    draws = np.random.default_rng(0).normal(size=(50, len(network.process))) * 0.1
    weights = np.full(50, 1 / 50)
    monkeypatch.setattr("bayesnet.on_target.uses_surface", lambda network, order: False)
    found = on_target(network, wanted, evidence, draws, weights)
    np.testing.assert_array_equal(found, weights @ draws)
