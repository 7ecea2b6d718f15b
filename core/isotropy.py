"""Whether pictures prefer a direction, and whether many of them prefer the same one.

A direction is written as a complex number: its size, 0 to 1, says how much one way is preferred,
half its angle which (an axis turned by half a turn is the same axis).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label, regionprops

from core.summaries import paired_difference, summary

SMOOTH_PX = 1.5
LEAST_PX = 24  # of a particle: smaller ones have the directions of the pixels
DRAWS = 2000


def gradient_axis(pixels: NDArray[np.floating]) -> complex:
    """Return the direction that the gradients of a picture (H, W) prefer.

    sum g^2 exp(2 i theta) / sum g^2 over the gradients (g, theta) of the smoothed picture: of the
    structure tensor, its anisotropy and twice its angle.
    """
    smooth = ndimage.gaussian_filter(np.asarray(pixels, dtype=float), SMOOTH_PX)
    gy, gx = np.gradient(smooth)
    return complex(np.sum((gx + 1j * gy) ** 2) / max(np.sum(gx**2 + gy**2), 1e-12))


def anisotropy(pixels: NDArray[np.floating]) -> float:
    """Return how much the gradients of a picture (H, W) prefer a direction, 0 to 1."""
    return abs(gradient_axis(pixels))


def particle_axis(pixels: NDArray[np.floating]) -> complex:
    """Return the direction in which the dark particles of a picture (H, W) are long.

    The mean over particles (of Otsu's limit, those cut by the border left out), weighted by area,
    of the anisotropy of their second moments. 0 without particles.
    """
    if np.ptp(pixels) == 0:
        return 0j
    dark = ndimage.gaussian_filter(np.asarray(pixels, dtype=float), 1.0)
    total, weights = 0j, 0.0
    for region in regionprops(label(dark < threshold_otsu(dark))):
        top, left, bottom, right = region.bbox
        cut = top == 0 or left == 0 or bottom == dark.shape[0] or right == dark.shape[1]
        if cut or region.area < LEAST_PX:
            continue
        moments = region.moments_central
        across, along, mixed = moments[2, 0], moments[0, 2], moments[1, 1]
        total += region.area * (along - across + 2j * mixed) / (along + across)
        weights += region.area
    return complex(total / weights) if weights else 0j


def isotropy(axes: Mapping[str, list[complex]], real: str, seed: int = 0) -> dict[str, Any]:
    """Sum up the directions of pictures, arm by arm.

    Args:
        axes: arm -> directions of its pictures, in the order of the specimens.
        real: the arm of real pictures, which the others are compared with.
        seed: of the bootstrap.

    Returns:
        arm -> "strength", a `summary` of how much each picture prefers some direction; "common",
        the size of the mean direction, which is that all prefer; "common_by_chance", its 95th
        percentile when the same pictures are turned at random; and, for all but ``real``,
        "strength_minus_real", the paired difference.
    """
    rng, found = np.random.default_rng(seed), {}
    strengths = {arm: np.abs(np.array(values)) for arm, values in axes.items()}
    for arm, values in axes.items():
        turns = np.exp(2j * np.pi * rng.random((DRAWS, len(values))))
        by_chance = np.abs((turns * np.array(values)).mean(axis=1))
        found[arm] = {
            "strength": summary(strengths[arm]),
            "common": float(abs(np.mean(values))),
            "common_by_chance": float(np.quantile(by_chance, 0.95)),
        }
        if arm != real:
            difference = paired_difference(strengths[arm], strengths[real], seed)
            found[arm]["strength_minus_real"] = difference
    return found
