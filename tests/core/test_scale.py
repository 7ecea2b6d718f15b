"""Claims about bringing a data set's micrographs to one scale."""

from dataclasses import replace

import numpy as np
import pytest

from core.dataset import DataSet
from core.errors import InputError
from core.patch_pool import PatchPool
from core.scale import common_scale, read_to_scale
from tests.core.textures import make_textures


def with_scales(data: DataSet, scales: list[float]) -> DataSet:
    return replace(data, table=data.table.assign(um_per_px=scales))


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> DataSet:
    return make_textures(tmp_path_factory.mktemp("scales") / "data", 3, 1, 64, 128)


def test_common_scale_is_the_median_of_the_known_ones(data: DataSet) -> None:
    assert common_scale(with_scales(data, [1.0, 2.0, np.nan])) == 1.5
    assert common_scale(with_scales(data, [np.nan] * 3)) is None


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
