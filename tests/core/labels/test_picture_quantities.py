"""What a picture looks like is measured as it was drawn, each quantity by itself."""

import numpy as np
import pytest
from scipy import ndimage

from core.labels.picture_quantities import picture_quantities

SIDE = 160


def drawn(
    matrix: float = 0.6, dark: float = 0.2, blur: float = 0.0, noise: float = 0.0, band: float = 0.0
):
    """A dark square in a matrix, (pixels, mask); ``band`` is the deviation of a slow ripple."""
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[50:110, 50:110] = True
    pixels = np.where(mask, dark, matrix)
    if blur:
        pixels = ndimage.gaussian_filter(pixels, blur)
    x = np.arange(SIDE)
    pixels = pixels + band * np.sqrt(2) * np.sin(2 * np.pi * x / 20) * ~mask
    return pixels + noise * np.random.default_rng(0).standard_normal(pixels.shape), mask


def measured(**settings) -> dict[str, float | None]:
    pixels, mask = drawn(**settings)
    return picture_quantities(pixels, mask, 0.5)


def test_grey_levels_and_contrast_are_the_drawn_ones():
    found = measured()
    assert found["graphite_grey_pct"] == pytest.approx(20)
    assert found["matrix_grey_pct"] == pytest.approx(60)
    assert found["contrast_pct"] == pytest.approx(40)
    assert found["noise_pct"] == pytest.approx(0, abs=1e-6)


def test_noise_and_texture_of_the_matrix_are_told_apart():
    noisy, rippled = measured(noise=0.02), measured(band=0.02)
    # The noise less its mean over a Gaussian of 1 px: 1 - 2 g(0) + sum of g squared.
    g = np.zeros((21, 21))
    g[10, 10] = 1
    g = ndimage.gaussian_filter(g, 1.0)
    left = np.sqrt(1 - 2 * g[10, 10] + (g**2).sum())
    assert noisy["noise_pct"] == pytest.approx(2 * left, rel=0.05)
    assert rippled["noise_pct"] < 0.2
    assert rippled["matrix_texture_pct"] > 4 * measured()["matrix_texture_pct"] + 0.5
    assert noisy["matrix_texture_pct"] < 0.6 * rippled["matrix_texture_pct"]


def test_softer_edges_are_wider_whatever_the_contrast():
    sharp, soft = measured(blur=0.7), measured(blur=2.0)
    assert soft["edge_width_um"] > 1.4 * sharp["edge_width_um"]
    weak = measured(blur=2.0, dark=0.45)
    assert weak["edge_width_um"] == pytest.approx(soft["edge_width_um"], rel=1e-6)


def test_what_is_not_there_is_not_measured():
    pixels = drawn()[0]
    bare = picture_quantities(pixels, np.zeros_like(pixels, dtype=bool), 0.5)
    assert bare["contrast_pct"] is None and bare["edge_width_um"] is None
    full = picture_quantities(pixels, np.ones_like(pixels, dtype=bool), 0.5)
    assert full["matrix_grey_pct"] is None and full["noise_pct"] is None
