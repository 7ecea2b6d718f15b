"""Pearlite told from graphite in etched pictures.

Etched pearlite is dark, too: between graphite and ferrite, in irregular patches between the
grains. Grey nodules of polished irons are as dark as pearlite, but round. So a picture is taken to
show pearlite when much of what is dark is only half dark and belongs to irregular patches. Then
graphite is what has a core darker than pearlite, and is either bounded by light ferrite or as dark
as the graphite of this picture.

The limits were set on two nital-etched optical irons and three polished ones: the half-dark share
of irregular patches is 5 to 6 % etched, at most 0.3 % polished.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label, regionprops
from skimage.morphology import disk

HALF_DARK = 0.25  # from the darkest tenth (0) to the matrix (1)
IRREGULAR_SOLIDITY = 0.85
LEAST_PEARLITE_SHARE = 0.02
RIM_PX = 3  # blur of an edge, px
DARK_RIM_SHARE = 0.25  # of the rim: more than this is no light boundary
CERTAIN, POSSIBLE = 0.2, 0.6  # from graphite's median (0) to the limit towards pearlite (1)

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Levels:
    """Grey levels of a picture: the limit of what is dark, its darkest tenth, the matrix."""

    limit: float
    graphite: float
    matrix: float


def pearlite_share(smooth: NDArray[np.float32], dark: Mask, levels: Levels) -> float:
    """Return which share of what is dark is half dark inside and part of irregular patches, 0..1.

    Args:
        smooth: (H, W) flattened picture, smoothed against noise.
        dark: (H, W) what is darker than the limit, holes left open.
        levels: of this picture.
    """
    interior = ndimage.binary_erosion(dark, iterations=RIM_PX)
    total = int(dark.sum())
    if total == 0:
        return 0.0
    core = levels.graphite + HALF_DARK * (levels.matrix - levels.graphite)
    half_dark = interior & (smooth > core)
    labels = label(dark)
    by_patch = np.bincount(labels[half_dark], minlength=labels.max() + 1)
    irregular = sum(
        int(by_patch[patch.label])
        for patch in regionprops(labels)
        if by_patch[patch.label] and patch.solidity < IRREGULAR_SOLIDITY
    )
    return irregular / total


def without_pearlite(smooth: NDArray[np.float32], dark: Mask, levels: Levels) -> Mask:
    """Return the graphite among what is dark in a picture with pearlite, (H, W).

    The limit towards pearlite is Otsu's threshold of the dark interior. Cores below it grow back
    over the blurred edge, `RIM_PX` - 1 px.

    Args:
        smooth: (H, W) flattened picture, smoothed against noise.
        dark: (H, W) what is darker than the limit, holes filled.
        levels: of this picture.
    """
    interior = smooth[ndimage.binary_erosion(dark, iterations=RIM_PX)]
    if interior.size == 0:
        return dark
    limit, middle = float(threshold_otsu(interior)), float(np.median(interior))
    cores = ndimage.binary_opening(smooth < limit, disk(2))
    labels = label(cores)
    kept = np.zeros(labels.max() + 1, dtype=bool)
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        grown = tuple(slice(max(side.start - 8, 0), side.stop + 8) for side in box)
        core = labels[grown] == index
        level = (float(np.median(smooth[grown][core])) - middle) / max(limit - middle, 1e-6)
        rim = ndimage.binary_dilation(core, disk(2 * RIM_PX))
        rim &= ~ndimage.binary_dilation(core, disk(RIM_PX))
        shaded = float((smooth[grown][rim] < levels.limit).mean()) if rim.any() else 0.0
        kept[index] = level <= CERTAIN or (level <= POSSIBLE and shaded < DARK_RIM_SHARE)
    graphite = ndimage.binary_dilation(kept[labels], disk(RIM_PX - 1)) & dark
    return graphite
