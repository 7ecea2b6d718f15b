"""Square patches of a micrograph, cut by a sliding window (the paper's section 3.1)."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from core.errors import InputError


def patch_corners(height: int, width: int, size: int = 128, stride: int = 50) -> np.ndarray:
    """Return the upper left corners of all windows, row by row.

    The window moves by whole strides from (0, 0) and never leaves the image. As in the paper no
    window is added flush to the lower or right border: a rest narrower than a stride is not seen.

    Args:
        height: of the image in px.
        width: of the image in px.
        size: side of the window in px.
        stride: step in px.

    Returns:
        (N, 2) int64, (row, column) in px.

    Raises:
        InputError: the image is smaller than the window, or size or stride is below 1.

    >>> patch_corners(128, 200, 128, 50).tolist()
    [[0, 0], [0, 50]]
    """
    if size < 1 or stride < 1:
        raise InputError(f"size is {size} and stride {stride}; each must be 1 px or more")
    if height < size or width < size:
        raise InputError(
            f"the image is {width} x {height} px; patches of {size} x {size} px need at least that"
        )
    rows = np.arange(0, height - size + 1, stride, dtype=np.int64)
    columns = np.arange(0, width - size + 1, stride, dtype=np.int64)
    return np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)  # (N, 2)


def cut_patches(pixels: np.ndarray, size: int = 128, stride: int = 50) -> np.ndarray:
    """Cut the windows of `patch_corners` out of an image.

    Args:
        pixels: (H, W), any dtype.
        size: side of a patch in px.
        stride: step in px.

    Returns:
        (N, size, size), a copy of the same dtype, in the order of `patch_corners`.

    Raises:
        InputError: the image is not two-dimensional or smaller than a patch.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim != 2:
        raise InputError(f"pixels have the shape {pixels.shape}; (H, W) is needed")
    height, width = pixels.shape
    patch_corners(height, width, size, stride)  # the checks
    windows = sliding_window_view(pixels, (size, size))[::stride, ::stride]
    return windows.reshape(-1, size, size).copy()  # (rows, columns, size, size) -> (N, size, size)
