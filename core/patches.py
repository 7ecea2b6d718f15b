"""Square patches of a micrograph, by a sliding window (the paper's section 3.1) or a few."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

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


def spread_patches(pixels: NDArray[np.float32], size: int, count: int) -> NDArray[np.intp]:
    """Return corners (n, 2) of at most ``count`` patches on an even grid over a micrograph.

    Raises:
        InputError: the micrograph is smaller than a patch.
    """
    height, width = pixels.shape
    if min(height, width) < size:
        raise InputError(f"{width} x {height} px is smaller than a patch of {size} px")
    rows = min(max(round((count * height / width) ** 0.5), 1), count)
    columns = max(count // rows, 1)
    # More patches than fit side by side twice over would only repeat one another.
    rows, columns = min(rows, 2 * height // size - 1), min(columns, 2 * width // size - 1)
    y = np.linspace(0, height - size, rows).round().astype(np.intp)
    x = np.linspace(0, width - size, columns).round().astype(np.intp)
    return np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1).reshape(-1, 2)


def independent_patches(pixels: NDArray[np.float32], size: int, count: int) -> int:
    """Return how many of ``count`` spread patches are worth counting: those that fit side by side.

    Patches that overlap show the same particles twice, so their mean scatters no less.

    >>> independent_patches(np.zeros((192, 192), np.float32), 128, 4)
    1
    """
    return max(min(count, (pixels.shape[0] // size) * (pixels.shape[1] // size)), 1)


def cut_at(
    pixels: NDArray[np.float32], corners: NDArray[np.intp], size: int
) -> NDArray[np.float32]:
    """Return the patches (n, size, size) at these corners."""
    return np.stack([pixels[y : y + size, x : x + size] for y, x in corners])
