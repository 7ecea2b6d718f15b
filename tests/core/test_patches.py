"""Patches: windows of a sliding grid, and a few spread over a micrograph."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.patches import cut_patches, patch_corners, spread_patches


def test_patch_corners_are_whole_strides_without_a_flush_window() -> None:
    assert patch_corners(128, 128).tolist() == [[0, 0]]
    assert patch_corners(178, 227).tolist() == [[0, 0], [0, 50], [50, 0], [50, 50]]
    assert len(patch_corners(2048, 1536, 128, 50)) == 39 * 29


@settings(max_examples=40, deadline=None)
@given(st.integers(5, 40), st.integers(5, 40), st.integers(1, 5), st.integers(1, 9))
def test_each_patch_is_the_window_at_its_corner(
    height: int, width: int, size: int, stride: int
) -> None:
    pixels = np.arange(height * width, dtype=np.float32).reshape(height, width)
    patches = cut_patches(pixels, size, stride)
    corners = patch_corners(height, width, size, stride)
    assert patches.shape == (len(corners), size, size) and patches.dtype == np.float32
    assert len(corners) == ((height - size) // stride + 1) * ((width - size) // stride + 1)
    for patch, (row, column) in zip(patches, corners, strict=True):
        np.testing.assert_array_equal(patch, pixels[row : row + size, column : column + size])


def test_patches_are_copies() -> None:
    pixels = np.zeros((4, 4), np.float32)
    cut_patches(pixels, 4, 1)[:] = 1
    assert pixels.sum() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((127, 200, 128, 50), "200 x 127 px; patches of 128 x 128"),
        ((200, 200, 0, 50), "size is 0"),
        ((200, 200, 128, 0), "stride 0"),
    ],
)
def test_impossible_windows_are_refused(arguments: tuple[int, int, int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        patch_corners(*arguments)
    with pytest.raises(InputError, match=message):
        cut_patches(np.zeros(arguments[:2]), *arguments[2:])


def test_patches_of_a_stack_are_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(1, 200, 200\)"):
        cut_patches(np.zeros((1, 200, 200)))


@pytest.mark.parametrize("shape", [(128, 128), (128, 4000), (640, 640), (1532, 2048)])
def test_patches_spread_over_the_whole_micrograph(shape: tuple[int, int]) -> None:
    corners = spread_patches(np.zeros(shape, dtype=np.float32), 128, 9)
    assert 1 <= len(corners) <= 9
    assert len(np.unique(corners, axis=0)) == len(corners)
    assert (corners >= 0).all() and (corners + 128 <= shape).all()
    assert corners[0].tolist() == [0, 0]
    if min(shape) >= 640:
        reach = (corners.max(axis=0) + 128) / shape
        assert len(corners) == 9 and (reach > 0.7).all(), reach


def test_micrograph_smaller_than_a_patch_has_none() -> None:
    with pytest.raises(InputError, match="300 x 100 px is smaller than a patch of 128 px"):
        spread_patches(np.zeros((100, 300), dtype=np.float32), 128, 9)
