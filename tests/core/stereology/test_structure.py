"""Drawn lamellae and discs are measured as they were drawn; what is not there is not measured."""

import numpy as np
import pytest

from core.errors import InputError
from core.stereology import find_phases, half_width, measure_structure
from core.stereology.intercepts import crossings_per_px, spacing_px
from core.stereology.texture import orientation, texture_length_px
from tests.core.stereology.drawn import discs, lamellae, one_phase
from tests.core.textures import texture


def test_lamellae_have_the_area_and_chord_they_were_drawn_with():
    found = measure_structure(lamellae(256, 6, 10, noise=0.03), um_per_px=0.5)
    # Across: a period of 16 px; along: nothing is crossed; diagonals: sqrt(2) as long.
    expected_px = 2 / np.mean([2 / 16, 0, *(2 / 16 / np.sqrt(2),) * 2])
    assert found.values["dark_phase_pct"] == pytest.approx(37.5, abs=1.5)
    assert found.values["spacing_um"] == pytest.approx(0.5 * expected_px, rel=0.03)
    share = found.values["dark_phase_pct"] / 100
    assert found.values["dark_chord_um"] == pytest.approx(share * found.values["spacing_um"])
    assert found.values["anisotropy"] > 0.9 and found.reasons == {}


def test_discs_have_the_mean_chord_that_geometry_says():
    pitch, radius = 32, 9.0
    dark = discs(320, pitch, radius) < 0.5
    share = np.pi * radius**2 / pitch**2
    # A convex body's mean chord in the plane is pi times area over perimeter.
    chord = np.pi * radius / 2
    assert share * spacing_px(dark) == pytest.approx(chord, rel=0.05)
    assert measure_structure(discs(320, pitch, radius), 1.0).values["anisotropy"] < 0.05


def test_crossings_are_the_same_for_the_picture_turned_or_inverted():
    dark = texture(96, 96, 3.0, 1) < 0.45
    rate = crossings_per_px(dark)
    assert crossings_per_px(~dark) == rate == pytest.approx(crossings_per_px(np.rot90(dark)))
    assert spacing_px(np.zeros((64, 64), bool)) is None


@pytest.mark.parametrize("um_per_px", [0.1, 1.0, 5.0])
def test_lengths_scale_and_areas_do_not(um_per_px):
    one = measure_structure(lamellae(192, 8, 8), 1.0).values
    other = measure_structure(lamellae(192, 8, 8), um_per_px).values
    for name, value in one.items():
        factor = um_per_px if name.endswith("_um") else 1.0
        assert other[name] == pytest.approx(factor * value), name


def test_one_phase_is_not_parted_and_the_reason_is_said():
    found = measure_structure(one_phase(192), 1.0)
    assert "dark_phase_pct" not in found.values and "spacing_um" not in found.values
    assert "no two phases" in found.reasons["dark_phase_pct"]
    assert "anisotropy" in found.values
    grey = find_phases(np.full((96, 96), 0.5, dtype=np.float32))
    assert grey.reason == "it has one grey level only" and not grey.dark.any()


def test_too_few_spacings_are_no_spacing():
    found = measure_structure(lamellae(128, 40, 40), 1.0)
    assert "dark_phase_pct" in found.values and "spacings fit" in found.reasons["spacing_um"]


def test_specks_of_both_phases_are_noise():
    pixels = lamellae(192, 16, 16)
    pixels[8:10, 8:10], pixels[8:10, 24:26] = 0.7, 0.2
    assert find_phases(pixels).dark.sum() == find_phases(lamellae(192, 16, 16)).dark.sum()


def test_an_uneven_structure_is_known_less_well_than_an_even_one():
    even, half = lamellae(256, 6, 10, noise=0.02), lamellae(256, 6, 10, noise=0.02)
    half[:, 128:] = lamellae(256, 3, 13, noise=0.02)[:, 128:]
    widths = [measure_structure(p, 1.0).half_width("dark_phase_pct") for p in (even, half)]
    assert widths[0] < 3 < widths[1]
    assert measure_structure(lamellae(128, 6, 10), 1.0).half_width("dark_phase_pct") is None


def test_half_widths_take_doubt_into_account():
    assert half_width([1.0, 2.0]) is None
    assert half_width([10.0] * 4, doubt=0.7) == pytest.approx(0.7)


@pytest.mark.parametrize("grain", [2.0, 4.0, 6.0])
def test_texture_length_follows_the_grain(grain):
    # Noise smoothed by s has the autocorrelation exp(-r^2 / 4 s^2); from its value at 2 px it has
    # fallen to 1/e at sqrt(4 s^2 + 4).
    found = texture_length_px(texture(256, 256, grain, 3))
    assert found == pytest.approx(np.sqrt(4 * grain**2 + 4), rel=0.15)
    assert texture_length_px(np.full((96, 96), 0.5)) is None


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_the_direction_is_the_drawn_one(degrees):
    y, x = np.mgrid[:200, :200]
    angle = np.radians(degrees)
    across = x * np.sin(angle) + y * np.cos(angle)  # y points down, angles are counter-clockwise
    anisotropy, found = orientation(0.5 + 0.2 * np.sin(across / 3))
    assert anisotropy > 0.95
    assert min(abs(found - degrees), 180 - abs(found - degrees)) < 2
    assert orientation(np.full((96, 96), 0.5)) == (0.0, 0.0)
    assert orientation(texture(256, 256, 2.0, 5))[0] < 0.1


def test_what_is_no_grey_picture_is_refused():
    with pytest.raises(InputError, match="64 px"):
        measure_structure(np.zeros((32, 200)), 1.0)
    with pytest.raises(InputError, match="plausible"):
        measure_structure(np.full((96, 96), 0.5), 1e6)
