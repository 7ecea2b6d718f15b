"""Length and thickness of flakes and other particles that are no nodules."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import skeletonize

from core.descriptors.nodularity import is_nodule
from core.descriptors.particles import Particles


def flake_length_um(particles: Particles) -> float | None:
    """Return the mean maximum Feret diameter of what is no nodule, weighted by area, um.

    The weight by area (as the reference castings' strength relations have it) keeps scraps from
    deciding. Flakes that touch are one particle.

    Args:
        particles: inner ones.

    Returns:
        The length; None where all are nodules.
    """
    other = particles.select(~is_nodule(particles))
    if len(other) == 0:
        return None
    return float(np.average(other.feret_um, weights=other.area_um2))


def flake_thickness_um(
    labels: NDArray[np.int32], particles: Particles, um_per_px: float
) -> NDArray[np.float64]:
    """Return the local thickness along the skeletons of what is no nodule, (S,) um.

    Twice the distance to the outline at each skeleton pixel. The distance transform takes the
    distance between pixel centres: a strip n px wide has (n + 1) / 2 (n odd) or n / 2 (even) on
    its skeleton, so half a pixel is taken off the double, which is right on average.

    Args:
        labels: (H, W) of one field.
        particles: of this field, cut ones included.
        um_per_px: scale.
    """
    other = particles.labels[~is_nodule(particles)]
    if len(other) == 0:
        return np.empty(0)
    chosen = np.zeros(labels.max() + 1, dtype=bool)
    chosen[other] = True
    mask = chosen[labels]
    distance = ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1]
    return (2 * distance[skeletonize(mask)] - 0.5) * um_per_px


def mean_thickness_um(thickness_um: NDArray[np.float64]) -> float | None:
    """Return the mean of local thicknesses (S,), weighted by themselves, um; None without any.

    The weight makes it a mean by area, as for `flake_length_um`, so that side branches of the
    skeleton, which run thin towards corners and bumps, hardly count.
    """
    if len(thickness_um) == 0:
        return None
    return float(np.average(thickness_um, weights=thickness_um))
