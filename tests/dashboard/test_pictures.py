"""Scale bars, pairs and marked micrographs."""

import io

import numpy as np
import pytest
from PIL import Image

from core.import_data.examine import Crop
from dashboard.data_report import with_crop
from dashboard.pictures import (
    BAR_PREVIEW_PX,
    GAP,
    PREVIEW_PX,
    bar_length_um,
    marked,
    on_screen,
    png,
    side_by_side,
    thumbnail,
    with_rows_shaded,
)
from dashboard.pictures import with_scale_bar as barred


def ramp(height: int, width: int) -> np.ndarray:
    return np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)


@pytest.mark.parametrize("um_per_px", [0.05, 0.5, 1.0, 1.16, 7.3])
def test_the_bar_is_as_long_as_it_says(um_per_px):
    side = 512
    picture = np.asarray(barred(np.full((side, side), 0.5, np.float32), um_per_px))
    middle = picture[side:][(picture.shape[0] - side) // 2]
    bar = np.flatnonzero(middle == 0)
    run = bar[: np.argmax(np.diff(bar, append=10**6) > 1) + 1]  # the text comes after a gap
    assert abs(len(run) * um_per_px - bar_length_um(side * um_per_px)) <= um_per_px


def test_the_bar_leaves_the_picture_as_it_is():
    pixels = ramp(256, 256)
    picture = np.asarray(barred(pixels, 1.0))
    assert picture.shape[0] > 256
    assert np.array_equal(picture[:256], np.rint(pixels * 255).astype(np.uint8))


@pytest.mark.parametrize("factor", [1, 2])
def test_pairs_and_marked_micrographs_carry_a_bar_of_their_own_scale(factor):
    """Below a pair the bar fits one of both pictures; it is as long as it says."""
    pixels, um_per_px = np.full((128, 128), 0.5, np.float32), 0.5
    pair = side_by_side((pixels, pixels), factor, um_per_px)
    black = np.asarray(pair.getchannel("L"))[128 * factor :] == 0
    row = black[black.sum(axis=1).argmax()]
    bar = np.argmax(np.diff(np.flatnonzero(row), append=10**6) > 1) + 1
    assert bar == bar_length_um(64) / um_per_px * factor
    large = np.full((300, 2 * PREVIEW_PX), 0.5, np.float32)  # shown at half its size
    micrograph = marked(large, np.zeros((0, 2)), 128, um_per_px)
    assert micrograph.mode == "RGB" and micrograph.height > 150
    dark = (np.asarray(micrograph)[150:] == 0).all(axis=2)
    row = dark[dark.sum(axis=1).argmax()]
    length = np.argmax(np.diff(np.flatnonzero(row), append=10**6) > 1) + 1
    assert length == bar_length_um(PREVIEW_PX) / (2 * um_per_px)


@pytest.mark.parametrize("drawn", [
    lambda pixels, scale: with_rows_shaded(pixels, 0, 20, scale),
    lambda pixels, scale: with_crop(pixels, Crop(bottom=20), scale),
])  # fmt: skip
def test_what_is_left_out_is_shown_with_a_bar_of_the_picture_s_scale(drawn):
    """A micrograph 1400 px wide is shown smaller; the bar is as long as it says."""
    pixels, um_per_px = np.full((300, 1400), 0.5, np.float32), 0.5
    picture = drawn(pixels, um_per_px)
    side = drawn(pixels, None)
    assert picture.width == side.width < 1400 and picture.height > side.height
    dark = (np.asarray(picture)[side.height :] == 0).all(axis=2)
    row = dark[dark.sum(axis=1).argmax()]
    length = np.argmax(np.diff(np.flatnonzero(row), append=10**6) > 1) + 1
    assert length == round(bar_length_um(700) / um_per_px * picture.width / 1400)


def test_without_a_scale_there_is_no_bar():
    assert marked(ramp(64, 96), np.zeros((0, 2)), 32).size == (96, 64)
    assert barred(ramp(64, 96), None).size == (96, 64)


@pytest.mark.parametrize("width_um", [0.7, 12.8, 128, 512, 1024, 9999])
def test_the_bar_takes_between_an_eighth_and_a_third_of_the_width(width_um):
    assert width_um / 8 < bar_length_um(width_um) <= width_um / 3


def test_a_pair_keeps_both_pictures_and_a_gap_that_is_transparent():
    left, right = ramp(32, 32), 1 - ramp(32, 32)
    pair = side_by_side((left, right), factor=1)
    assert pair.size == (64 + GAP, 32)
    grey, alpha = (np.asarray(channel) for channel in pair.split())
    assert np.array_equal(grey[:, :32], np.rint(left * 255).astype(np.uint8))
    assert np.array_equal(grey[:, -32:], np.rint(right * 255).astype(np.uint8))
    assert not alpha[:, 32 : 32 + GAP].any()


def test_a_large_micrograph_is_previewed_smaller_with_its_patches_in_place():
    pixels = np.zeros((1000, 2 * PREVIEW_PX), np.float32)
    picture = marked(pixels, np.array([[200, 400]]), 128)
    assert max(picture.size) == PREVIEW_PX
    coloured = np.asarray(picture).max(axis=2) > 100
    rows, columns = np.flatnonzero(coloured.any(axis=1)), np.flatnonzero(coloured.any(axis=0))
    assert (rows[0], columns[0]) == (100, 200)
    assert abs(rows[-1] - 163) <= 1
    assert abs(columns[-1] - 263) <= 1


def test_png_can_be_read_again():
    with Image.open(io.BytesIO(png(barred(ramp(128, 128), 1.0)))) as image:
        assert image.format == "PNG"


@pytest.mark.parametrize(("width", "shown"), [(84, 84), (300, 128)])
def test_pictures_on_the_screen_are_as_wide_as_they_are_shown_and_never_wider(width, shown):
    pixels = ramp(128, 128)
    picture = Image.open(io.BytesIO(on_screen(barred(pixels, 1.0), width)))
    assert picture.format == "PNG" and picture.width == shown
    assert picture.height == pytest.approx(barred(pixels, 1.0).height * shown / 128, abs=1)
    if shown == 128:
        assert np.array_equal(np.asarray(picture), np.asarray(barred(pixels, 1.0)))


def test_rows_that_are_left_out_are_tinted_and_no_others():
    pixels = np.full((100, 80), 0.4, np.float32)
    picture = np.asarray(with_rows_shaded(pixels, 10, 20))
    tinted = np.any(picture != 102, axis=(1, 2))
    np.testing.assert_array_equal(np.flatnonzero(tinted), [*range(10), *range(80, 100)])
    assert not np.any(np.asarray(with_rows_shaded(pixels, 0, 0)) != 102)
    white = np.asarray(with_rows_shaded(np.ones((100, 80), np.float32), 10, 0))
    assert white[0, 0].tolist() == [234, 174, 127], "nothing wraps round"
    large = with_rows_shaded(np.ones((2000, 1000), np.float32), 0, 50)
    assert large.size == (BAR_PREVIEW_PX // 2, BAR_PREVIEW_PX)


@pytest.mark.parametrize(("side", "width"), [(1024, 400), (1024, 640), (256, 256)])
def test_a_thumbnail_carries_a_bar_of_its_own_scale(side, width):
    """A picture of 1024 px at 0.5 um per px is 512 um wide, however small it is shown."""
    small = Image.open(io.BytesIO(thumbnail(np.full((side, side), 0.5), 0.5, max(width, 400))))
    assert small.format == "JPEG" and small.width == width and small.height > width
    dark = np.asarray(small)[width + 2 :] < 100  # not black: JPEG
    row = dark[dark[:, : width // 3].sum(axis=1).argmax()]
    bar = np.argmax(np.diff(np.flatnonzero(row), append=10**6) > 1) + 1
    um_per_px = 0.5 * side / width
    assert abs(bar * um_per_px - bar_length_um(0.5 * side)) <= 1.5 * um_per_px
    bare = Image.open(io.BytesIO(thumbnail(np.full((side, side), 0.5), None, max(width, 400))))
    assert bare.size == (width, width)
