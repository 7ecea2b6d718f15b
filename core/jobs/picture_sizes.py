"""How large a data set's pictures are at the scale that it is trained at, from their headers."""

import numpy as np
from PIL import Image

from core.dataset import DataSet
from core.errors import InputError
from core.scale import SCALE_TOLERANCE, common_scale

Sizes = tuple[tuple[int, int], ...]  # (height, width) of each picture, px


def picture_sizes(data: DataSet) -> Sizes:
    """Return the size of each picture, in the order of the table.

    Raises:
        InputError: a picture has gone.
    """
    common, found = common_scale(data), list[tuple[int, int]]()
    for file, scale in zip(data.table["file"], data.scales, strict=True):
        try:
            with Image.open(data.root / file) as image:
                width, height = image.size
        except OSError as error:
            raise InputError(f"{file} cannot be read any more: {error}") from error
        ratio = scale / common if common and np.isfinite(scale) else 1.0
        if abs(ratio - 1) <= SCALE_TOLERANCE:  # as `core.scale.to_scale` does
            ratio = 1.0
        found.append((round(height * ratio), round(width * ratio)))
    return tuple(found)


def count_patches(sizes: Sizes, patch_px: int, stride: int) -> int:
    """Return how many patches pictures of these sizes are encoded into.

    >>> count_patches(((128, 200),), 128, 50)
    2
    """
    count = 0
    for size in sizes:
        down, across = (max((side - patch_px) // stride + 1, 0) for side in size)
        count += down * across
    return count
