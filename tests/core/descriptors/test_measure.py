"""Claims about the whole set of descriptors and its uncertainty."""

import json

import numpy as np
import pytest

from core.descriptors import SCALARS, describe, describe_fields, measure_field, measure_mask, sum_up
from core.descriptors.fields import estimate
from core.errors import InputError
from tests.core.descriptors.drawn import disc, ellipse, picture

SIDE = 200
FOUR = [disc(SIDE, place, 30) for place in ((50, 50), (50, 150), (150, 50), (150, 150))]
BLANK = np.full((SIDE, SIDE), 0.6, dtype=np.float32)


@pytest.mark.parametrize("um_per_px", [0.7, 1.5])
def test_four_discs_are_described_at_true_scale(um_per_px):
    found = describe(picture(FOUR), um_per_px)
    area_mm2 = (SIDE * um_per_px) ** 2 * 1e-6
    assert found.area_mm2 == pytest.approx(area_mm2)
    assert found.n_inner == found.n_particles == 4
    assert found.particles_per_mm2 == pytest.approx(4 / area_mm2)
    assert found.graphite_pct == pytest.approx(100 * np.pi * 30**2 / SIDE**2, abs=0.1)
    assert found.diameter_um.mean == pytest.approx(30 * um_per_px, rel=0.01)
    assert found.feret_um.mean == pytest.approx(30 * um_per_px, rel=0.03)
    assert found.diameter_um.sd < 0.5
    assert len(found.diameter_um.deciles) == 9
    assert found.roundness.mean > 0.93
    assert found.nearest_neighbour_um.mean == pytest.approx(100 * um_per_px, rel=0.01)
    assert found.nodularity_iso_pct == found.nodularity_jis_pct == 100
    assert found.size_class == (7 if um_per_px == 0.7 else 6)
    assert found.two_point.s2[0] == pytest.approx(found.graphite_pct / 100)


def test_nodularity_is_the_area_share_of_round_particles():
    shapes = [disc(SIDE, (60, 60), 40), ellipse(SIDE, (140, 130), (70, 40), 0.3)]
    found = describe(picture(shapes), 1.0)
    assert found.nodularity_iso_pct == pytest.approx(100 * 40**2 / (40**2 + 70 * 40), abs=0.5)
    assert found.nodularity_jis_pct == pytest.approx((100 + 70) / 2)


def test_particles_cut_by_the_border_count_half_and_have_no_say_in_shapes():
    cut = [disc(SIDE, (0, 100), 40), disc(SIDE, (100, 200), 40)]
    found = describe(picture([*FOUR, *cut]), 1.0)
    assert (found.n_inner, found.n_particles) == (4, 6)
    assert found.particles_per_mm2 == pytest.approx(5 / found.area_mm2)
    assert found.inner_particles_per_mm2 == pytest.approx(4 / found.area_mm2)
    assert found.nodularity_iso_pct == 100  # the half discs are not round
    assert found.diameter_um.n == 4


def test_a_blank_picture_gives_zeros_and_none_with_a_note():
    found = describe(BLANK, 1.0)
    assert found.graphite_pct == found.particles_per_mm2 == found.n_particles == 0
    assert found.nodularity_iso_pct is None
    assert found.diameter_um is None
    assert found.size_class is None
    assert "no graphite" in found.notes[0]
    assert set(found.scalars()) == {scalar.name for scalar in SCALARS}


def test_descriptors_can_be_written_as_json():
    text = json.dumps(describe(picture(FOUR), 1.0).as_dict(), allow_nan=False)
    assert json.loads(text)["n_inner"] == 4


@pytest.mark.parametrize("um_per_px", [None, 0.0, -1.0, float("nan"), 500.0, 1e-4, "wide"])
def test_a_missing_or_implausible_scale_is_refused(um_per_px):
    with pytest.raises(InputError, match=r"um per pixel|scale is unknown"):
        describe(BLANK, um_per_px)


def test_a_mask_is_measured_as_it_is():
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[50:90, 50:90] = True
    found = sum_up([measure_mask(mask, 1.0)])
    assert found.graphite_pct == 4.0
    assert "mask" in str(found.grain_reason)
    with pytest.raises(InputError, match="bool"):
        measure_mask(mask.astype(float), 1.0)


def test_fields_are_pooled_by_particles_and_scatter_gives_the_interval():
    first, second = picture(FOUR), picture([disc(SIDE, (100, 100), 60)])
    found = describe_fields([first, second], 1.0)
    assert found.pooled.n_fields == 2
    assert found.pooled.n_inner == 5
    assert found.pooled.particles_per_mm2 == pytest.approx(5 / found.pooled.area_mm2)
    assert found.pooled.diameter_um.mean == pytest.approx((4 * 30 + 60) / 5, rel=0.01)
    assert found.pooled.nearest_neighbour_um.n == 4
    area = found.estimates["graphite_pct"]
    values = [field.graphite_pct for field in found.fields]
    assert area.mean == pytest.approx(np.mean(values))
    half = 12.706 * abs(values[0] - values[1]) / 2  # Student's t of one degree, 97.5 %
    assert area.high - area.mean == pytest.approx(half, rel=1e-3, abs=1e-9)
    assert found.estimates["nearest_neighbour_um"] is None  # one field has no neighbours


def test_one_field_has_no_interval():
    found = describe_fields([picture(FOUR)], 1.0)
    assert all(value is None for value in found.estimates.values())
    assert estimate([1.0, None]) is None


def test_the_interval_covers_the_mean_of_twenty_samples_of_three_about_as_often_as_promised():
    rng = np.random.default_rng(0)
    found = [estimate(list(rng.normal(10, 2, 3))) for _ in range(400)]
    covered = np.mean([e.low <= 10 <= e.high for e in found])
    assert 0.92 <= covered <= 0.98


def test_unusable_fields_are_named():
    with pytest.raises(InputError, match=r"field 2: .*NaN"):
        describe_fields([BLANK, np.full_like(BLANK, np.nan)], 1.0)
    with pytest.raises(InputError, match="at least one field"):
        describe_fields([], 1.0)
    with pytest.raises(InputError, match="different scales"):
        sum_up([measure_field(BLANK, 1.0), measure_field(BLANK, 2.0)])
