"""Claims about ferrite grain size by intercepts."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from core.descriptors import describe
from core.descriptors.grains import (
    Intercepts,
    count_crossings,
    grain_size_number,
    mean_intercept_um,
    pool,
)
from tests.core.descriptors.drawn import disc, picture

SIDE = 320


def etched(n_grains: int, depth: float, seed: int) -> tuple[np.ndarray, float]:
    """Random polygons with dark boundaries and a few nodules; and their true mean intercept, px."""
    rng = np.random.default_rng(seed)
    seeds = rng.uniform(0, SIDE, (n_grains, 2))
    grid = np.moveaxis(np.indices((SIDE, SIDE), dtype=float), 0, -1)
    distance, index = cKDTree(seeds).query(grid, k=2)
    grain = index[..., 0]
    apart = np.linalg.norm(seeds[index[..., 0]] - seeds[index[..., 1]], axis=-1)
    edge = (distance[..., 1] ** 2 - distance[..., 0] ** 2) / (2 * apart)
    changes = (np.diff(grain, axis=0) != 0).sum() + (np.diff(grain, axis=1) != 0).sum()
    nodules = picture([disc(SIDE, (80, 90), 40), disc(SIDE, (220, 230), 50)], seed=seed)
    return (nodules * (1 - depth * np.exp(-(edge**2)))).astype(np.float32), 2 * SIDE**2 / changes


@pytest.mark.parametrize(("n_grains", "depth"), [(60, 0.3), (120, 0.3), (120, 0.12)])
def test_mean_intercept_of_drawn_grains_comes_out_within_ten_per_cent(n_grains, depth):
    pixels, intercept_px = etched(n_grains, depth, seed=3)
    found = describe(pixels, um_per_px=0.5)
    assert found.grain_intercept_um == pytest.approx(0.5 * intercept_px, rel=0.10)
    assert found.grain_reason is None
    assert found.grain_size_number == pytest.approx(grain_size_number(0.5 * intercept_px), abs=0.35)


def test_without_boundaries_there_is_no_grain_size_and_a_reason():
    found = describe(picture([disc(SIDE, (80, 90), 40)]), um_per_px=1.0)
    assert found.grain_intercept_um is None
    assert found.grain_size_number is None
    assert "no network of grain boundaries" in str(found.grain_reason)


def test_scratches_are_no_grain_boundaries():
    pixels = picture([disc(SIDE, (80, 90), 40)])
    pixels[::40, :] *= 0.8
    pixels[60:, 150] *= 0.8
    pixels[5::40, 100:250] *= 0.85
    crossed = describe(pixels[:, :], um_per_px=1.0)
    lines = picture([disc(SIDE, (80, 90), 40)])
    for row in range(20, SIDE - 40, 40):
        lines[row, 20:200] *= 0.8
    found = describe(lines, um_per_px=1.0)
    assert found.grain_intercept_um is None
    assert crossed.graphite_pct == pytest.approx(found.graphite_pct, abs=0.2)


def test_grain_size_numbers_are_those_of_the_standard():
    # ASTM E112 table: mean intercept 320.0, 113.1, 56.6, 20.0 um for G 0, 3, 5, 8
    for number, intercept in ((0, 320.0), (3, 113.1), (5, 56.6), (8, 20.0)):
        assert grain_size_number(intercept) == pytest.approx(number, abs=0.01)


def test_a_line_along_a_boundary_counts_once():
    lines = np.zeros((20, 20), dtype=bool)
    lines[5, 3:17] = True
    assert count_crossings(lines) == 1 + 14


def test_fields_without_boundaries_do_not_dilute_others():
    seen, blind = Intercepts(100, 2000.0), Intercepts(0, 0.0, "none")
    assert mean_intercept_um(pool([blind, seen, seen])) == 20.0
    assert pool([blind]).reason == "none"
    assert mean_intercept_um(blind) is None
