"""Estimate one regime: a linear-Gaussian network over process, latents and properties.

    process (chained) -> latents <- hidden common causes u1..uq;   latents -> outcomes (chained)

Outcomes are descriptors, then properties.
Latents that the process does not explain vary together; q hidden factors carry that, so that
dozens of specimens suffice for 64 latents. Every estimate is weighted by the responsibilities of
the regime and shrunk toward the pooled network.
"""

from dataclasses import dataclass

import numpy as np

from bayesnet.gaussian import Array
from bayesnet.structure import Mask, Structure, all_arcs
from core.errors import InputError

MIN_STD = 1e-2  # of a z-score: far above pgmpy's rounding to 8 decimals
PROCESS_PRIOR, SLOPE_PRIOR, COVARIANCE_PRIOR, PROPERTY_PRIOR = 5.0, 2.0, 20.0, 5.0  # specimens
MIN_REGRESSION = 3  # labels
RIDGES = np.geomspace(0.3, 3000.0, 13)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Parameters of one regime in z-scores; P process, A latents, q factors, O outcomes."""

    process_mean: Array  # (P,)
    process_cov: Array  # (P, P)
    slopes: Array  # (A, P + 1), intercept first
    residual: Array  # (A, A) covariance of latents given process
    loadings: Array  # (A, q)
    unique: Array  # (A,) variances
    weights: Array  # (O, A + 1), intercept first
    outcome_cov: Array  # (O, O) of left-out residuals


def _weighted_cov(x: Array, w: Array) -> tuple[Array, Array]:
    mean = w @ x / w.sum()
    centred = x - mean
    return mean, (w * centred.T) @ centred / w.sum()


def ridge(x: Array, y: Array, w: Array, prior: Array) -> tuple[Array, Array]:
    """Weighted ridge regression toward prior slopes, its strength chosen by leave-one-out.

    Args:
        x: (S, A) regressors.
        y: (S,) responses.
        w: (S,) weights in [0, 1].
        prior: (A,) slopes toward which to shrink.

    Returns:
        (A + 1,) intercept and slopes, and (S,) leave-one-out residuals. The residuals include the
        uncertainty of the fit, which makes their spread an honest standard deviation.

    Raises:
        InputError: the weights do not add up to more than 0, so there is nothing to fit.
    """
    total = w.sum()
    if not total > 0:
        raise InputError(f"{len(w)} specimens of total weight {total:g}: no regression")
    mean_x, mean_y = w @ x / total, w @ y / total
    root = np.sqrt(w)
    design = root[:, None] * (x - mean_x)
    target = y - mean_y - (x - mean_x) @ prior
    u, s, vt = np.linalg.svd(design, full_matrices=False)
    projected = u.T @ (root * target)
    best, best_score = (prior, target), np.inf
    for strength in (*RIDGES, np.inf):
        gain = s**2 / (s**2 + strength) if np.isfinite(strength) else np.zeros_like(s)
        fitted = (u * gain) @ projected / np.maximum(root, 1e-12)
        leverage = np.minimum((u**2) @ gain + w / total, 0.99)
        residual = (target - fitted) / (1 - leverage)
        score = float(w @ residual**2 / total)
        if score < best_score:
            slopes = prior + vt.T @ (gain / np.maximum(s, 1e-12) * projected)
            best, best_score = (slopes, residual), score
    slopes, residual = best
    return np.concatenate([[mean_y - mean_x @ slopes], slopes]), residual


def _slopes(process: Array, latents: Array, w: Array, prior: Array | None, allowed: Mask) -> Array:
    """Regress latents on process, shrunk toward prior slopes by a few pseudo-specimens.

    Args:
        process: (S, P); latents: (S, A); w: (S,) weights.
        prior: (A, P + 1), intercept first.
        allowed: (A, P) which settings each latent hangs on; the other slopes are 0.
    """
    mean_p, mean_z = w @ process / w.sum(), w @ latents / w.sum()
    p, z = process - mean_p, latents - mean_z
    strength = 1e-3 if prior is None else SLOPE_PRIOR
    anchor = np.zeros((latents.shape[1], process.shape[1])) if prior is None else prior[:, 1:]
    gram = (w * p.T) @ p + strength * np.eye(p.shape[1])
    right = (w * p.T) @ z + strength * anchor.T  # (P, A)
    slopes = np.zeros(anchor.shape)
    for pattern in np.unique(allowed, axis=0):
        some = (allowed == pattern).all(axis=1)
        found = np.linalg.solve(gram[np.ix_(pattern, pattern)], right[np.ix_(pattern, some)])
        slopes[np.ix_(some, pattern)] = found.T
    return np.column_stack([mean_z - slopes @ mean_p, slopes])


def factorise(cov: Array, factors: int, noise: Array | None) -> tuple[Array, Array]:
    """Split a covariance into factor loadings and unique variances (principal factors).

    Args:
        cov: (A, A) covariance of the latents given process.
        factors: number of hidden factors, at most A - 1 are used.
        noise: (A, A) sampling covariance of the specimen means to take off, or None. At most half
            of any variance is taken off.

    Returns:
        Loadings (A, q), and unique variances (A,), at least `MIN_STD` squared. The variances of
        ``loadings @ loadings.T + diag(unique)`` equal those of the corrected covariance.
    """
    size = len(cov)
    factors = min(factors, size - 1)
    if noise is not None:
        share = np.minimum(1.0, 0.5 * np.diag(cov) / np.maximum(np.diag(noise), 1e-12))
        cov = cov - np.sqrt(np.outer(share, share)) * noise
        values, vectors = np.linalg.eigh(cov)
        cov = (vectors * np.maximum(values, MIN_STD**2)) @ vectors.T
    values, vectors = np.linalg.eigh(cov)
    rest = values[: size - factors].mean() if factors < size else 0.0
    loadings = vectors[:, size - factors :] * np.sqrt(
        np.maximum(values[size - factors :] - rest, 0)
    )
    loadings = loadings[:, ::-1] if factors else np.zeros((size, 0))
    unique = np.maximum(np.diag(cov) - (loadings**2).sum(axis=1), MIN_STD**2)
    return loadings, unique


def estimate(
    process: Array,
    latents: Array,
    outcomes: Array,
    w: Array,
    factors: int,
    pooled: Estimate | None = None,
    noise: Array | None = None,
    structure: Structure | None = None,
) -> Estimate:
    """Estimate one regime from weighted specimens, shrunk toward ``pooled`` when given.

    Args:
        process: (S, P) z-scores.
        latents: (S, A) z-scores.
        outcomes: (S, O) z-scores, NaN where unknown: such rows count for the latents only.
        w: (S,) responsibilities of this regime.
        factors: number of hidden factors.
        pooled: the network of all specimens.
        noise: (A, A) sampling covariance of specimen means, taken off the latents' variance.
        structure: the arcs; all between the tiers when None.
    """
    structure = structure or all_arcs(process.shape[1], latents.shape[1], outcomes.shape[1])
    total = w.sum()
    p_mean, p_cov = _weighted_cov(process, w)
    prior = None if pooled is None else pooled.slopes
    slopes = _slopes(process, latents, w, prior, structure.latents)
    left = latents - slopes[:, 0] - process @ slopes[:, 1:].T
    degrees = max(total - process.shape[1] - 1, total / 2)
    residual = (w * left.T) @ left / degrees
    if pooled is not None:
        p_cov = (total * p_cov + PROCESS_PRIOR * pooled.process_cov) / (total + PROCESS_PRIOR)
        residual = total * residual + COVARIANCE_PRIOR * pooled.residual
        residual = residual / (total + COVARIANCE_PRIOR)
    loadings, unique = factorise(residual, factors, noise)
    weights, outcome_cov = _outcomes(latents, outcomes, w, structure.outcomes, pooled)
    jitter = MIN_STD**2 * np.eye(p_cov.shape[0])
    return Estimate(
        p_mean, p_cov + jitter, slopes, residual, loadings, unique, weights, outcome_cov
    )


def _outcomes(
    latents: Array, outcomes: Array, w: Array, allowed: Mask, pooled: Estimate | None
) -> tuple[Array, Array]:
    """Ridge each outcome on its latents; covariance of the leave-one-out residuals.

    With fewer than three labels, as may be left beside a fold, an outcome is predicted by their
    mean, or without any by the mean of the data (0 in z-scores) and their variance.
    """
    count, size = outcomes.shape[1], latents.shape[1]
    weights = np.zeros((count, size + 1))
    left = np.full(outcomes.shape, np.nan)
    for m in range(count):
        known = np.isfinite(outcomes[:, m])
        if pooled is not None and w[known].sum() < 4:
            weights[m] = pooled.weights[m]
            continue
        if known.sum() < MIN_REGRESSION:
            weights[m, 0] = outcomes[known, m].mean() if known.any() else 0.0
            left[known, m] = outcomes[known, m] - weights[m, 0]
            continue
        prior = np.zeros(size) if pooled is None else pooled.weights[m, 1:]
        some = allowed[m]
        x = latents[np.ix_(known, some)]
        found, left[known, m] = ridge(x, outcomes[known, m], w[known], prior[some])
        weights[m, np.concatenate([[True], some])] = found
    cov = np.zeros((count, count))
    for i in range(count):
        for j in range(count):
            both = np.isfinite(left[:, i]) & np.isfinite(left[:, j])
            seen = w[both].sum()
            moment = float(w[both] @ (left[both, i] * left[both, j]))
            prior_cov = 0.0 if pooled is None else pooled.outcome_cov[i, j]
            strength = PROPERTY_PRIOR if pooled is not None or i != j else 0.0
            if pooled is None and i == j and both.sum() < MIN_REGRESSION:
                prior_cov, strength = 1.0, PROPERTY_PRIOR  # z-scores: the variance of the data
            cov[i, j] = (moment + strength * prior_cov) / max(seen + strength, 1e-12)
    values, vectors = np.linalg.eigh(cov) if count else (np.zeros(0), np.zeros((0, 0)))
    return weights, (vectors * np.maximum(values, MIN_STD**2)) @ vectors.T
