"""A patch is cut from the very micrograph, and what is not the very one is told by its latents."""

import os
from dataclasses import replace

import numpy as np
import pytest

from core import patch_origin
from core.dataset import load_dataset
from core.encode import load_latents
from core.errors import InputError
from core.patch_origin import (
    SAME_LATENTS,
    cut_patch,
    latents_differ_by,
    names_same_pictures,
    read_micrograph,
    stamp,
)
from tests.tiny import make_castings


@pytest.fixture
def table(tiny_model):
    return load_latents(tiny_model / "latents")


def test_a_patch_cut_again_has_the_latents_that_are_known(tiny_castings, loaded, table):
    row = 7
    pixels = read_micrograph(tiny_castings, table, row, 1.0)
    patch = cut_patch(pixels, table, row, 128)
    top, left = table.corner[row]
    assert np.array_equal(patch, pixels[top : top + 128, left : left + 128])
    assert latents_differ_by(loaded, patch, table.mu[row]) < 1e-4 < SAME_LATENTS


def test_a_patch_of_another_place_or_casting_is_told_by_its_latents(tiny_castings, loaded, table):
    row = int(np.flatnonzero((table.corner == 0).all(axis=1))[3])
    pixels = read_micrograph(tiny_castings, table, row, 1.0)
    beside = latents_differ_by(loaded, pixels[8:136, 8:136], table.mu[row])
    assert beside > SAME_LATENTS, f"differs by {beside} only"
    other = int(np.flatnonzero(table.specimen != table.specimen[row])[0])
    foreign = cut_patch(read_micrograph(tiny_castings, table, other, 1.0), table, row, 128)
    assert latents_differ_by(loaded, foreign, table.mu[row]) > SAME_LATENTS


def test_a_patch_over_the_edge_and_a_picture_that_is_not_there_are_said(tiny_castings, table):
    with pytest.raises(InputError, match=r"does not lie in .* 100 x 160 px"):
        cut_patch(np.zeros((100, 160), np.float32), table, 0, 128)
    table.file[0] = "gone.png"
    with pytest.raises(InputError, match=r"no picture gone\.png"):
        read_micrograph(tiny_castings, table, 0, 1.0)


def test_a_micrograph_is_read_at_the_models_scale(tiny_castings, table):
    assert read_micrograph(tiny_castings, table, 0, 2.0).shape == (80, 80)


def test_data_sets_are_compared_by_names_first(tiny_castings, table, tmp_path):
    assert names_same_pictures(tiny_castings, table)
    assert not names_same_pictures(make_castings(tmp_path / "fewer", 15), table)
    assert not names_same_pictures(
        tiny_castings, replace(table, file=np.char.add("other_", table.file))
    )


def test_the_stamp_changes_with_any_file_and_reads_none(tmp_path, monkeypatch):
    data = make_castings(tmp_path / "set", 2)
    before = stamp(data)
    assert stamp(load_dataset(data.root)) == before
    os.utime(data.root / "t01_0.png", ns=(1, 1))
    assert stamp(data) != before
    monkeypatch.setattr(patch_origin, "MOST_HASHED_BYTES", 10)
    with pytest.raises(InputError, match="GiB"):
        stamp(data)
    (data.root / "t00_0.png").unlink()
    with pytest.raises(InputError, match=r"t00_0\.png cannot be read"):
        stamp(data)
