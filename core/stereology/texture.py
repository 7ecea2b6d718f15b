"""What can be said of a picture without telling phases: texture length and anisotropy."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SIGMA_PX = 1.5  # of the gradients
SLOW_SHARE = 0.25  # of the shorter side: slower changes are shading

Pixels = NDArray[np.floating]


def texture_length_px(pixels: Pixels) -> float | None:
    """Return the distance at which grey levels forget each other, px.

    Where the autocorrelation, averaged over directions, has fallen to 1/e of its value at 2 px
    (which leaves out the noise from pixel to pixel); between whole distances it is interpolated.

    Args:
        pixels: (H, W).

    Returns:
        None where it has not fallen within a quarter of the shorter side, or nothing is to be seen.
    """
    most = min(pixels.shape) // 4
    centred = pixels - ndimage.gaussian_filter(pixels, SLOW_SHARE * min(pixels.shape))
    centred = centred - centred.mean()
    size = tuple(2 * n for n in centred.shape)
    power = np.abs(np.fft.rfft2(centred, size)) ** 2
    sums = np.fft.irfft2(power, size)
    pairs = np.fft.irfft2(np.abs(np.fft.rfft2(np.ones_like(centred), size)) ** 2, size)
    offsets = np.arange(-most, most + 1)
    y, x = np.meshgrid(offsets, offsets, indexing="ij")
    values = sums[y, x] / np.maximum(pairs[y, x], 1)
    radius = np.rint(np.hypot(y, x)).astype(int)
    near = radius <= most
    curve = np.bincount(radius[near], values[near]) / np.bincount(radius[near])
    if curve[2] <= 1e-12:
        return None
    curve = curve[2:] / curve[2]
    below = np.flatnonzero(curve <= np.exp(-1))
    if not below.size:
        return None
    last = int(below[0])
    return 2.0 + last - 1 + float((curve[last - 1] - np.exp(-1)) / (curve[last - 1] - curve[last]))


def orientation(pixels: Pixels) -> tuple[float, float]:
    """Return anisotropy and main direction, from the mean structure tensor of the picture.

    Args:
        pixels: (H, W).

    Returns:
        Anisotropy, 0 (no direction preferred) to 1 (all edges parallel); and the direction along
        which the structure runs, degrees from 0 (left to right) up to 180, counter-clockwise.

    Example:
        >>> lines = np.tile(np.sin(np.arange(128) / 3)[:, None], (1, 128))  # running left to right
        >>> anisotropy, angle = orientation(lines)
        >>> round(anisotropy, 2), min(round(angle), 180 - round(angle))
        (1.0, 0)
    """
    down = ndimage.gaussian_filter(pixels, SIGMA_PX, order=(1, 0))
    right = ndimage.gaussian_filter(pixels, SIGMA_PX, order=(0, 1))
    across, along, mixed = (float((a * b).mean()) for a, b in ((right, right), (down, down),
                                                               (right, -down)))  # fmt: skip
    total = across + along
    if total <= 1e-15:
        return 0.0, 0.0
    anisotropy = float(np.hypot(across - along, 2 * mixed)) / total
    gradient = 0.5 * np.degrees(np.arctan2(2 * mixed, across - along))
    return anisotropy, float((gradient + 90.0) % 180.0)
