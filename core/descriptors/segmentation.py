"""Graphite told from the rest of a micrograph: polished, unevenly lit or etched."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.morphology import disk

from core.descriptors.background import flatten_background
from core.descriptors.holes import fill_holes
from core.descriptors.inputs import check_pixels
from core.descriptors.pearlite import (
    LEAST_PEARLITE_SHARE,
    Levels,
    pearlite_share,
    without_pearlite,
)

SMOOTHING_PX = 0.5  # against noise
LEAST_PX = 9  # smaller specks are noise, pits or dust
LINE_PX = 3  # thinner than twice this, an etched dark line is a grain boundary
LEAST_CONTRAST = 0.25  # of the matrix's level; grain boundaries have less
LEAST_NOISES = 6.0  # between graphite and matrix, in deviations of the matrix
FEW_PERCENTILE = 0.1  # graphite's level where there is too little of it for Otsu's threshold

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """What is graphite in a picture.

    Attributes:
        graphite: (H, W) bool, holes filled, specks below `LEAST_PX` dropped.
        dark: (H, W) bool, graphite and pearlite: what is neither ferrite nor its boundaries.
        flat: (H, W) float32, the picture with even light.
        limit: grey level of ``flat`` below which pixels are dark; None without graphite.
        pearlite: whether the picture shows pearlite.
        notes: what the user should know.
    """

    graphite: Mask
    dark: Mask
    flat: NDArray[np.float32]
    limit: float | None
    pearlite: bool
    notes: tuple[str, ...]


def segment_graphite(pixels: NDArray[np.floating]) -> Segmentation:
    """Find the graphite of a micrograph: the darkest phase, in light or etched ferrite.

    Uneven light is taken out (`flatten_background`); Otsu's threshold finds the dark phase, half
    way between its median and the matrix is where edges lie (Otsu's own threshold widens thin
    flakes); holes are filled; where pearlite shows, it is taken out (`core.descriptors.pearlite`).

    Args:
        pixels: (H, W) float in [0, 1]; graphite dark.

    Returns:
        The segmentation; empty, with a note, where nothing is dark enough to be graphite.

    Raises:
        InputError: not a grey picture, see `check_pixels`.
    """
    flat = flatten_background(check_pixels(pixels))
    smooth = ndimage.gaussian_filter(flat, SMOOTHING_PX)
    levels = _find_levels(smooth)
    if levels is None:
        nothing = np.zeros(flat.shape, dtype=bool)
        note = "no graphite found: nothing is clearly darker than the matrix"
        return Segmentation(nothing, nothing, flat, None, False, (note,))
    below = smooth < levels.limit
    dark = fill_holes(below)
    pearlite = pearlite_share(smooth, below, levels) > LEAST_PEARLITE_SHARE
    graphite = dark
    if pearlite:
        graphite = fill_holes(without_pearlite(smooth, dark, levels))
        dark = graphite | ndimage.binary_opening(dark, disk(LINE_PX))
    notes = ("etched: pearlite was found and left out of the graphite",) if pearlite else ()
    return Segmentation(_without_specks(graphite), dark, flat, levels.limit, pearlite, notes)


def _find_levels(smooth: NDArray[np.float32]) -> Levels | None:
    """Return the grey levels, None where no dark phase stands out of the matrix's noise."""
    limit = float(threshold_otsu(smooth)) if np.ptp(smooth) > 1e-6 else 0.0
    levels = _levels_at(smooth, limit)
    if levels is not None and _stand_out(smooth, levels):
        dark = float(np.median(smooth[smooth < limit]))
        return _levels_at(smooth, (dark + levels.matrix) / 2)
    matrix = float(np.median(smooth))
    darkest = float(np.percentile(smooth, FEW_PERCENTILE))
    levels = _levels_at(smooth, (matrix + darkest) / 2)
    return levels if _stand_out(smooth, levels) else None


def _levels_at(smooth: NDArray[np.float32], limit: float) -> Levels | None:
    below = smooth < limit
    if not below.any() or below.all():
        return None
    return Levels(limit, float(np.percentile(smooth[below], 10)), float(np.median(smooth[~below])))


def _stand_out(smooth: NDArray[np.float32], levels: Levels | None) -> bool:
    if levels is None:
        return False
    contrast = levels.matrix - levels.graphite
    light = smooth[smooth >= levels.limit]
    noise = 1.4826 * float(np.median(np.abs(light - levels.matrix)))
    return contrast >= LEAST_CONTRAST * levels.matrix and contrast >= LEAST_NOISES * noise


def _without_specks(mask: Mask) -> Mask:
    labels = label(mask)
    keep = np.bincount(labels.ravel()) >= LEAST_PX
    keep[0] = False
    return keep[labels]
