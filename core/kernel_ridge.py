"""Kernel ridge regression on specimens: width and penalty chosen, and specimens left out exactly.

The kernel is ``exp(-gamma d^2)`` plus a constant; labels are standardised. Every error is one of
leaving a specimen out: dual coefficients over the diagonal of the inverse give it without
refitting, and width and penalty are chosen anew without the specimen.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import rbf_kernel

Array = NDArray[np.float64]

CONSTANT = 10.0  # prior variance of the level, in standard deviations of the property squared
WIDTHS = (0.1, 0.3, 1.0, 3.0)  # gamma times the median squared distance
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


def candidate_kernels(points: Array) -> dict[float, Array]:
    """Return gamma -> kernel (S, S) of latents (S, A), for each of `WIDTHS`."""
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
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
    """Return, for each specimen, width and penalty chosen without it."""
    choices = []
    for i in range(len(y)):
        rest = np.delete(np.arange(len(y)), i)
        part = {gamma: kernel[np.ix_(rest, rest)] for gamma, kernel in kernels.items()}
        choices.append(choose(part, y[rest]))
    return choices


def nested_residuals(
    kernels: dict[float, Array], y: Array, choices: list[tuple[float, float]]
) -> Array:
    """Leave-one-out residuals (S,) with each specimen's own `nested_choices`."""
    return np.array(
        [
            left_out_residuals(kernels[gamma], y, penalty)[i]
            for i, (gamma, penalty) in enumerate(choices)
        ]
    )


def left_out_predictions(
    points: Array, probes: Array, y: Array, choices: list[tuple[float, float]]
) -> Array:
    """Predict each specimen at its probe, by a model fitted to the other specimens.

    Args:
        points: (S, A) latents fitted to; probes: (S, A) other latents of the same specimens.
        y: (S,) standardised labels.
        choices: width and penalty of each.

    Returns:
        (S,) standardised predictions.
    """
    result = np.empty(len(y))
    for i, (gamma, penalty) in enumerate(choices):
        rest = np.delete(np.arange(len(y)), i)
        kernel = rbf_kernel(points[rest], gamma=gamma) + CONSTANT
        dual = np.linalg.solve(kernel + penalty * np.eye(len(rest)), y[rest])
        result[i] = (rbf_kernel(probes[i : i + 1], points[rest], gamma=gamma) + CONSTANT)[0] @ dual
    return result
