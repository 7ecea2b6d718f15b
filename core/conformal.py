"""Split conformal intervals: as wide as the predictions of left-out specimens were off."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MIN_INTERVAL = 9  # specimens; fewer give no interval at 90 %


def conformal_half_width(scores: Array, level: float = 0.9) -> float | None:
    """Return the split-conformal quantile of left-out scores, None below nine specimens.

    The ceil(level (S + 1))-th smallest of S absolute residuals (Lei et al. 2018, *JASA* 113, 1094).
    """
    rank = math.ceil(level * (scores.size + 1) - 1e-9)
    if scores.size < MIN_INTERVAL or rank > scores.size:
        return None
    return float(np.sort(scores)[rank - 1])
