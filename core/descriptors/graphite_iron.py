"""Whether a micrograph looks like a graphite iron at all, so that its graphite can be measured."""

import numpy as np
from numpy.typing import NDArray

from core.descriptors.segmentation import segment_graphite

GRAPHITE_RANGE = (0.02, 0.25)  # of the area; irons have 0.05 to 0.17
LARGEST_ROUGHNESS = 0.06  # of the matrix: median deviation over median; irons here 0.013 to 0.034
LARGEST_BRIGHT = 0.02  # of the matrix a quarter and more brighter than its median
BRIGHT = 1.25
MOST_PX = 1024  # a side, from the middle: enough to tell


def looks_like_graphite_iron(pixels: NDArray[np.floating]) -> bool:
    """Tell whether a picture shows dark graphite in an even, lighter matrix.

    Told from the segmentation: a plausible area of a clearly darker phase, in a matrix of one grey.
    True for polished and etched irons; false for other alloys, photographs and noise, as far as
    they have been tried.

    Args:
        pixels: (H, W) float in [0, 1].

    Raises:
        InputError: not a grey picture.
    """
    top, left = (max((side - MOST_PX) // 2, 0) for side in pixels.shape)
    found = segment_graphite(pixels[top : top + MOST_PX, left : left + MOST_PX])
    low, high = GRAPHITE_RANGE
    if not low <= found.graphite.mean() <= high or found.dark.all():
        return False
    matrix = found.flat[~found.dark]
    level = float(np.median(matrix))
    roughness = float(np.median(np.abs(matrix - level))) / level
    bright = float((matrix > BRIGHT * level).mean())
    return roughness <= LARGEST_ROUGHNESS and bright <= LARGEST_BRIGHT
