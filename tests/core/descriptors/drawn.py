"""Pictures with particles of known size, drawn with soft edges."""

import numpy as np
from scipy import ndimage

MATRIX, GRAPHITE = 0.6, 0.15
FINE = 4  # sub-pixels a pixel


def picture(shapes: list[np.ndarray], noise: float = 0.01, seed: int = 0) -> np.ndarray:
    """Turn masks on the fine grid (FINE * H, FINE * W) into a picture (H, W)."""
    fine = np.any(shapes, axis=0).astype(np.float32)
    height, width = (n // FINE for n in fine.shape)
    cover = fine.reshape(height, FINE, width, FINE).mean(axis=(1, 3))
    cover = ndimage.gaussian_filter(cover, 0.5)
    pixels = MATRIX - (MATRIX - GRAPHITE) * cover
    pixels += noise * np.random.default_rng(seed).standard_normal(pixels.shape)
    return np.clip(pixels, 0, 1).astype(np.float32)


def grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the sub-pixels' middles, px."""
    line = (np.arange(side * FINE) + 0.5) / FINE
    return np.meshgrid(line, line, indexing="ij")


def ellipse(
    side: int, centre: tuple[float, float], axes: tuple[float, float], angle: float = 0.0
) -> np.ndarray:
    """An ellipse of these full axes, px, the first along ``angle`` from the rows' direction."""
    y, x = grid(side)
    v, u = y - centre[0], x - centre[1]
    along = u * np.cos(angle) + v * np.sin(angle)
    across = v * np.cos(angle) - u * np.sin(angle)
    return (2 * along / axes[0]) ** 2 + (2 * across / axes[1]) ** 2 <= 1


def disc(side: int, centre: tuple[float, float], diameter: float) -> np.ndarray:
    return ellipse(side, centre, (diameter, diameter))


def lamella(
    side: int, centre: tuple[float, float], length: float, width: float, angle: float
) -> np.ndarray:
    """A rectangle, its length along ``angle``."""
    y, x = grid(side)
    v, u = y - centre[0], x - centre[1]
    along = u * np.cos(angle) + v * np.sin(angle)
    across = v * np.cos(angle) - u * np.sin(angle)
    return (abs(along) <= length / 2) & (abs(across) <= width / 2)


def worm(side: int, radius: float, width: float) -> np.ndarray:
    """A half ring round the middle: a bent particle of mean length pi * radius."""
    y, x = grid(side)
    distance = np.hypot(y - side / 2, x - side / 2)
    return (abs(distance - radius) <= width / 2) & (y < side / 2)
