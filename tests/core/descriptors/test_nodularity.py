"""Claims about nodularity and size classes, worked by hand."""

import numpy as np
import pytest

from core.descriptors.nodularity import (
    nodularity_iso_pct,
    nodularity_jis_pct,
    size_classes,
    size_shares_pct,
)
from core.descriptors.particles import Particles


def particles(feret_um: list[float], roundness: list[float]) -> Particles:
    feret = np.array(feret_um, dtype=float)
    n = len(feret)
    return Particles(
        area_um2=np.array(roundness, dtype=float) * np.pi / 4 * feret**2,
        feret_um=feret,
        touches_border=np.zeros(n, dtype=bool),
        centre_um=np.zeros((n, 2)),
        field=np.zeros(n, dtype=np.int64),
        labels=np.arange(1, n + 1),
    )


def test_iso_nodularity_weighs_by_area():
    found = particles([20.0, 40.0], [0.9, 0.3])  # areas 0.9 * 400 and 0.3 * 1600, times pi / 4
    assert nodularity_iso_pct(found) == pytest.approx(100 * 360 / 840)


def test_roundness_of_just_0_6_is_a_nodule_and_below_is_none():
    assert nodularity_iso_pct(particles([20.0], [0.6001])) == 100
    assert nodularity_iso_pct(particles([20.0], [0.5999])) == 0


def test_jis_nodularity_weighs_five_classes_by_number():
    found = particles([20.0] * 5, [0.1, 0.3, 0.5, 0.75, 0.9])
    assert nodularity_jis_pct(found) == pytest.approx(20 * (0 + 0.3 + 0.7 + 0.9 + 1.0))


LIMITS = [(0.199, 0), (0.201, 30), (0.399, 30), (0.401, 70), (0.699, 70), (0.701, 90)]


@pytest.mark.parametrize(("roundness", "weight"), [*LIMITS, (0.799, 90), (0.801, 100)])
def test_jis_limits_are_where_the_standard_has_them(roundness, weight):
    assert nodularity_jis_pct(particles([30.0], [roundness])) == pytest.approx(weight)


def test_size_classes_halve_from_1_mm_to_15_um():
    sizes = [1000, 999, 500, 250, 120, 60, 30, 15, 14.9]
    assert size_classes(particles(sizes, [0.5] * 9)).tolist() == [1, 2, 2, 3, 4, 5, 6, 7, 8]
    assert size_shares_pct(particles([40.0, 50.0, 20.0, 12.0], [0.5] * 4)) == (
        *(0, 0, 0, 0, 0, 50, 25, 25),
    )


def test_without_particles_there_is_no_nodularity():
    nothing = particles([], [])
    assert nodularity_iso_pct(nothing) is None
    assert nodularity_jis_pct(nothing) is None
    assert size_shares_pct(nothing) is None
