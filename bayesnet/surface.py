"""One property as a smooth function of the process settings: a Gaussian process.

Its left-out figures leave out whole settings, all castings of one setting together: a replicate in
the training set would give the answer away. What no specimen repeats is split in two: *scatter*,
which neither settings nor latents explain (the test, mostly), and the uncertainty of the surface.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from bayesnet.gaussian import Array, Index

MIN_SCATTER = 0.5  # of the left-out deviation: a few specimens can make scatter seem to vanish
JITTER = 1e-10
CHUNK = 1024  # settings at a time: with a hundred specimens they stay in the cache
# Starts and bounds of log shares: settings, latents, scatter.
SHARE_STARTS = ((0.0, -3.0, -4.0), (0.0, -6.0, -3.0))
SHARE_BOUNDS = ((-6.0, 4.0), (-12.0, 4.0), (-12.0, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """One property as a smooth function of the process z-scores (posterior mean of a GP).

    Attributes:
        alpha: (S,) dual coefficients, zero where a specimen is unlabelled.
        lengths: (P,) length scales in z-scores.
        constant: signal variance, in squares of ``scale``.
        noise: variance of single castings about the surface, in squares of ``scale``.
        centre: value at zero signal, in log units when ``log``.
        scale: unit of the signal.
        log: whether the logarithm of the property is modelled (all values positive).
        sd: deviation of castings at left-out settings, in log units when ``log``, else in the
            property's unit. It holds scatter, differences between castings of one setting, and the
            surface's own error.
        scatter: the part of it that neither settings nor latents explain, in the same unit.
        r2: coefficient of determination at left-out settings.
    """

    alpha: Array
    lengths: Array
    constant: float
    noise: float
    centre: float
    scale: float
    log: bool
    sd: float
    scatter: float
    r2: float


def transform(values: Array, log: bool) -> Array:
    """Return the logarithm of positive values, or the values."""
    return np.log(np.maximum(values, 1e-300)) if log else values


def kernel(a: Array, b: Array, lengths: Array, constant: float) -> Array:
    """Squared-exponential kernel (n, m) with one length a column."""
    a, b = a / lengths, b / lengths
    result: Array = a @ b.T  # worked on in place: passes over memory cost more than sums
    result -= 0.5 * (a**2).sum(axis=1)[:, None]
    result -= 0.5 * (b**2).sum(axis=1)[None]
    np.minimum(result, 0.0, out=result)
    np.exp(result, out=result)
    result *= constant
    return result


def predict_surface(surface: Surface, support_process: Array, process: Array) -> Array:
    """Return the property (n,), or its logarithm (`Surface.log`), at settings (n, P)."""
    parts = [
        kernel(part, support_process, surface.lengths, surface.constant) @ surface.alpha
        for part in np.array_split(process, len(process) // CHUNK + 1)
    ]
    result: Array = surface.centre + surface.scale * np.concatenate(parts)
    return result


def surface_at(surface: Surface, support_process: Array, settings: Array) -> tuple[float, Array]:
    """Return the property, or its logarithm, at settings (P,), and its slope (P,) there."""
    apart = (support_process - settings) / surface.lengths  # (S, P)
    near = np.exp(-0.5 * np.einsum("sp,sp->s", apart, apart))
    weights = surface.scale * surface.constant * near * surface.alpha
    return surface.centre + float(weights.sum()), weights @ apart / surface.lengths


def surface_sd(surface: Surface, known_process: Array, process: Array) -> Array:
    """Return the standard deviation (n,) of the surface itself, as `Surface.sd` has its unit.

    Args:
        surface: the surface.
        known_process: (L, P) settings of the labelled specimens.
        process: (n, P) settings.
    """
    gram = kernel(known_process, known_process, surface.lengths, surface.constant)
    factor = np.linalg.cholesky(gram + (surface.noise + JITTER) * np.eye(len(gram)))
    cross = kernel(known_process, process, surface.lengths, surface.constant)  # (L, n)
    explained = (solve_triangular(factor, cross, lower=True) ** 2).sum(axis=0)
    result: Array = surface.scale * np.sqrt(np.maximum(surface.constant - explained, 0.0))
    return result


def left_out_residuals(inverse: Array, dual: Array, groups: Index) -> Array:
    """Return residuals (n,) of a Gaussian process when whole groups are left out, exactly.

    Rasmussen and Williams, *Gaussian Processes for Machine Learning*, equation 5.12, in blocks:
    the residual of a group is the inverse of its block of K^-1 times its part of K^-1 y.

    Args:
        inverse: (n, n) inverse covariance K^-1, noise included.
        dual: (n,) K^-1 y.
        groups: (n,) group of every row.
    """
    result = np.empty(len(dual))
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        result[rows] = np.linalg.solve(inverse[np.ix_(rows, rows)], dual[rows])
    return result


def fit_surface(
    process: Array, values: Array, groups: Index, seed: int, latents: Array | None = None
) -> Surface:
    """Fit one property on process z-scores and judge it at left-out settings.

    Args:
        process: (S, P) z-scores.
        values: (S,) property, NaN where unlabelled.
        groups: (S,) number of the setting, the same for replicates (`levels.setting_groups`).
        seed: for the restarts of the marginal-likelihood search.
        latents: (S, A) z-scores of the specimens' latents, which tell castings of one setting
            apart; None counts all that settings leave unexplained as scatter.
    """
    known = np.isfinite(values)
    log = bool((values[known] > 0).all())
    target = transform(values[known], log)
    centre, scale = float(target.mean()), float(target.std())
    signal = (target - centre) / scale
    lengths, constant, noise = _search(process[known], signal, seed)
    gram = kernel(process[known], process[known], lengths, constant)
    inverse = np.linalg.inv(gram + (noise + JITTER) * np.eye(len(gram))).astype(np.float64)
    dual = inverse @ signal
    left = left_out_residuals(inverse, dual, groups[known])
    rms = float(np.sqrt((left**2).mean()))
    scatter = float(np.sqrt(noise))
    if latents is not None:
        scatter = _scatter(gram, latents[known], signal)
    alpha = np.zeros(len(values))
    alpha[known] = dual
    return Surface(
        alpha=alpha,
        lengths=lengths,
        constant=constant,
        noise=noise,
        centre=centre,
        scale=scale,
        log=log,
        sd=scale * rms,
        scatter=scale * float(np.clip(scatter, MIN_SCATTER * rms, rms)),
        r2=float(1 - (left**2).sum() / (signal**2).sum()),
    )


def refit(surface: Surface, process: Array, values: Array) -> Surface:
    """Condition a surface on other specimens (S', P), its kernel kept."""
    known: NDArray[np.bool_] = np.isfinite(values)
    alpha = np.zeros(len(values))
    if known.any():
        gram = kernel(process[known], process[known], surface.lengths, surface.constant)
        signal = (transform(values[known], surface.log) - surface.centre) / surface.scale
        alpha[known] = np.linalg.solve(gram + (surface.noise + JITTER) * np.eye(len(gram)), signal)
    return replace(surface, alpha=alpha)


def _search(process: Array, signal: Array, seed: int) -> tuple[Array, float, float]:
    """Return length scales (P,), signal variance and noise variance of largest likelihood."""
    size = process.shape[1]
    model = GaussianProcessRegressor(
        ConstantKernel(4.0, (0.1, 100.0)) * RBF(np.full(size, 2.0), (0.2, 30.0))
        + WhiteKernel(0.05, (1e-4, 1.5)),
        n_restarts_optimizer=1,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(process, signal)
    found = model.kernel_.k1
    lengths = np.broadcast_to(found.k2.length_scale, (size,)).astype(float).copy()
    return lengths, float(found.k1.constant_value), float(model.kernel_.k2.noise_level)


def _scatter(gram: Array, latents: Array, signal: Array) -> float:
    """Return the deviation that neither settings nor latents explain, in units of the signal.

    The covariance is a K + b Z Z^T / A + c I, with K of the settings (n, n) and Z the latents
    (n, A); a, b and c are those of largest marginal likelihood, and sqrt(c) is returned.
    """
    linear = latents @ latents.T / latents.shape[1]
    unit = np.eye(len(signal))

    def cost(shares: Array) -> float:
        a, b, c = np.exp(shares)
        factor = cho_factor(a * gram + b * linear + (c + JITTER) * unit, lower=True)
        fit = float(signal @ cho_solve(factor, signal))
        return 0.5 * fit + float(np.log(np.diag(factor[0])).sum())

    found = [
        minimize(cost, np.array(start), method="L-BFGS-B", bounds=SHARE_BOUNDS)
        for start in SHARE_STARTS
    ]
    best = min(found, key=lambda result: result.fun)
    return float(np.exp(best.x[2] / 2))
