"""The mixture of regimes: found, estimated, and asked of points."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from bayesnet.conditionals import Conditional, conditionals, joint
from bayesnet.gaussian import Array, Index, log_density
from bayesnet.levels import Levels
from bayesnet.nodes import OUTCOMES
from bayesnet.regimes import estimate
from bayesnet.structure import Structure

PROJECTION = 4  # principal components beside the process settings in which regimes are sought
MIN_REGIME = 8.0  # specimens


@dataclass(frozen=True, slots=True)
class Mixture:
    """Weighted regimes: conditionals, and the exact joint over all nodes in their order."""

    weights: Array  # (K,)
    parts: tuple[tuple[Conditional, ...], ...]
    joints: tuple[tuple[Array, Array], ...]


def responsibilities(process: Array, latents: Array, count: int, seed: int) -> Array | None:
    """Find regimes by EM on process settings and the leading principal components.

    Returns:
        (S, K) responsibilities, or None when a regime holds fewer than eight specimens.
    """
    if count == 1:
        return np.ones((len(latents), 1))
    u, s, _ = np.linalg.svd(latents - latents.mean(axis=0), full_matrices=False)
    size = min(PROJECTION, len(s))
    scores = u[:, :size] * s[:size] / max(s[0] / np.sqrt(len(u)), 1e-12)
    features = np.hstack([process, scores])
    model = GaussianMixture(
        count, reg_covar=2e-2, n_init=4, random_state=seed, max_iter=200, tol=1e-3
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        result: Array = model.fit(features).predict_proba(features)
    return result if result.sum(axis=0).min() >= MIN_REGIME else None


def fit_mixture(
    levels: Levels,
    rows: Index,
    shares: Array,
    factors: int,
    structure: Structure,
    denoise: bool,
) -> Mixture:
    """Estimate every regime from the given specimens.

    Args:
        levels: the specimen table.
        rows: (n,) positions of the specimens to use.
        shares: (n, K) responsibilities.
        factors: hidden factors of each regime.
        structure: the arcs.
        denoise: take the sampling noise of specimen means off the latents' variance.
    """
    p, z, y = levels.process[rows], levels.latents[rows], levels.outcomes[rows]
    noise = levels.noise if denoise else None
    pooled = estimate(p, z, y, np.ones(len(rows)), factors, noise=noise, structure=structure)
    order = [n.node for n in levels.nodes]
    process, latents = levels.named("process"), levels.named("latent")
    outcomes = levels.named(*OUTCOMES)
    parts = []
    for k in range(shares.shape[1]):
        single = shares.shape[1] == 1
        w = shares[:, k]
        fit = pooled if single else estimate(p, z, y, w, factors, pooled, noise, structure)
        parts.append(conditionals(fit, process, latents, outcomes, structure))
    weights = (shares.sum(axis=0) + 1) / (len(rows) + shares.shape[1])
    joints = tuple(joint(part, order) for part in parts)
    return Mixture(weights / weights.sum(), tuple(parts), joints)


def mixture_log_density(mixture: Mixture, x: Array, columns: Index) -> Array:
    """Log density (n,) of points x (n, len(columns)) in the margin of some variables."""
    terms = [
        np.log(w) + log_density(x, mean[columns], cov[np.ix_(columns, columns)])
        for w, (mean, cov) in zip(mixture.weights, mixture.joints, strict=True)
    ]
    result: Array = logsumexp(np.array(terms), axis=0)
    return result


def conditional_moments(
    mixture: Mixture, x: Array, given: Index, wanted: Index
) -> tuple[Array, Array, Array]:
    """Return what a mixture says of some variables given others, row by row.

    Args:
        mixture: the mixture.
        x: (n, G) values of the known variables.
        given: (G,) their positions; wanted: (W,) positions of the others.

    Returns:
        Regime weights (n, K), means (n, K, W) and standard deviations (K, W).
    """
    log_w, means, stds = [], [], []
    for weight, (mean, cov) in zip(mixture.weights, mixture.joints, strict=True):
        own, cross = cov[np.ix_(given, given)], cov[np.ix_(given, wanted)]
        gain = np.linalg.solve(own, cross) if given.size else np.zeros(cross.shape)
        left = np.diag(cov)[wanted] - (cross * gain).sum(axis=0)
        log_w.append(np.log(weight) + log_density(x, mean[given], own))
        means.append(mean[wanted] + (x - mean[given]) @ gain)
        stds.append(np.sqrt(np.maximum(left, 1e-12)))
    shares = np.exp(np.array(log_w) - logsumexp(log_w, axis=0)).T
    return shares, np.stack(means, axis=1), np.array(stds)
