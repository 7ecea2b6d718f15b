"""Lineal analysis of two phases: how often test lines cross from one into the other.

Underwood, Quantitative Stereology (1970): with N particles of a phase met per length of test line,
its mean chord is its area share over N, and 1 / N is the mean spacing from one to the next (the
mean random spacing of lamellae). Counting crossings, not measuring chords, needs no correction for
chords that a border cuts.
"""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def crossings_per_px(dark: Mask) -> float:
    """Return how often lines along rows, columns and both diagonals change the phase, per px.

    The mean over the four directions, each by its own length; 0 where there is one phase only.

    Args:
        dark: (H, W) bool.

    Example:
        >>> stripes = np.tile(np.repeat([True, False], 8), (64, 4))  # 7 changes on 63 steps
        >>> crossings_per_px(stripes[:, :64]) < 7 / 63  # lines along the stripes change nothing
        True
    """
    rates = []
    for first, second, step in (
        (dark[:, 1:], dark[:, :-1], 1.0),
        (dark[1:], dark[:-1], 1.0),
        (dark[1:, 1:], dark[:-1, :-1], np.sqrt(2.0)),
        (dark[1:, :-1], dark[:-1, 1:], np.sqrt(2.0)),
    ):
        rates.append(float((first != second).mean()) / step)
    return float(np.mean(rates))


def spacing_px(dark: Mask) -> float | None:
    """Return the mean spacing from one particle or lamella to the next along test lines, px.

    Returns:
        Two over the crossings per px; None where nothing is crossed.
    """
    rate = crossings_per_px(dark)
    return 2.0 / rate if rate > 0 else None
