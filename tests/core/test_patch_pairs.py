"""Claims about pairs of patches of one specimen."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.patch_pairs import sample_pairs
from tests.core.textures import make_textures


def test_pairs_of_patches_do_not_overlap(tmp_path: Path) -> None:
    data = make_textures(tmp_path, 2, 1, 80, 96)
    first, second = sample_pairs(data, 32, np.random.default_rng(0))
    assert first.shape == second.shape == (2, 32, 32)
    for index in range(2):
        pixels = data.read(index).pixels
        windows = np.lib.stride_tricks.sliding_window_view(pixels, (32, 32))
        places = [
            np.argwhere((windows == patch).all(axis=(2, 3)))[0]
            for patch in (first[index], second[index])
        ]
        assert np.abs(places[0] - places[1]).max() >= 32, places


def test_several_pairs_a_specimen_come_one_after_the_other(tmp_path: Path) -> None:
    data = make_textures(tmp_path, 2, 1, 80, 96)
    first, second = sample_pairs(data, 32, np.random.default_rng(0), each=3)
    assert first.shape == second.shape == (6, 32, 32)
    coarse = np.abs(np.diff(first, axis=2)).mean(axis=(1, 2))
    assert coarse[:3].min() > coarse[3:].max(), "the first specimen's texture is the finer one"


def test_narrow_micrograph_with_room_for_two_patches_gives_them(tmp_path: Path) -> None:
    """Windows in the middle of 34 x 70 px have no partner; the outer ones do."""
    data = make_textures(tmp_path, 1, 1, 34, 70)
    for seed in range(20):
        assert sample_pairs(data, 32, np.random.default_rng(seed))[0].shape == (1, 32, 32)


def test_specimen_without_room_for_two_patches_is_named(tmp_path: Path) -> None:
    data = make_textures(tmp_path, 1, 1, 40, 60)
    with pytest.raises(InputError, match="micrograph of s0 has no room for two 32 px patches"):
        sample_pairs(data, 32, np.random.default_rng(0))
