"""Splitting a data set's specimens into training and held-out ones."""

from collections.abc import Iterable

import numpy as np

from core.dataset import DataSet
from core.errors import InputError


def split_specimens(
    names: Iterable[str], fraction: float, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split specimens, never patches or images, into training and held-out ones.

    Args:
        names: specimens; repeats (one an image) count once, and their order does not matter.
        fraction: of the specimens to hold out, between 0 and 1; rounded to whole specimens with at
            least one on each side.
        seed: the same seed and specimens give the same split.

    Returns:
        (train, held_out), each sorted.

    Raises:
        InputError: fewer than two specimens, or a fraction outside 0 to 1.
    """
    unique = sorted(set(names))
    if len(unique) < 2:
        raise InputError(f"{len(unique)} specimen cannot be split; at least two are needed")
    if not 0 < fraction < 1:
        raise InputError(f"the held-out fraction is {fraction}; it must lie between 0 and 1")
    count = min(max(round(fraction * len(unique)), 1), len(unique) - 1)
    order = np.random.default_rng(seed).permutation(len(unique))
    held_out = {unique[i] for i in order[:count]}
    return tuple(n for n in unique if n not in held_out), tuple(sorted(held_out))


def split_dataset(
    data: DataSet, fraction: float, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a data set's specimens; with a fraction of 0, or one specimen, all are trained on.

    Args:
        data: the data set.
        fraction, seed: as in `split_specimens`, or a fraction of 0.

    Returns:
        (train, held_out).

    Raises:
        InputError: the data set has no images.
    """
    names = tuple(str(name) for name in data.specimens.index)
    if not names:
        raise InputError(f"the data set {data.name!r} has no images")
    if fraction == 0 or len(names) < 2:
        return names, ()
    return split_specimens(names, fraction, seed)
