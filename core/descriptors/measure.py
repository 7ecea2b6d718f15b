"""Everything a metallographer reports about a cast iron, from one or more fields."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.descriptors import grains
from core.descriptors.descriptors import Descriptors, distribution
from core.descriptors.flakes import flake_length_um, flake_thickness_um, mean_thickness_um
from core.descriptors.inputs import check_scale
from core.descriptors.nodularity import (
    nodularity_iso_pct,
    nodularity_jis_pct,
    size_shares_pct,
)
from core.descriptors.particles import (
    Particles,
    label_particles,
    measure_particles,
    nearest_neighbours_um,
    pool,
)
from core.descriptors.segmentation import Segmentation, segment_graphite
from core.descriptors.two_point import TwoPoint, mean_two_point, two_point
from core.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredField:
    """What was measured in one field, before it is summed up.

    Attributes:
        graphite: (H, W) bool, the mask measured; also what an overlay draws.
        um_per_px: scale.
        particles: those of at least 10 um maximum Feret diameter.
        thickness_um: (S,) local thickness of what is no nodule.
        intercepts: grain boundaries crossed.
        two_point: S2; None for fields that are too small.
        notes: of the segmentation.
    """

    graphite: NDArray[np.bool_]
    um_per_px: float
    particles: Particles
    thickness_um: NDArray[np.float64]
    intercepts: grains.Intercepts
    two_point: TwoPoint | None
    notes: tuple[str, ...] = ()

    @property
    def area_mm2(self) -> float:
        """Area of the field, mm2."""
        return self.graphite.size * self.um_per_px**2 * 1e-6


def measure_field(pixels: NDArray[np.floating], um_per_px: float) -> MeasuredField:
    """Segment and measure one field.

    Args:
        pixels: (H, W) float in [0, 1]; graphite dark.
        um_per_px: scale.

    Raises:
        InputError: not a grey picture, or the scale is missing or implausible.
    """
    scale = check_scale(um_per_px)
    found = segment_graphite(pixels)
    return measure_mask(found.graphite, scale, found)


def measure_mask(
    graphite: NDArray[np.bool_], um_per_px: float, source: Segmentation | None = None
) -> MeasuredField:
    """Measure a graphite mask, for example a true or a hand-drawn one.

    Args:
        graphite: (H, W) bool.
        um_per_px: scale.
        source: what the mask comes from; grains are measured in its picture.

    Raises:
        InputError: the mask is not (H, W) bool, or the scale is implausible.
    """
    scale = check_scale(um_per_px)
    if graphite.ndim != 2 or graphite.dtype != np.bool_:
        raise InputError(f"a mask (H, W) of bool is needed, not {graphite.shape} {graphite.dtype}")
    with ThreadPoolExecutor(1) as beside:  # the grains take as long as all the rest
        intercepts = beside.submit(_intercepts, source, scale)
        labels = label_particles(graphite)
        particles = measure_particles(labels, scale)
        return MeasuredField(
            graphite=graphite,
            um_per_px=scale,
            particles=particles,
            thickness_um=flake_thickness_um(labels, particles, scale),
            two_point=two_point(graphite, scale),
            intercepts=intercepts.result(),
            notes=source.notes if source is not None else (),
        )


def _intercepts(source: Segmentation | None, um_per_px: float) -> grains.Intercepts:
    if source is None:
        return grains.Intercepts(0, 0.0, "a mask shows no grain boundaries")
    return grains.measure_intercepts(source.flat, source.dark, um_per_px)


def sum_up(fields: Sequence[MeasuredField]) -> Descriptors:
    """Turn measured fields of one specimen into descriptors; particles are pooled.

    Raises:
        InputError: no field, or fields of different scales.
    """
    if not fields:
        raise InputError("at least one field is needed")
    scale = fields[0].um_per_px
    if any(field.um_per_px != scale for field in fields):
        raise InputError("fields of different scales cannot be pooled; bring them to one scale")
    area_mm2 = sum(field.area_mm2 for field in fields)
    particles = pool([field.particles for field in fields])
    inner = particles.inner()
    thickness = np.concatenate([field.thickness_um for field in fields])
    intercepts = grains.pool([field.intercepts for field in fields])
    intercept = grains.mean_intercept_um(intercepts)
    graphite = sum(float(f.graphite.mean()) * f.area_mm2 for f in fields) / area_mm2
    return Descriptors(
        um_per_px=scale,
        n_fields=len(fields),
        area_mm2=area_mm2,
        graphite_pct=100 * graphite,
        n_particles=len(particles),
        n_inner=len(inner),
        particles_per_mm2=(len(inner) + 0.5 * (len(particles) - len(inner))) / area_mm2,
        inner_particles_per_mm2=len(inner) / area_mm2,
        diameter_um=distribution(inner.diameter_um),
        feret_um=distribution(inner.feret_um),
        roundness=distribution(inner.roundness),
        nearest_neighbour_um=distribution(nearest_neighbours_um(particles)),
        nodularity_iso_pct=nodularity_iso_pct(inner),
        nodularity_jis_pct=nodularity_jis_pct(inner),
        size_shares_pct=size_shares_pct(inner),
        flake_length_um=flake_length_um(inner),
        flake_thickness_um=mean_thickness_um(thickness),
        grain_intercept_um=intercept,
        grain_size_number=grains.grain_size_number(intercept) if intercept else None,
        grain_reason=intercepts.reason,
        two_point=mean_two_point([field.two_point for field in fields]),
        notes=tuple(dict.fromkeys(note for field in fields for note in field.notes)),
    )


def describe(pixels: NDArray[np.floating], um_per_px: float) -> Descriptors:
    """Measure one micrograph of a cast iron.

    Args:
        pixels: (H, W) float in [0, 1]; graphite dark.
        um_per_px: scale, um per pixel.

    Returns:
        The descriptors; where no graphite is found, zeros and None with a note.

    Raises:
        InputError: not a grey picture, or the scale is missing or implausible.

    Example:
        >>> pixels = np.full((128, 128), 0.6, dtype=np.float32)
        >>> y, x = np.mgrid[:128, :128]
        >>> pixels[np.hypot(y - 64, x - 64) < 20] = 0.15
        >>> found = describe(pixels, um_per_px=1.0)
        >>> found.n_inner, round(found.diameter_um.mean), found.nodularity_iso_pct
        (1, 40, 100.0)
    """
    return sum_up([measure_field(pixels, um_per_px)])
