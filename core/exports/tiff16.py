"""16-bit TIFF that ImageJ opens with the right scale."""

import io
import math
from collections.abc import Mapping

import numpy as np
import tifffile

from core.display_name import printable
from core.errors import InputError
from core.tiff import COARSEST_UM_PER_PX, FINEST_UM_PER_PX

FULL_SCALE = 65535


def encode_tiff16(
    pixels: np.ndarray, um_per_px: float | None = None, text: Mapping[str, str] | None = None
) -> bytes:
    """Encode a grey image as an uncompressed 16-bit TIFF in ImageJ's way.

    ImageJ (and `core.images.read_image`) take the scale from the resolution tags, in pixels per
    unit, and the unit from the description. The display range is the full one, so that grey levels
    of several files can be compared by eye. A picture whose brightest pixel is below a quarter of
    the full scale is read back by `read_image` as that of a camera of fewer bits, with a note.

    Args:
        pixels: (H, W) floating point; clipped to [0, 1], times 65535, rounded half to even.
        um_per_px: µm per pixel, None where it is not known.
        text: keyword -> value, kept as ImageJ's *Info* (Image > Show Info).

    Returns:
        The TIFF file.

    Raises:
        InputError: not a two-dimensional finite float image, or a scale that no micrograph has.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim != 2 or pixels.size == 0:
        raise InputError(f"pixels have the shape {pixels.shape}; (H, W) is needed")
    if not np.issubdtype(pixels.dtype, np.floating):
        raise InputError(f"pixels are {pixels.dtype}; floats in [0, 1] are needed")
    if not np.isfinite(pixels).all():
        raise InputError(f"{int((~np.isfinite(pixels)).sum())} pixels are NaN or infinite")
    # In float64: float32 has no room for 16 bits and a rounding.
    levels = np.rint(np.clip(pixels.astype(np.float64), 0, 1) * FULL_SCALE).astype(np.uint16)
    about: dict[str, object] = {"min": 0.0, "max": float(FULL_SCALE)}
    if text:
        lines = (f"{printable(k)}: {printable(v)}" for k, v in text.items())
        about["Info"] = "\n".join(lines) + "\n"
    resolution = None
    if um_per_px is not None:
        known = math.isfinite(um_per_px)
        if not known or not FINEST_UM_PER_PX <= um_per_px <= COARSEST_UM_PER_PX:
            raise InputError(
                f"um_per_px is {um_per_px}; {FINEST_UM_PER_PX:g} to {COARSEST_UM_PER_PX:g} can be "
                "written"
            )
        about["unit"] = "micron"
        resolution = (1 / um_per_px, 1 / um_per_px)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, levels, imagej=True, resolution=resolution, metadata=about)
    return buffer.getvalue()
