"""Holes of particles filled, the ferrite between flakes left open."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label, regionprops

COMPACT_SOLIDITY = 0.85
NARROW = 0.5  # of the half thickness of the graphite round it

Mask = NDArray[np.bool_]


def fill_holes(mask: Mask) -> Mask:
    """Fill the holes of particles: bright spots and torn-out graphite in nodules.

    Flakes that touch enclose ferrite, which is no graphite. So a hole is filled where the filled
    particle is compact, or where the hole is at most half as wide as the graphite round it.

    Args:
        mask: (H, W) bool.

    Returns:
        (H, W) bool.

    Example:
        >>> ring = np.zeros((9, 9), dtype=bool)
        >>> ring[2:7, 2:7] = True
        >>> ring[4, 4] = False
        >>> int(fill_holes(ring).sum())
        25
    """
    if (ndimage.binary_fill_holes(mask) == mask).all():
        return mask.copy()
    filled = mask.copy()
    for particle in regionprops(label(mask, connectivity=2)):
        if particle.euler_number == 1:
            continue
        whole = ndimage.binary_fill_holes(particle.image)
        inside = filled[particle.slice]
        inside |= whole if _is_compact(whole) else _narrow_holes(particle.image, whole)
    return filled


def _is_compact(whole: Mask) -> bool:
    return bool(regionprops(whole.astype(np.uint8))[0].solidity >= COMPACT_SOLIDITY)


def _narrow_holes(particle: Mask, whole: Mask) -> Mask:
    """Return the holes of a particle that are narrow beside its own thickness."""
    limit = NARROW * ndimage.distance_transform_edt(np.pad(particle, 1)).max()
    holes = label(whole & ~particle, connectivity=1)
    depth = ndimage.distance_transform_edt(holes > 0)
    index = np.arange(1, holes.max() + 1)
    narrow = np.append(False, ndimage.maximum(depth, holes, index) <= limit)
    return narrow[holes]
