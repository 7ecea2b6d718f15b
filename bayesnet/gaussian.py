"""Exact Gaussian algebra in float64: conditioning, densities, and normals truncated to a box.

Everything works on z-scored variables, where covariances are well scaled; Cholesky factors replace
inverses. pgmpy's own `predict_probability` does the same on a joint rounded to eight decimals; the
tests compare the two.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import log_ndtr, ndtri_exp

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def condition(mean: Array, cov: Array, given: Index, values: Array) -> tuple[Index, Array, Array]:
    """Condition a joint normal on some of its variables.

    Args:
        mean: (N,) mean.
        cov: (N, N) symmetric positive definite covariance.
        given: (G,) integer positions of the known variables; may be empty.
        values: (G,) their values.

    Returns:
        The positions (N - G,) of the rest in ascending order, their mean and their covariance.
    """
    given = np.asarray(given, dtype=int)
    rest = np.setdiff1d(np.arange(mean.size), given)
    if given.size == 0:
        return rest, mean.copy(), cov.copy()
    cross = cov[np.ix_(given, rest)]
    weights = cho_solve(cho_factor(cov[np.ix_(given, given)], lower=True), cross)  # (G, N - G)
    posterior = cov[np.ix_(rest, rest)] - cross.T @ weights
    return rest, mean[rest] + (values - mean[given]) @ weights, (posterior + posterior.T) / 2


def log_density(x: Array, mean: Array, cov: Array) -> Array:
    """Return the log density of a normal at each row.

    Args:
        x: (S, N) points.
        mean: (N,) mean.
        cov: (N, N) covariance.

    Returns:
        (S,) natural log densities; zeros when N is 0.
    """
    if mean.size == 0:
        return np.zeros(len(x))
    factor = np.linalg.cholesky(cov)
    scaled = solve_triangular(factor, (x - mean).T, lower=True)  # (N, S)
    log_determinant = 2 * np.log(np.diag(factor)).sum()
    constant = mean.size * np.log(2 * np.pi) + log_determinant
    result: Array = -0.5 * ((scaled**2).sum(axis=0) + constant)
    return result


def _truncated_standard(low: Array, high: Array, uniform: Array) -> tuple[Array, Array]:
    """Draw standard normals in [low, high] by inversion in log space; also log probabilities.

    The interval is mirrored into the lower tail where it lies above zero, so that the result keeps
    its precision tens of standard deviations out.
    """
    flip = low > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    log_a, log_b = log_ndtr(a), log_ndtr(b)
    ratio = np.exp(np.minimum(log_a - log_b, 0.0))
    log_probability = log_b + np.log(np.maximum(-np.expm1(np.minimum(log_a - log_b, 0)), 1e-300))
    draw = ndtri_exp(log_b + np.log(uniform + (1 - uniform) * ratio))
    draw = np.clip(draw, a, b)
    return np.where(flip, -draw, draw), log_probability


def sample_in_box(
    mean: Array, cov: Array, low: Array, high: Array, uniforms: Array
) -> tuple[Array, Array]:
    """Draw weighted samples of a normal restricted to a box, variable after variable.

    The sequential sampler of Geweke, Hajivassiliou and Keane (Geweke 1991, *Computing Science and
    Statistics* 23, 571): each variable is drawn from its truncated conditional, and the product of
    the conditional probabilities is the importance weight. The mean of the weights is an unbiased
    estimate of the probability of the box, also where it is tiny.

    Args:
        mean: (P,) mean.
        cov: (P, P) covariance.
        low: (P,) lower limits, -inf allowed.
        high: (P,) upper limits, +inf allowed.
        uniforms: (n, P) numbers in (0, 1).

    Returns:
        Samples (n, P) inside the box and their log weights (n,).
    """
    count, size = uniforms.shape
    draws, log_weight = np.zeros((count, size)), np.zeros(count)
    if size == 0:
        return draws, log_weight
    factor = np.linalg.cholesky(cov)
    for i in range(size):
        offset = mean[i] + draws[:, :i] @ factor[i, :i]
        draws[:, i], log_probability = _truncated_standard(
            (low[i] - offset) / factor[i, i], (high[i] - offset) / factor[i, i], uniforms[:, i]
        )
        log_weight += log_probability
    return np.clip(mean + draws @ factor.T, low, high), log_weight


def is_positive_definite(cov: Array) -> bool:
    """Return whether a matrix is finite, symmetric (to 1e-9) and positive definite."""
    if not np.isfinite(cov).all() or not np.allclose(cov, cov.T, atol=1e-9):
        return False
    try:
        np.linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        return False
    return True
