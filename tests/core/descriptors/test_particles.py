"""Claims about single particles: drawn shapes of known size."""

import numpy as np
import pytest

from core.descriptors.particles import (
    label_particles,
    measure_particles,
    nearest_neighbours_um,
    pool,
)
from core.errors import InputError
from tests.core.descriptors.drawn import FINE, disc, ellipse, lamella


def pixels_of(shape: np.ndarray) -> np.ndarray:
    """Mask (H, W): pixels more than half covered."""
    side = shape.shape[0] // FINE
    return shape.reshape(side, FINE, side, FINE).mean(axis=(1, 3)) > 0.5


def measure(*shapes: np.ndarray, um_per_px: float = 1.0, **rules: float):
    return measure_particles(label_particles(pixels_of(np.any(shapes, axis=0))), um_per_px, **rules)


@pytest.mark.parametrize("um_per_px", [0.5, 1.0, 2.0])
def test_a_disc_has_its_diameter_and_is_round(um_per_px):
    found = measure(disc(128, (64.2, 63.7), 40.0), um_per_px=um_per_px)
    assert len(found) == 1
    assert found.diameter_um[0] == pytest.approx(40 * um_per_px, rel=0.01)
    assert found.feret_um[0] == pytest.approx(40 * um_per_px, rel=0.03)
    assert found.roundness[0] == pytest.approx(1, abs=0.05)
    assert found.centre_um[0] == pytest.approx([64.2 * um_per_px, 63.7 * um_per_px], abs=0.5)


@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 4, 1.2])
def test_an_ellipse_is_as_long_as_drawn_and_as_round_as_its_axes(angle):
    found = measure(ellipse(128, (64, 64), (60, 30), angle))
    assert found.feret_um[0] == pytest.approx(60, rel=0.03)
    assert found.area_um2[0] == pytest.approx(np.pi / 4 * 60 * 30, rel=0.01)
    assert found.roundness[0] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("angle", [0.0, 0.3, 0.7])
def test_a_lamella_is_as_long_as_its_diagonal(angle):
    found = measure(lamella(128, (64, 64), 80, 6, angle))
    assert found.feret_um[0] == pytest.approx(np.hypot(80, 6), rel=0.03)
    assert found.area_um2[0] == pytest.approx(480, rel=0.03)


def test_particles_below_10_um_are_left_out_whatever_the_scale():
    small, large = disc(128, (30, 30), 8.0), disc(128, (90, 90), 14.0)
    assert len(measure(small, large)) == 1
    assert len(measure(small, large, um_per_px=2.0)) == 2
    assert len(measure(small, large, um_per_px=0.5)) == 0
    assert len(measure(small, large, min_feret_um=5.0)) == 2
    assert len(measure(small, large, min_feret_um=5.0, min_area_px=100)) == 1


def test_particles_at_the_border_are_marked_and_not_inner():
    found = measure(disc(128, (2, 60), 20), disc(128, (60, 126), 20), disc(128, (64, 64), 20))
    assert sorted(found.touches_border) == [False, True, True]
    assert len(found.inner()) == 1


def test_touching_corners_are_one_particle():
    mask = np.zeros((64, 64), dtype=bool)
    mask[10:30, 10:30] = mask[30:50, 30:50] = True
    assert len(measure_particles(label_particles(mask), 1.0)) == 1


def test_nearest_neighbours_are_those_of_a_square_lattice_and_stay_in_their_field():
    places = [(20, 20), (20, 60), (60, 20), (60, 60)]
    found = measure(*(disc(80, place, 14) for place in places))
    assert nearest_neighbours_um(found) == pytest.approx(40, abs=0.5)
    alone = measure(disc(80, (40, 40), 14))
    assert len(nearest_neighbours_um(alone)) == 0
    assert nearest_neighbours_um(pool([found, alone])) == pytest.approx(40, abs=0.5)


def test_no_particles_are_an_empty_table():
    found = measure_particles(label_particles(np.zeros((64, 64), dtype=bool)), 1.0)
    assert len(found) == len(found.diameter_um) == len(found.inner()) == 0


def test_a_wrong_scale_or_shape_is_refused():
    with pytest.raises(InputError, match="plausible"):
        measure_particles(np.zeros((64, 64), dtype=int), 0.0)
    with pytest.raises(InputError, match="label image"):
        measure_particles(np.zeros(64, dtype=int), 1.0)
