"""Pairs of patches of one specimen: how much its own micrograph varies."""

import numpy as np
from numpy.typing import NDArray

from core.dataset import DataSet
from core.errors import InputError
from core.patches import cut_at, patch_corners
from core.scale import read_to_scale


def sample_pairs(
    data: DataSet,
    size: int,
    rng: np.random.Generator,
    um_per_px: float | None = None,
    each: int = 1,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw pairs of patches of each specimen's first micrograph; those of a pair do not overlap.

    Args:
        data: the micrographs.
        size: side of a patch, px.
        rng: source of the draw.
        um_per_px: scale to bring the micrographs to.
        each: pairs a specimen.

    Returns:
        (S each, size, size) twice, a specimen's pairs one after the other.

    Raises:
        InputError: a specimen's first micrograph has no room for two patches.
    """
    first, second = [], []
    names = data.table["specimen"].to_numpy()
    for specimen in data.specimens.index:
        row = int(np.flatnonzero(names == specimen)[0])
        pixels = read_to_scale(data, row, um_per_px)
        corners = patch_corners(pixels.shape[0], pixels.shape[1], size, max(size // 4, 1))
        apart = np.abs(corners[:, None] - corners).max(axis=2) >= size  # (n, n)
        able = np.flatnonzero(apart.any(axis=1))
        if len(able) == 0:
            raise InputError(f"the micrograph of {specimen} has no room for two {size} px patches")
        for _ in range(each):
            one = rng.choice(able)
            another = rng.choice(np.flatnonzero(apart[one]))
            pair = cut_at(pixels, corners[[one, another]], size)
            first.append(pair[0])
            second.append(pair[1])
    return np.stack(first), np.stack(second)
