"""Nodularity and size classes as the standards define them, for inner particles >= 10 um."""

import numpy as np
from numpy.typing import NDArray

from core.descriptors.particles import Particles

NODULE_ROUNDNESS = 0.6  # forms V and VI of ISO 945-1

# JIS G5502: upper limits of roundness of the first four classes, and the weight of each class.
JIS_LIMITS = (0.2, 0.4, 0.7, 0.8)
JIS_WEIGHTS = (0.0, 0.3, 0.7, 0.9, 1.0)

# ISO 945-1, sizes 1 to 8: largest dimension at true scale, um: 1 from 1000 on, 8 below 15.
# From memory of the standard (entry 16 of the calibration list); not held against its text.
SIZE_LIMITS_UM = (1000.0, 500.0, 250.0, 120.0, 60.0, 30.0, 15.0)


def is_nodule(particles: Particles) -> NDArray[np.bool_]:
    """Return which particles are nodules: roundness of at least 0.6, (P,)."""
    return particles.roundness >= NODULE_ROUNDNESS


def nodularity_iso_pct(particles: Particles) -> float | None:
    """Return ISO 945-4 nodularity: the nodules' area over the area of all, %.

    Args:
        particles: inner ones, of at least 10 um maximum Feret diameter.

    Returns:
        0 to 100; None without particles.
    """
    total = particles.area_um2.sum()
    if total == 0:
        return None
    return float(100 * particles.area_um2[is_nodule(particles)].sum() / total)


def nodularity_jis_pct(particles: Particles) -> float | None:
    """Return JIS G5502 nodularity: the mean weight of five classes of roundness, by number, %.

    Classes <= 0.2, 0.2 to 0.4, 0.4 to 0.7, 0.7 to 0.8 and > 0.8 weigh 0, 0.3, 0.7, 0.9 and 1.

    Args:
        particles: inner ones, of at least 10 um maximum Feret diameter.

    Returns:
        0 to 100; None without particles.
    """
    if len(particles) == 0:
        return None
    classes = np.searchsorted(JIS_LIMITS, particles.roundness, side="left")
    return float(100 * np.asarray(JIS_WEIGHTS)[classes].mean())


def size_classes(particles: Particles) -> NDArray[np.int64]:
    """Return each particle's ISO 945-1 size, (P,) from 1 (>= 1 mm) to 8 (< 15 um)."""
    return 1 + (particles.feret_um[:, None] < np.asarray(SIZE_LIMITS_UM)).sum(axis=1)


def size_shares_pct(particles: Particles) -> tuple[float, ...] | None:
    """Return the shares by number of the sizes 1 to 8, eight values in %; None without any."""
    if len(particles) == 0:
        return None
    counts = np.bincount(size_classes(particles), minlength=9)[1:]
    return tuple(float(share) for share in 100 * counts / len(particles))
