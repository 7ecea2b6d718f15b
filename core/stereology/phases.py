"""A dark and a light phase told apart, where a picture shows two at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label

from core.descriptors.background import flatten_background
from core.descriptors.inputs import check_pixels

SMOOTHING_PX = 1.0  # against noise
LEAST_PX = 16  # smaller specks of either phase are noise
SHIFT = 0.1  # of the contrast: how far the limit between the phases may reasonably lie elsewhere
# Density of grey levels at the limit, times the contrast, over the flatter half of the picture:
# blurred edges have every level between the phases. Pictures without two phases have 0.54 (normal
# grey levels) or 0.5 (any level as often); two phases far apart have 0.
LARGEST_VALLEY = 0.48
LEAST_SHARE = 0.01  # of the area, of the rarer phase

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Phases:
    """The dark phase of a picture, and how sure the limit between the phases is.

    Attributes:
        dark: (H, W) bool, specks of both phases below `LEAST_PX` dropped.
        doubt: change of its area share where the limit moves by `SHIFT` of the contrast, half of
            what it is from one side to the other.
        valley: how frequent grey levels at the limit are (`LARGEST_VALLEY`).
        reason: why these are no two phases, "" where they are.
    """

    dark: Mask
    doubt: float
    valley: float
    reason: str


def find_phases(pixels: NDArray[np.floating]) -> Phases:
    """Tell a dark from a light phase in the picture with even light.

    Otsu's threshold finds them; half way between their medians is where edges lie.

    Whether there are two is asked of the grey levels at the limit: where they are as frequent as
    in a picture of one phase, the limit parts noise or shading.

    Args:
        pixels: (H, W) float in [0, 1].

    Raises:
        InputError: not a grey picture, see `core.descriptors.inputs.check_pixels`.

    Example:
        >>> stripes = np.tile(np.repeat([0.2, 0.7, 0.7], 8), (96, 4))
        >>> found = find_phases(stripes)
        >>> round(float(found.dark.mean()), 2), found.reason
        (0.33, '')
    """
    flat = flatten_background(check_pixels(pixels))
    smooth = ndimage.gaussian_filter(flat, SMOOTHING_PX)
    nothing = np.zeros(flat.shape, dtype=bool)
    if float(np.ptp(smooth)) < 1e-3:
        return Phases(nothing, 0.0, 1.0, "it has one grey level only")
    below = smooth < threshold_otsu(smooth)
    limit = float(np.median(smooth[~below]) + np.median(smooth[below])) / 2
    below = smooth < limit
    contrast = float(np.median(smooth[~below]) - np.median(smooth[below]))
    low, high = (float((smooth < limit + k * contrast).mean()) for k in (-SHIFT, SHIFT))
    valley, share = _valley(smooth, limit, contrast), float(below.mean())
    reason = ""
    if valley > LARGEST_VALLEY:
        reason = "its grey levels show no two phases"
    elif min(share, 1 - share) < LEAST_SHARE:
        reason = f"the rarer phase has less than {100 * LEAST_SHARE:g} % of the area"
    return Phases(_without_specks(below), (high - low) / 2, valley, reason)


def _valley(smooth: NDArray[np.float32], limit: float, contrast: float) -> float:
    """Return the density of grey levels at a limit, times the contrast; see `LARGEST_VALLEY`."""
    steep = ndimage.gaussian_gradient_magnitude(smooth, SMOOTHING_PX)
    flat = smooth[steep <= np.median(steep)]
    near = np.abs(flat - limit) < SHIFT * contrast
    return float(near.mean()) / (2 * SHIFT)


def _without_specks(dark: Mask) -> Mask:
    """Drop specks below `LEAST_PX` of the dark phase, then those of the light one."""
    found = dark.copy()
    for value in (True, False):
        labels = label(found == value, connectivity=1)
        small = np.bincount(labels.ravel()) < LEAST_PX
        small[0] = False
        found[small[labels]] = not value
    return found
