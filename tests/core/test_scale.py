"""Claims about bringing a data set's micrographs to one scale."""

from dataclasses import replace

import numpy as np
import pytest

from core.dataset import DataSet
from core.errors import InputError
from core.images import encode_png
from core.patch_pool import PatchPool
from core.scale import common_scale, read_to_scale, scale_remarks
from tests.core.textures import make_textures, texture


def with_scales(data: DataSet, scales: list[float]) -> DataSet:
    return replace(data, table=data.table.assign(um_per_px=scales))


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> DataSet:
    return make_textures(tmp_path_factory.mktemp("scales") / "data", 3, 1, 64, 128)


def test_common_scale_is_the_median_of_the_known_ones(data: DataSet) -> None:
    assert common_scale(with_scales(data, [1.0, 2.0, np.nan])) == 1.5
    assert common_scale(with_scales(data, [np.nan] * 3)) is None


def test_files_own_scales_count_where_the_manifest_says_nothing(tmp_path) -> None:
    data = make_textures(tmp_path, 3, 1, 64, 128)
    for name, own in (("s0_0.png", 0.5), ("s1_0.png", 1.0)):
        (tmp_path / name).write_bytes(encode_png(texture(64, 128), own))
    silent = with_scales(data, [np.nan] * 3)
    np.testing.assert_allclose(silent.scales, [0.5, 1.0, np.nan], rtol=1e-3)
    assert common_scale(silent) == pytest.approx(0.75, rel=1e-3)
    assert read_to_scale(silent, 0, 1.0).shape == (32, 64)


def test_what_is_done_about_scales_is_said(data: DataSet) -> None:
    assert scale_remarks(with_scales(data, [1.0] * 3)) == ()
    (unknown,) = scale_remarks(with_scales(data, [np.nan] * 3))
    assert "no micrograph has a scale" in unknown
    found = scale_remarks(with_scales(data, [1.0, 2.0, np.nan]))
    assert found == (
        "1 of 3 micrographs have no scale (s2_0.png is the first): taken to be 1.5 um per px",
        "2 of 3 micrographs are resampled to 1.5 um per px",
    )


def test_patches_of_a_mixed_data_set_are_cut_at_one_scale(data: DataSet) -> None:
    """At 2 um per px an image of 64 x 128 px covers 128 x 256 px of 1 um."""
    mixed = with_scales(data, [1.0, 1.0, 2.0])
    pool = PatchPool(mixed, ("s0", "s1", "s2"), 32, 32, seed=0)
    assert [image.shape for image in pool.images] == [(64, 128), (64, 128), (128, 256)]
    assert [len(corners) for corners in pool.corners] == [8, 8, 32]
    assert read_to_scale(mixed, 2, None).shape == (64, 128), "without a model's scale, as it is"


def test_magnifications_too_far_apart_are_refused(data: DataSet) -> None:
    mixed = with_scales(data, [1.0, 1.0, 10.0])
    with pytest.raises(InputError, match=r"s2_0\.png has 10 um per px, the model 1: more than"):
        PatchPool(mixed, ("s0", "s1", "s2"), 32, 32, seed=0)
