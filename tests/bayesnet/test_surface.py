"""Claims about surfaces: left-out settings, scatter told from the surface's error, replicates."""

import numpy as np
import pytest

from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.levels import setting_groups
from bayesnet.query import judge
from bayesnet.support import near_data, process_mesh, restricted
from bayesnet.surface import (
    fit_surface,
    kernel,
    left_out_residuals,
    predict_surface,
    refit,
    surface_at,
    surface_sd,
)
from tests.bayesnet.simulator import RANGES, SCATTER, simulate, strengths

NAMES = ("mg_wt", "radius_mm", "ce_pct")


@pytest.fixture(scope="module")
def replicated():
    """A network of 25 settings with four castings each."""
    table = simulate(specimens=100, replicates=4, seed=3)
    return fit_network(table, NetworkConfig(regimes=(1,), factors=(4,)))


def test_settings_are_numbered_in_order_and_near_ones_are_replicates():
    process = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.02], [1.0, 0.0], [0.0, 0.1]])
    assert setting_groups(process).tolist() == [0, 1, 0, 1, 2]
    assert setting_groups(np.zeros((3, 0))).tolist() == [0, 1, 2]


def test_left_out_residuals_are_those_of_fits_without_the_group():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 2)), rng.normal(size=12)
    groups = np.array([0, 0, 0, 1, 1, 2, 3, 4, 4, 5, 6, 6])
    lengths, noise = np.array([0.8, 1.5]), 0.3
    cov = kernel(x, x, lengths, 2.0) + noise * np.eye(12)
    inverse = np.linalg.inv(cov)
    left = left_out_residuals(inverse, inverse @ y, groups)
    for group in range(7):
        out, rest = groups == group, groups != group
        weights = np.linalg.solve(cov[np.ix_(rest, rest)], y[rest])
        expected = y[out] - kernel(x[out], x[rest], lengths, 2.0) @ weights
        np.testing.assert_allclose(left[out], expected, rtol=1e-8)


def test_a_surface_at_one_place_is_the_surface_and_its_slope():
    rng = np.random.default_rng(2)
    process = rng.normal(size=(30, 3))
    surface = fit_surface(process, np.exp(process @ [0.3, -0.2, 0.1]), np.arange(30), 0)
    for place in rng.normal(size=(4, 3)):
        value, slope = surface_at(surface, process, place)
        assert value == pytest.approx(predict_surface(surface, process, place[None])[0], abs=1e-9)
        steps = np.vstack([place + 1e-5 * np.eye(3), place - 1e-5 * np.eye(3)])
        up, down = predict_surface(surface, process, steps).reshape(2, 3)
        np.testing.assert_allclose(slope, (up - down) / 2e-5, atol=1e-5)


def test_replicates_do_not_make_a_surface_look_better_than_it_is():
    """Every setting has a level of its own: nothing can be said of a setting never seen."""
    rng = np.random.default_rng(1)
    process = np.repeat(rng.normal(size=(20, 3)), 4, axis=0)
    values = np.repeat(rng.normal(size=20), 4) + 0.05 * rng.normal(size=80)
    honest = fit_surface(process, values, setting_groups(process), 0)
    naive = fit_surface(process, values, np.arange(80), 0)
    assert naive.r2 > 0.9, "replicates give the answer away"
    assert honest.r2 < 0.4 and honest.sd > 0.6, (honest.r2, honest.sd)


def test_deviation_of_a_surface_is_that_of_the_gaussian_process():
    rng = np.random.default_rng(2)
    process = rng.uniform(-1, 1, (15, 1))
    surface = fit_surface(process, 5 + process[:, 0] + 0.1 * rng.normal(size=15), np.arange(15), 0)
    points = np.array([[0.0], [500.0]])
    found = surface_sd(surface, process, points)
    gram = kernel(process, process, surface.lengths, surface.constant)
    cross = kernel(points, process, surface.lengths, surface.constant)
    inverse = np.linalg.inv(gram + surface.noise * np.eye(15))
    expected = surface.constant - np.diag(cross @ inverse @ cross.T)
    np.testing.assert_allclose(found, surface.scale * np.sqrt(expected), rtol=1e-4)
    assert found[1] == pytest.approx(surface.scale * np.sqrt(surface.constant))


def test_scatter_of_the_tests_is_learned_from_the_data(network):
    """The toy foundry's castings of one setting differ by their tests only."""
    for node, surface in zip(network.properties, network.support.surfaces, strict=True):
        ratio = surface.scatter / SCATTER[node.column]
        assert 0.75 < ratio < 1.3, (node.column, surface.scatter)
        assert surface.scatter < surface.sd


def test_what_latents_explain_is_no_scatter():
    rng = np.random.default_rng(4)
    process, latents = rng.uniform(-1.7, 1.7, (120, 2)), rng.normal(size=(120, 6))
    casting = 0.3 * latents @ np.array([1.0, -1.0, 0.5, 0, 0, 0])
    values = 10 * process[:, 0] + casting + 0.25 * rng.normal(size=120) - 50
    with_latents = fit_surface(process, values, np.arange(120), 0, latents)
    without = fit_surface(process, values, np.arange(120), 0)
    assert with_latents.scatter == pytest.approx(0.25, rel=0.3), with_latents.scatter
    assert without.scatter == pytest.approx(np.hypot(0.25, casting.std()), rel=0.3)


def test_a_surface_of_some_specimens_is_fitted_to_them_alone(network):
    support, rows = network.support, np.arange(0, 100, 2)
    part = restricted(support, rows)
    surface = support.surfaces[0]
    again = refit(surface, support.process, support.properties[:, 0])
    np.testing.assert_allclose(again.alpha, surface.alpha, rtol=1e-5, atol=1e-6)
    assert part.process.shape == (50, 3) and part.surfaces[0].alpha.shape == (50,)
    values = support.properties.copy()
    values[1::2] = 999.0
    changed = refit(surface, support.process[rows], values[rows, 0])
    np.testing.assert_array_equal(changed.alpha, part.surfaces[0].alpha)
    at = predict_surface(part.surfaces[0], part.process, support.process[rows])
    assert np.abs(at - np.log(support.properties[rows, 0])).mean() < 0.06


def test_replicates_leave_the_settings_between_them_within_reach(replicated):
    low, high = replicated.support.process.min(axis=0), replicated.support.process.max(axis=0)
    inside = near_data(replicated.support, process_mesh(low, high, 512))
    assert inside.mean() > 0.95, inside.mean()


def test_strengths_between_replicated_settings_are_feasible(replicated):
    low, high = np.array([RANGES[n] for n in NAMES]).T
    middle = low + (high - low) * (0.2 + 0.6 * np.random.default_rng(6).random((40, 3)))
    given = [
        judge(replicated, {"uts_mpa": u, "ys_mpa": y}).verdict for u, y in strengths(*middle.T)
    ]
    assert given.count("infeasible") == 0, given
    assert judge(replicated, {"uts_mpa": 430.0}, {"radius_mm": 23.7}).verdict == "feasible"
