"""Claims about what is taken for graphite."""

import numpy as np
import pytest
from scipy import ndimage

from core.descriptors.background import flatten_background
from core.descriptors.holes import fill_holes
from core.descriptors.segmentation import segment_graphite
from core.errors import InputError
from tests.core.descriptors.drawn import disc, ellipse, lamella, picture

SIDE = 256
PLACES = [(50, 60), (60, 180), (150, 70), (170, 190), (220, 130)]
DISCS = [disc(SIDE, place, 36) for place in PLACES]
DISCS_PCT = 100 * 5 * np.pi / 4 * 36**2 / SIDE**2


def test_discs_are_found_with_their_area():
    found = segment_graphite(picture(DISCS))
    assert 100 * found.graphite.mean() == pytest.approx(DISCS_PCT, abs=0.1)
    assert not found.pearlite


@pytest.mark.parametrize("direction", [0, 1])
def test_uneven_light_changes_the_area_by_less_than_a_tenth_of_a_point(direction):
    ramp = np.linspace(0.5, 1.5, SIDE, dtype=np.float32)
    light = ramp[:, None] if direction == 0 else ramp[None, :]
    pixels = picture(DISCS) * light
    found = segment_graphite(np.clip(pixels, 0, 1))
    assert 100 * found.graphite.mean() == pytest.approx(DISCS_PCT, abs=0.1)


def test_flattening_leaves_an_even_picture_alone():
    pixels = picture(DISCS)
    assert abs(flatten_background(pixels) - pixels).max() < 0.02


def test_pearlite_is_dark_but_no_graphite():
    patches = [ellipse(SIDE, (110, 125), (70, 14), 0.5), ellipse(SIDE, (110, 125), (14, 70), 0.5)]
    patches += [ellipse(SIDE, (215, 60), (60, 10), 0.0), ellipse(SIDE, (215, 60), (10, 60), 0.2)]
    shade = picture(patches, noise=0)
    texture = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal(shade.shape), 1.5)
    pearlite = (0.6 - shade) / 0.45 * (0.25 - 0.04 * texture / texture.std())
    pixels = np.clip(picture(DISCS) - pearlite, 0, 1).astype(np.float32)
    found = segment_graphite(pixels)
    assert found.pearlite
    assert "pearlite" in found.notes[0]
    assert 100 * found.graphite.mean() == pytest.approx(DISCS_PCT, abs=0.6)
    assert found.dark.mean() > found.graphite.mean() + 0.01


def test_grey_nodules_of_a_polished_iron_are_graphite():
    pixels = picture(DISCS)
    pixels[140:, :] = picture(DISCS)[140:, :] * 0.6 + 0.24  # three discs at 0.33
    assert 100 * segment_graphite(pixels).graphite.mean() == pytest.approx(DISCS_PCT, abs=0.4)


def test_bright_spots_in_nodules_are_filled():
    pixels = picture(DISCS)
    for y, x in PLACES:
        pixels[y - 4 : y + 4, x - 4 : x + 4] = 0.6
    assert 100 * segment_graphite(pixels).graphite.mean() == pytest.approx(DISCS_PCT, abs=0.1)


def test_ferrite_enclosed_by_flakes_stays_open():
    flakes = [lamella(SIDE, (128 + d, 128), 200, 6, 0) for d in (-60, 60)]
    flakes += [lamella(SIDE, (128, 128 + d), 200, 6, np.pi / 2) for d in (-60, 60)]
    expected = 100 * (4 * 200 * 6 - 4 * 36) / SIDE**2
    assert 100 * segment_graphite(picture(flakes)).graphite.mean() == pytest.approx(
        expected, abs=0.1
    )


def test_narrow_holes_of_an_irregular_particle_are_filled_and_wide_ones_are_not():
    mask = np.zeros((100, 100), dtype=bool)
    mask[10:30, 10:90] = mask[10:90, 10:30] = True  # an L, 20 px thick
    wide = mask.copy()
    mask[18:21, 40:43] = False
    filled = fill_holes(mask)
    assert filled.sum() == wide.sum()
    frame = np.zeros((100, 100), dtype=bool)
    frame[10:90, 10:90] = True
    frame[30:70, 30:70] = False
    frame[25:35, 90:] = frame[65:75, 90:] = frame[25:35, :10] = frame[65:75, :10] = True
    frame[90:, 40:60] = frame[:10, 40:60] = True  # arms: not compact
    frame = np.pad(frame, 60)
    frame[60:160, 105:115] = frame[105:115, 60:160] = True
    frame[:, 105:115] = frame[105:115, :] = True
    frame[90:130, 90:130] = False
    assert not fill_holes(frame)[110, 110]


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.05])
def test_a_blank_picture_has_no_graphite_and_says_so(noise):
    pixels = 0.5 + noise * np.random.default_rng(0).standard_normal((128, 128))
    found = segment_graphite(np.clip(pixels, 0, 1).astype(np.float32))
    assert not found.graphite.any()
    assert "no graphite" in found.notes[0]
    assert found.limit is None


def test_one_small_particle_in_a_large_field_is_found():
    found = segment_graphite(picture([disc(SIDE, (128, 128), 9)], noise=0.02))
    assert found.graphite.sum() == pytest.approx(np.pi / 4 * 81, rel=0.15)


def test_specks_of_a_few_pixels_are_dropped():
    pixels = picture(DISCS)
    pixels[10:12, 10:14] = 0.15
    assert not segment_graphite(pixels).graphite[10:12, 10:14].any()


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((64, 64, 3), np.float32), r"\(64, 64, 3\)"),
        (np.zeros((64, 40), np.float32), "64 px or more"),
        (np.zeros((64, 64), np.uint8), "uint8"),
        (np.full((64, 64), 3.0, np.float32), "from 3 to 3"),
        (np.full((64, 64), np.nan, np.float32), "4096 pixels are NaN"),
    ],
)
def test_what_is_no_grey_picture_is_refused(pixels, message):
    with pytest.raises(InputError, match=message):
        segment_graphite(pixels)
