"""Kernel ridge regression on specimens: width and penalty chosen, and specimens left out exactly.

The kernel is ``exp(-gamma d^2)`` plus a constant; labels are standardised. Every error is one of
leaving a specimen out: dual coefficients over the diagonal of the inverse give it without
refitting, and width and penalty are chosen anew without the specimen (of many specimens, without
all of its fold).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import rbf_kernel

Array = NDArray[np.float64]

CONSTANT = 10.0  # prior variance of the level, in standard deviations of the property squared
WIDTHS = (0.1, 0.3, 1.0, 3.0)  # gamma times the median squared distance
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
ALONE, FOLDS = 200, 10  # specimens that are each chosen without; more go by folds, a choice is S^3


def candidate_kernels(points: Array) -> dict[float, Array]:
    """Return gamma -> kernel (S, S) of latents (S, A), for each of `WIDTHS`."""
    squared = cdist(points, points, "sqeuclidean")
    middle = max(float(np.median(squared[squared > 0])) if (squared > 0).any() else 1.0, 1e-12)
    return {w / middle: np.exp(-(w / middle) * squared) + CONSTANT for w in WIDTHS}


def left_out_residuals(kernel: Array, y: Array, penalty: float) -> Array:
    """Exact leave-one-out residuals of kernel ridge: dual over the diagonal of the inverse."""
    inverse = np.linalg.inv(kernel + penalty * np.eye(len(y)))
    result: Array = inverse @ y / np.diag(inverse)
    return result


def choose(kernels: dict[float, Array], y: Array) -> tuple[float, float]:
    """Return the width and penalty with the smallest leave-one-out error."""
    scores = {}
    for gamma, kernel in kernels.items():
        values, vectors = np.linalg.eigh(kernel)
        rotated = vectors.T @ y
        for penalty in PENALTIES:
            shrunk = 1 / (np.maximum(values, 0) + penalty)
            residual = (vectors @ (shrunk * rotated)) / ((vectors**2) @ shrunk)
            scores[gamma, penalty] = float((residual**2).mean())
    return min(scores, key=lambda key: scores[key])


def nested_choices(kernels: dict[float, Array], y: Array) -> list[tuple[float, float]]:
    """Return, for each specimen, width and penalty chosen without it.

    Of more than `ALONE` specimens, without all of its fold, one of `FOLDS`.
    """
    order = np.random.default_rng(0).permutation(len(y))
    chosen: dict[int, tuple[float, float]] = {}
    for fold in np.array_split(order, len(y) if len(y) <= ALONE else FOLDS):
        rest = np.setdiff1d(order, fold)
        part = {gamma: kernel[np.ix_(rest, rest)] for gamma, kernel in kernels.items()}
        chosen |= dict.fromkeys(fold.tolist(), choose(part, y[rest]))
    return [chosen[i] for i in range(len(y))]


def nested_residuals(
    kernels: dict[float, Array], y: Array, choices: list[tuple[float, float]]
) -> Array:
    """Leave-one-out residuals (S,) with each specimen's own `nested_choices`."""
    by_choice = {c: left_out_residuals(kernels[c[0]], y, c[1]) for c in set(choices)}
    return np.array([by_choice[choice][i] for i, choice in enumerate(choices)])


def left_out_predictions(
    points: Array, probes: Array, y: Array, choices: list[tuple[float, float]]
) -> Array:
    """Predict each specimen at its probe, by a model fitted to the other specimens.

    With G the inverse of the penalised kernel of all, the dual coefficients without specimen i are
    G y - G_i (G y)_i / G_ii, which is 0 at i.

    Args:
        points: (S, A) latents fitted to; probes: (S, A) other latents of the same specimens.
        y: (S,) standardised labels.
        choices: width and penalty of each.

    Returns:
        (S,) standardised predictions.
    """
    result = np.empty(len(y))
    for gamma, penalty in set(choices):
        own = [i for i, choice in enumerate(choices) if choice == (gamma, penalty)]
        kernel = rbf_kernel(points, gamma=gamma) + CONSTANT
        inverse = np.linalg.inv(kernel + penalty * np.eye(len(y)))
        dual = inverse @ y
        without = dual - inverse[own] * (dual / np.diag(inverse))[own, None]  # (own, S)
        result[own] = ((rbf_kernel(probes[own], points, gamma=gamma) + CONSTANT) * without).sum(1)
    return result
