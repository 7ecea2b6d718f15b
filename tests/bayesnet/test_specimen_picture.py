"""Pictures of known specimens: which patch is typical, and which field is cut round it."""

from types import SimpleNamespace

import numpy as np
import pytest

from bayesnet.specimen_picture import field_round, typical_patch
from core.errors import InputError


def test_the_patch_nearest_to_its_specimens_mean_is_typical():
    table = SimpleNamespace(
        mu=np.array([[0.0], [9.0], [0.0], [4.0], [8.0]], np.float32),
        specimen=np.array(["a", "a", "b", "b", "b"]),
    )
    assert typical_patch(table, "b") == 3, "mean 4"
    with pytest.raises(InputError, match="no patch of specimen c"):
        typical_patch(table, "c")


@pytest.mark.parametrize(
    ("corner", "first"),
    [((4, 4), (2, 2)), ((0, 0), (0, 0)), ((8, 8), (4, 4)), ((0, 8), (0, 4))],
)
def test_the_field_is_centred_on_the_patch_and_lies_inside(corner, first):
    pixels = np.arange(100, dtype=np.float32).reshape(10, 10)
    top, left = first
    np.testing.assert_array_equal(
        field_round(pixels, corner, 2, 6), pixels[top : top + 6, left : left + 6]
    )


def test_a_small_micrograph_is_shown_whole_and_is_copied():
    pixels = np.zeros((4, 9), np.float32)
    found = field_round(pixels, (2, 7), 2, 6)
    assert found.shape == (4, 6)
    found[:] = 1
    assert not pixels.any()
