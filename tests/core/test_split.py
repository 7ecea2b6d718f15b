"""Splits of specimens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.split import split_specimens


@given(
    st.lists(st.text(min_size=1, max_size=3), min_size=2, max_size=30, unique=True),
    st.floats(0.01, 0.99),
    st.integers(0, 2**32 - 1),
)
def test_a_split_is_a_partition_of_specimens(names: list[str], fraction: float, seed: int) -> None:
    train, held_out = split_specimens(names, fraction, seed)
    assert sorted(train + held_out) == sorted(names)
    assert len(held_out) == min(max(round(fraction * len(names)), 1), len(names) - 1)
    assert split_specimens(names[::-1] * 2, fraction, seed) == (train, held_out)


def test_seeds_give_different_splits_of_the_stated_size() -> None:
    names = [f"S{i}" for i in range(20)]
    splits = {split_specimens(names, 0.25, seed)[1] for seed in range(10)}
    assert len(splits) > 5 and {len(split) for split in splits} == {5}


@pytest.mark.parametrize(
    ("names", "fraction"), [(["a", "a"], 0.5), (["a", "b"], 0), (["a", "b"], 1)]
)
def test_a_split_that_leaves_a_side_empty_is_refused(names: list[str], fraction: float) -> None:
    with pytest.raises(InputError):
        split_specimens(names, fraction, 0)
