"""Means and quantiles of mixtures of normals, and of weighted samples."""

import numpy as np
from scipy.special import ndtr

from bayesnet.gaussian import Array

BISECTIONS = 26  # to a millionth of a deviation
NEGLIGIBLE = 1e-9  # weight of a draw
SMALLEST = 1e-12  # standard deviation, z-scores


def mixture_summary(
    weights: Array, centres: Array, variances: Array, tails: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Mean and quantiles (R,) of normals at centres (K, n, R) with variances (K, R)."""
    keep = weights > NEGLIGIBLE  # (K, n)
    points, share = centres[keep], weights[keep] / weights[keep].sum()  # (Q, R), (Q,)
    std = np.sqrt(np.maximum(variances, SMALLEST**2))[np.nonzero(keep)[0]]  # (Q, R)
    ends = []
    for tail in tails:
        low, high = (points - 9 * std).min(axis=0), (points + 9 * std).max(axis=0)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = share @ ndtr((middle - points) / std)
            low, high = np.where(below < tail, middle, low), np.where(below < tail, high, middle)
        ends.append((low + high) / 2)
    return share @ points, ends[0], ends[1]


def sample_summary(
    weights: Array, inside: Array, tails: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Mean and quantiles (E,) of weighted samples (K, n, E)."""
    flat, points = weights.ravel(), inside.reshape(weights.size, -1)
    order = np.argsort(points, axis=0)
    total = np.cumsum(flat[order], axis=0)  # (K n, E)
    ends = []
    for tail in tails:
        row = (total < tail * total[-1:]).sum(axis=0).clip(max=len(points) - 1)
        ends.append(np.take_along_axis(points, order, axis=0)[row, np.arange(points.shape[1])])
    return flat @ points, ends[0], ends[1]
