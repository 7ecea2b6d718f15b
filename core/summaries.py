"""Figures that sum up a sample, in the forms that the results are written in."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
DRAWS = 4000  # of a bootstrap


def summary(values: Array) -> dict[str, float | int]:
    """Return median, 90th percentile, mean and count of a sample."""
    return {
        "median": float(np.median(values)),
        "p90": float(np.quantile(values, 0.9)),
        "mean": float(np.mean(values)),
        "n": len(values),
    }


def paired_difference(a: Array, b: Array, seed: int = 0) -> dict[str, float]:
    """Return the mean of a - b with its 95 % bootstrap interval over specimens."""
    difference = np.asarray(a) - np.asarray(b)
    low, high = np.quantile(_bootstrap_means(difference, seed), (0.025, 0.975))
    return {"mean": float(difference.mean()), "low": float(low), "high": float(high)}


def mean_interval(values: Array, seed: int = 0) -> dict[str, float | int]:
    """Return the mean of specimens' values, its 95 % bootstrap interval, the median and count."""
    values = np.asarray(values, dtype=float)
    low, high = np.quantile(_bootstrap_means(values, seed), (0.025, 0.975))
    figures = {"mean": values.mean(), "low": low, "high": high, "median": np.median(values)}
    return {name: float(value) for name, value in figures.items()} | {"n": len(values)}


def median_interval(values: Array, seed: int = 0) -> dict[str, float | int]:
    """Return the median of specimens' values, its 95 % bootstrap interval and the count."""
    values = np.asarray(values, dtype=float)
    low, high = np.quantile(np.median(values[_draws(values, seed)], axis=1), (0.025, 0.975))
    return {"median": float(np.median(values)), "low": float(low), "high": float(high)} | {
        "n": len(values)
    }


def half_width_t(values: Array, confidence: float = 0.95) -> float:
    """Return the half width of the interval of a mean of two values or more (Student's t).

    >>> round(half_width_t(np.array([9.0, 10.0, 11.0])), 2)  # 4.303 / sqrt(3)
    2.48
    """
    quantile = stats.t.ppf((1 + confidence) / 2, len(values) - 1)
    return float(quantile * stats.sem(values))


def specimen_means(
    values: NDArray[np.floating], specimen: NDArray[np.str_]
) -> tuple[Array, NDArray[np.str_]]:
    """Return the mean row of each specimen, (S, d), and their names (S,), sorted.

    Args:
        values: (n, d); specimen: (n,) names.
    """
    names, index, counts = np.unique(specimen, return_inverse=True, return_counts=True)
    order = np.argsort(index, kind="stable")
    first = np.cumsum(counts) - counts
    sums: Array = np.add.reduceat(values[order], first, axis=0, dtype=np.float64)
    return sums / counts[:, None], names


def _draws(values: Array, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(len(values), size=(DRAWS, len(values)))


def _bootstrap_means(values: Array, seed: int) -> Array:
    means: Array = values[_draws(values, seed)].mean(axis=1)
    return means
