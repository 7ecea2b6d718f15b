"""What a picture looks like beside its particles: contrast, noise, edges, texture, direction."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.stereology.texture import orientation, texture_length_px

RIM_PX = 3  # round graphite, in neither phase
BAND_PX = (1.5, 6.0)  # of grain boundaries and grains' shades: neither noise nor uneven light
LEAST_AREA_PX = 50  # of a phase, to be measured
LEAST_CONTRAST = 0.02  # below it edges are none


def picture_quantities(
    pixels: NDArray[np.floating], graphite: NDArray[np.bool_], um_per_px: float
) -> dict[str, float | None]:
    """Measure how a picture looks.

    Args:
        pixels: (H, W) in [0, 1].
        graphite: (H, W) bool.
        um_per_px: scale.

    Returns:
        Grey levels, contrast, noise and texture in % of white: of the matrix its mean
        (``matrix_grey_pct``), the noise from pixel to pixel (``noise_pct``) and the deviation in
        the band of grain boundaries (``matrix_texture_pct``); of the graphite its median
        (``graphite_grey_pct``); between them ``contrast_pct`` and ``edge_width_um``, contrast over
        the mean steepness of outlines. Then ``texture_length_um`` and ``anisotropy``
        (`core.stereology.texture`). None where there is nothing to measure it on.
    """
    found: dict[str, float | None] = dict.fromkeys(
        ("noise_pct", "matrix_texture_pct", "graphite_grey_pct", "contrast_pct", "edge_width_um")
    )
    matrix = pixels[~graphite]
    found["matrix_grey_pct"] = 100 * float(matrix.mean()) if matrix.size else None
    length = texture_length_px(pixels)
    found["texture_length_um"] = None if length is None else length * um_per_px
    found["anisotropy"] = orientation(pixels)[0]
    clear = ~ndimage.binary_dilation(graphite, iterations=RIM_PX)
    core = ndimage.binary_erosion(graphite)
    if clear.sum() >= LEAST_AREA_PX:
        _matrix(pixels, clear, found)
    if core.sum() >= LEAST_AREA_PX:
        found["graphite_grey_pct"] = 100 * float(np.median(pixels[core]))
    if clear.sum() >= LEAST_AREA_PX and core.sum() >= LEAST_AREA_PX:
        contrast = float(np.median(pixels[clear]) - np.median(pixels[core]))
        found["contrast_pct"] = 100 * contrast
        outline = graphite & ~core
        steep = ndimage.gaussian_gradient_magnitude(pixels, 1.0)[outline].mean()
        if contrast > LEAST_CONTRAST and steep > 0:
            found["edge_width_um"] = contrast / float(steep) * um_per_px
    return found


def _matrix(
    pixels: NDArray[np.floating], clear: NDArray[np.bool_], found: dict[str, float | None]
) -> None:
    """Add noise and texture of the matrix, by deviations that spare pits and specks."""
    fine = pixels - ndimage.gaussian_filter(pixels, 1.0)
    found["noise_pct"] = 148.26 * float(np.median(np.abs(fine[clear] - np.median(fine[clear]))))
    level = np.where(clear, pixels, np.median(pixels[clear]))
    near, far = (ndimage.gaussian_filter(level, sigma) for sigma in BAND_PX)
    found["matrix_texture_pct"] = 100 * float((near - far)[clear].std())
