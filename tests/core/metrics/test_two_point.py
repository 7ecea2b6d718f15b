"""Claims about two-point correlations."""

import numpy as np
import pytest
import torch

from core.errors import InputError
from core.metrics.two_point import (
    MAX_LAG_PX,
    TwoPointDistance,
    area_fraction,
    dark_phase,
    two_point_correlation,
    two_point_distance,
)


def discs(radius_px: float, spacing_px: int, side: int = 256) -> np.ndarray:
    """Dark discs (grey level 0.2) on a square grid in a light matrix (0.6)."""
    y, x = np.mgrid[:side, :side]
    near = [(v + spacing_px / 2) % spacing_px - spacing_px / 2 for v in (y, x)]
    return np.where(np.hypot(*near) <= radius_px, 0.2, 0.6)


def picture(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32))[None, None]


def brute_force(mask: np.ndarray, lags: range) -> list[float]:
    points = np.argwhere(np.ones_like(mask))
    inside = mask.reshape(-1)
    hits, pairs = np.zeros(len(lags)), np.zeros(len(lags))
    for i, place in enumerate(points):
        distance = np.hypot(*(points - place).T).round().astype(int)
        for lag in lags:
            at = distance == lag
            pairs[lag] += at.sum()
            hits[lag] += (inside[at] & inside[i]).sum()
    return list(hits / pairs)


def test_correlation_is_that_of_counting_every_pair_of_points():
    mask = np.random.default_rng(0).random((24, 30)) < 0.4
    lags = range(9)
    found = two_point_correlation(torch.from_numpy(mask)[None, None])[0, : len(lags)]
    np.testing.assert_allclose(found, brute_force(mask, lags), atol=1e-12)


def test_correlation_at_no_distance_is_the_area_fraction():
    mask = torch.from_numpy(discs(20, 128) < 0.5)[None, None]
    found = two_point_correlation(mask)
    assert found.shape == (1, MAX_LAG_PX + 1)
    assert found[0, 0].item() == pytest.approx(mask.double().mean().item())
    assert found[0, 0].item() == pytest.approx(np.pi * 20**2 / 128**2, rel=0.02)


def test_correlation_of_sparse_random_points_falls_to_the_square_of_the_fraction():
    mask = torch.rand(1, 1, 256, 256, generator=torch.Generator().manual_seed(0)) < 0.3
    found = two_point_correlation(mask)[0, 5:].numpy()
    np.testing.assert_allclose(found, 0.09, rtol=0.03)


def test_dark_phase_is_what_was_drawn_dark():
    pixels = discs(16, 64) + np.random.default_rng(0).normal(0, 0.02, (256, 256))
    drawn = torch.from_numpy(discs(16, 64) < 0.5)[None, None]
    found = dark_phase(picture(pixels.clip(0, 1)))
    assert (found != drawn).double().mean().item() < 0.01
    fraction = area_fraction(picture(pixels.clip(0, 1))).item()
    assert fraction == pytest.approx(drawn.double().mean().item(), abs=0.01)


def test_distance_is_zero_for_equal_pictures_and_grows_with_the_size_of_the_discs():
    x = picture(discs(16, 64))
    same, near, far = (
        two_point_distance(x, picture(discs(r, 64))).item() for r in (16.0, 18.0, 26.0)
    )
    assert same == 0
    assert 0 < near < far
    torch.testing.assert_close(
        TwoPointDistance()(x, picture(discs(18, 64))),
        two_point_distance(x, picture(discs(18, 64))),
    )


def test_pictures_with_one_grey_level_have_no_dark_phase():
    blank, full = picture(np.full((256, 256), 0.5)), picture(discs(16, 64))
    assert area_fraction(blank).item() == 0
    assert two_point_distance(blank, blank).item() == 0
    assert two_point_distance(blank, full).item() == 1
    assert two_point_distance(full, blank).item() == pytest.approx(1)


def test_pictures_smaller_than_twice_the_longest_distance_are_refused():
    x = picture(discs(16, 64, side=96))
    with pytest.raises(InputError, match="at least 128 px"):
        two_point_distance(x, x)
