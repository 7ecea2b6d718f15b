"""What the descriptors accept: one grey picture and its scale."""

import math

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

LEAST_PX = 64
SCALE_RANGE_UM = (0.01, 20.0)  # 0.01: electron microscope at 10,000 times; 20: a hand lens


def check_pixels(pixels: NDArray[np.floating]) -> NDArray[np.float32]:
    """Check a grey picture.

    Args:
        pixels: should be (H, W), floating point, finite, in [0, 1], sides of at least `LEAST_PX`.

    Returns:
        The picture as float32.

    Raises:
        InputError: it is not; the message says which value is wrong and what is needed.
    """
    found = np.asarray(pixels)
    if found.ndim != 2:
        raise InputError(f"a grey picture (H, W) is needed, not an array of shape {found.shape}")
    if min(found.shape) < LEAST_PX:
        raise InputError(f"the picture has {found.shape} px; each side needs {LEAST_PX} px or more")
    if not np.issubdtype(found.dtype, np.floating):
        raise InputError(f"pixels are {found.dtype}; floating point in [0, 1] is needed")
    bad = int((~np.isfinite(found)).sum())
    if bad:
        raise InputError(f"{bad} pixels are NaN or infinite; repair or crop the picture")
    low, high = float(found.min()), float(found.max())
    if low < -1e-6 or high > 1 + 1e-6:
        raise InputError(f"grey levels must be in [0, 1]; they go from {low:g} to {high:g}")
    return found.astype(np.float32, copy=False)


def check_scale(um_per_px: float | None) -> float:
    """Check a scale.

    Args:
        um_per_px: um per pixel.

    Returns:
        The scale as a float.

    Raises:
        InputError: it is missing, not a number or outside `SCALE_RANGE_UM`.
    """
    low, high = SCALE_RANGE_UM
    if um_per_px is None:
        raise InputError(f"the scale is unknown; give um per pixel, {low:g} to {high:g}")
    try:
        value = float(um_per_px)
    except (TypeError, ValueError):
        raise InputError(f"um per pixel must be a number, not {um_per_px!r}") from None
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(f"um per pixel is {value:g}; {low:g} to {high:g} is plausible")
    return value
