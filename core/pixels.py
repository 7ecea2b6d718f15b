"""From stored pixels to grey float32 in [0, 1]: depth, colour, transparency, orientation.

Every function adds to ``notes`` what the user should know about how the data were changed.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

from core.errors import InputError

LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # Rec. 601, as Pillow's L
_ROWS = 256
CAMERA_BITS = (8, 10, 12, 14, 16)  # depths that arrive in files of 16 bits


def decode_grey(image: Image.Image, notes: list[str]) -> np.ndarray:
    """Decode with Pillow to a grey array (H, W): uint8, or as stored when deeper.

    Pillow's own ``convert("L")`` clips deep images, so those are handed on as they are.
    """
    if image.mode.startswith("I") or image.mode == "F":
        if "transparency" in image.info:
            notes.append("a transparent grey value is read as that grey value")
        array = np.asarray(image)
        return np.asarray(array, dtype=array.dtype.newbyteorder("="))
    if image.mode == "LAB":
        notes.append("colour converted to lightness (L of Lab)")
        return np.asarray(image.getchannel(0))
    image.load()
    if "transparency" in image.info or image.mode in ("LA", "PA", "RGBA"):
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
            notes.append("transparency laid on white")
    if image.mode not in ("1", "L"):
        image = image.convert("RGB")
        red, green, blue = (np.asarray(channel) for channel in image.split())
        if not (np.array_equal(red, green) and np.array_equal(green, blue)):
            notes.append("colour converted to luminance (Rec. 601)")
    return np.asarray(image.convert("L"))


def scale(raw: np.ndarray, notes: list[str]) -> np.ndarray:
    """Bring stored values to float32 in [0, 1]; see `core.images.read_image` for the rules."""
    if raw.dtype == np.uint8:
        return _over(raw, 255)
    if np.issubdtype(raw.dtype, np.floating):
        finite = np.isfinite(raw)
        if not finite.all():
            value = raw[~finite].flat[0]
            raise InputError(
                f"{int((~finite).sum())} pixels are not finite (the first is {value}); "
                "replace NaN and infinity by numbers before uploading"
            )
        if raw.min() >= 0 and raw.max() <= 1:
            return raw.astype(np.float32)
        return _scale_by_range(raw, notes)
    if raw.dtype == np.bool_:
        return raw.astype(np.float32)
    if not np.issubdtype(raw.dtype, np.integer):
        raise InputError(f"the pixels are {raw.dtype}; integers or floats are needed")
    low, high = int(raw.min()), int(raw.max())
    if low < 0 or high > 65535:
        return _scale_by_range(raw, notes)
    bits = next(bits for bits in CAMERA_BITS if high < 1 << bits)
    full = (1 << bits) - 1
    if bits != 16 and high > 0:
        notes.append(f"the largest value is {high}: scaled as {bits}-bit data (by {full})")
    elif bits == 16 and high < full // 2:
        notes.append(f"the largest value is {high}, {high / full:.0%} of 16-bit white: dark")
    return _over(raw, full)


def _over(raw: np.ndarray, full: int) -> np.ndarray:
    """Return the values over full scale, with one copy in memory."""
    scaled = raw.astype(np.float32)
    scaled /= np.float32(full)
    return scaled


def _scale_by_range(raw: np.ndarray, notes: list[str]) -> np.ndarray:
    """Map the smallest value to 0 and the largest to 1."""
    low, high = float(raw.min()), float(raw.max())
    if low == high:
        raise InputError(f"every pixel is {low:g}, outside [0, 1]; there is nothing to scale by")
    notes.append(f"values from {low:g} to {high:g} scaled to 0..1")
    scaled = np.empty(raw.shape, np.float32)
    for row in range(0, len(raw), _ROWS):  # in float64, but not all of it at once
        half = raw[row : row + _ROWS].astype(np.float64) / 2  # halves do not overflow subtracted
        part = (half - low / 2) / (high / 2 - low / 2)
        scaled[row : row + _ROWS] = np.clip(part, 0, 1)
    return scaled


def on_white(grey: np.ndarray, alpha: np.ndarray, kind: str, notes: list[str]) -> np.ndarray:
    """Lay grey (H, W) in [0, 1] with alpha (H, W) as stored on a white ground."""
    if kind not in ("straight", "premultiplied"):
        notes.append("an extra channel of unknown meaning is left out")
        return grey
    opacity = scale(alpha, [])
    notes.append("transparency laid on white")
    return (grey if kind == "premultiplied" else grey * opacity) + (1 - opacity)


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn (H, W) pixels as an EXIF orientation of 2 to 8 asks; other values change nothing."""
    turns: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a, 3),
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, 1),
    }
    return turns.get(orientation, np.asarray)(pixels)
