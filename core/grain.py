"""The noise of a detector, measured in flat places of micrographs: how strong, how correlated."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from core.errors import InputError

SMOOTH_PX = 4.0  # what varies over more than this is taken for the picture and not for noise
FLAT_SHARE = 0.3  # of each patch: where its smoothed picture has the least slope
CLIP = 3.0  # standard deviations: specks are not noise


def measure_grain(patches: NDArray[np.floating], side: int) -> tuple[NDArray[np.float64], float]:
    """Return a filter that gives white noise the correlation of the patches' noise, and its size.

    Args:
        patches: (N, H, W) in [0, 1].
        side: of the filter, px, odd.

    Returns:
        (side, side), symmetric, norm 1; and the median over patches of the noise's standard
        deviation, in grey levels of [0, 1].

    Raises:
        InputError: there is no noise at all, so that its correlation means nothing.
    """
    reach = side // 2
    covariance = np.zeros((side, side))
    deviations = []
    for patch in np.asarray(patches, dtype=np.float64):
        smooth = gaussian_filter(patch, SMOOTH_PX)
        slope = np.hypot(*np.gradient(smooth))
        flat = slope <= np.quantile(slope, FLAT_SHARE)
        noise = patch - smooth
        for _ in range(2):
            limit = CLIP * float(noise[flat].std())
            noise = np.clip(noise, -limit, limit)
        deviations.append(float(noise[flat].std()))
        inside = flat[reach:-reach, reach:-reach]
        here = noise[reach:-reach, reach:-reach]
        height, width = here.shape
        for y in range(side):
            for x in range(side):
                there = noise[y : y + height, x : x + width]
                covariance[y, x] += float((here * there)[inside].mean())
    strength = float(np.median(deviations))
    if strength < 1e-5:
        raise InputError("the pictures have no noise in their flat places: train without grain")
    # Smoothing took some of the noise, too: about as much covariance at every distance. Noise is
    # taken to reach no farther than the filter, so its rim tells how much.
    rim = np.concatenate([covariance[0], covariance[-1], covariance[1:-1, 0], covariance[1:-1, -1]])
    whole = covariance - min(float(rim.mean()), 0.0)
    strength *= float(np.sqrt(whole[reach, reach] / covariance[reach, reach]))
    covariance = whole
    # Taken as symmetric and the same in both directions of each axis; its root in frequency is the
    # filter. A larger transform keeps the filter from wrapping around.
    covariance = (covariance + covariance[::-1, ::-1]) / 2
    size = 8 * side
    padded = np.zeros((size, size))
    padded[:side, :side] = covariance
    spectrum = np.fft.fft2(np.roll(padded, (-reach, -reach), (0, 1))).real
    root = np.fft.ifft2(np.sqrt(np.maximum(spectrum, 0.0))).real
    kernel = np.roll(root, (reach, reach), (0, 1))[:side, :side]
    return kernel / np.linalg.norm(kernel), strength
