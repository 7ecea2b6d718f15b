"""Uneven light taken out of a picture."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

TILES = 8  # across the longer side
MATRIX_PERCENTILE = 70.0  # above graphite and pearlite, below bright specks
LEAST_LEVEL = 0.02  # a darker background is not divided by


def flatten_background(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide by the matrix's local level, so that the matrix is equally light everywhere.

    Light enters as a factor. The matrix's level is first the 70th percentile of tiles, an eighth
    of the longer side each, then a Gaussian mean of what is not dark.

    Args:
        pixels: (H, W) in [0, 1].

    Returns:
        (H, W) float32; the matrix has its overall median level; not clipped.
    """
    first = _divide(pixels, _tile_level(pixels))
    light = ndimage.binary_erosion(first >= threshold_otsu(first), iterations=2, border_value=1)
    if light.mean() < 0.3:
        return first
    level = _local_mean(pixels, light, max(pixels.shape) / TILES)
    return _divide(pixels, level)


def _divide(pixels: NDArray[np.float32], level: NDArray[np.floating]) -> NDArray[np.float32]:
    level = np.maximum(level, LEAST_LEVEL)
    return (pixels * (np.median(level) / level)).astype(np.float32)


def _tile_level(pixels: NDArray[np.float32]) -> NDArray[np.floating]:
    """Return the percentile of tiles, interpolated between their middles, (H, W)."""
    side = max(pixels.shape) / TILES
    counts = [max(1, round(n / side)) for n in pixels.shape]
    edges = [
        np.linspace(0, n, c + 1).astype(int) for n, c in zip(pixels.shape, counts, strict=True)
    ]
    tiles = np.array(
        [
            [
                np.percentile(pixels[top:bottom, left:right], MATRIX_PERCENTILE)
                for left, right in zip(edges[1][:-1], edges[1][1:], strict=True)
            ]
            for top, bottom in zip(edges[0][:-1], edges[0][1:], strict=True)
        ]
    )
    rows, columns = (
        (np.arange(n) + 0.5) * c / n - 0.5 for n, c in zip(pixels.shape, counts, strict=True)
    )
    grid = np.meshgrid(rows, columns, indexing="ij")
    return ndimage.map_coordinates(tiles, grid, order=1, mode="nearest")


def _local_mean(
    pixels: NDArray[np.float32], light: NDArray[np.bool_], sigma_px: float
) -> NDArray[np.floating]:
    """Return the Gaussian mean of the light pixels, (H, W), computed on every fourth pixel."""
    step = 4
    weight = ndimage.uniform_filter(light.astype(np.float32), step)[::step, ::step]
    value = ndimage.uniform_filter(np.where(light, pixels, 0).astype(np.float32), step)
    mean = ndimage.gaussian_filter(value[::step, ::step], sigma_px / step)
    mean /= np.maximum(ndimage.gaussian_filter(weight, sigma_px / step), 1e-6)
    grid = np.meshgrid(*(np.arange(n) / step for n in pixels.shape), indexing="ij")
    return ndimage.map_coordinates(mean, grid, order=1, mode="nearest")
