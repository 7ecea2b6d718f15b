"""Traversals kept on the disk: the same numbers, not measured twice, never of something else."""

import numpy as np
import pytest

from core.errors import CheckpointError
from core.labels.kept import Kept
from core.labels.traversals import measure_traversals

from .discs import PLAN, draw

STARTS = np.random.default_rng(0).normal(0, 0.5, (2, PLAN.starts, 4))


def measured(kept=None, vectors=(0, 1), decode=draw):
    return measure_traversals(decode, STARTS, np.eye(4)[list(vectors)], PLAN, 1.0, kept)


def unexpected(z, seed):
    raise AssertionError("it was measured before")


def test_kept_traversals_are_those_measured_and_are_not_measured_again(tmp_path):
    plain = measured()
    first = measured(Kept(tmp_path, {"model": "a"}), vectors=(1,))  # a run of some directions
    every = measured(Kept(tmp_path, {"model": "a"}))
    again = measured(Kept(tmp_path, {"model": "a"}), decode=unexpected)
    assert np.isnan(plain).any() and np.isfinite(plain).any()
    for found in (first, every[1:], again[1:]):
        np.testing.assert_array_equal(found, plain[1:])
    np.testing.assert_array_equal(again, plain)
    assert len(list(tmp_path.iterdir())) == 2


def test_those_of_another_model_or_other_starts_are_measured_anew(tmp_path):
    measured(Kept(tmp_path, {"model": "a"}), vectors=(0,))
    with pytest.raises(AssertionError, match="before"):
        measured(Kept(tmp_path, {"model": "b"}), vectors=(0,), decode=unexpected)
    kept = Kept(tmp_path, {"model": "a"})
    with pytest.raises(AssertionError, match="before"):
        measure_traversals(unexpected, STARTS + 0.1, np.eye(4)[:1], PLAN, 1.0, kept)


@pytest.mark.parametrize("content", ["{}", '{"measured": [[1, 2]]}', '{"measured": [["x"]]}', "{"])
def test_a_damaged_file_is_named(tmp_path, content):
    measured(Kept(tmp_path, {}), vectors=(0,))
    (path,) = tmp_path.iterdir()
    path.write_text(content)
    with pytest.raises(CheckpointError, match=path.name):
        measured(Kept(tmp_path, {}), vectors=(0,))
