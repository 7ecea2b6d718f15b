"""Choose the number of regimes and of hidden factors by the likelihood of left-out specimens."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, ndtr
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from bayesnet.conditionals import Conditional, conditionals, joint
from bayesnet.gaussian import Array, Index, condition, log_density
from bayesnet.levels import Levels, setting_groups
from bayesnet.regimes import estimate

PROJECTION = 4  # principal components beside the process settings in which regimes are sought
MIN_REGIME = 8.0  # specimens


@dataclass(frozen=True, slots=True)
class Mixture:
    """Weighted regimes: conditionals and the exact joint over (process, latents, properties)."""

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
    denoise: bool,
) -> Mixture:
    """Estimate every regime from the given specimens.

    Args:
        levels: the specimen table.
        rows: (n,) positions of the specimens to use.
        shares: (n, K) responsibilities.
        factors: hidden factors of each regime.
        denoise: take the sampling noise of specimen means off the latents' variance.
    """
    p, z, y = levels.process[rows], levels.latents[rows], levels.properties[rows]
    noise = levels.noise if denoise else None
    pooled = estimate(p, z, y, np.ones(len(rows)), factors, noise=noise)
    order = [n.node for n in levels.nodes]
    named = [
        [n.node for n in levels.nodes if n.role == r] for r in ("process", "latent", "property")
    ]
    parts = []
    for k in range(shares.shape[1]):
        single = shares.shape[1] == 1
        fit = pooled if single else estimate(p, z, y, shares[:, k], factors, pooled, noise)
        parts.append(conditionals(fit, *named))
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
    mixture: Mixture, x: Array, given: Index, wanted: int
) -> tuple[Array, Array, Array]:
    """Regime weights, means and standard deviations (each (K,)) of one variable given others."""
    log_w, means, stds = [], [], []
    for weight, (mean, cov) in zip(mixture.weights, mixture.joints, strict=True):
        rest, m, c = condition(mean, cov, given, x)
        at = int(np.flatnonzero(rest == wanted)[0])
        log_w.append(
            np.log(weight) + log_density(x[None], mean[given], cov[np.ix_(given, given)])[0]
        )
        means.append(m[at])
        stds.append(np.sqrt(c[at, at]))
    shares = np.exp(np.array(log_w) - logsumexp(log_w))
    return shares, np.array(means), np.array(stds)


@dataclass(slots=True)
class HeldOut:
    """What left-out specimens say of one candidate; residuals are in z-scores."""

    log_likelihood: Array  # (S,) of process, latents and known properties
    property_residual: Array  # (S, M) truth minus prediction from the latents
    property_given_process: Array  # (S, M) truth minus prediction from the process
    ranks: Array  # (S, P) probability integral transform of process given properties
    mixtures: dict[int, Mixture]  # of each fold, fitted without it; only with ``detail``


def make_folds(levels: Levels, count: int, seed: int) -> tuple[Index, tuple[str, ...]]:
    """Deal the specimens out to folds.

    Castings of one process setting stay together, because one of them in the training set would
    give the others away; where there are fewer settings than ``count``, specimens are dealt singly.
    Specimens with the same labels are spread over the folds, so that no fold holds them all.

    Returns:
        (S,) fold of every specimen, and notes for the user.
    """
    groups = setting_groups(levels.process)
    notes: tuple[str, ...] = ()
    if (settings := int(groups.max()) + 1) < min(count, len(groups)):
        groups = np.arange(len(groups))
        notes = (f"{settings} process settings: left-out figures leave out single specimens",)
    size = int(groups.max()) + 1
    labels = np.zeros((size, levels.properties.shape[1]))
    np.add.at(labels, groups, np.isfinite(levels.properties))
    order = np.lexsort([np.random.default_rng(seed).permutation(size), *labels.T])
    folds = np.empty(size, dtype=int)
    folds[order] = np.arange(size) % min(count, size)
    return folds[groups], notes


def cross_validate(
    levels: Levels, regimes: int, factors: int, folds: Index, seed: int, detail: bool = False
) -> HeldOut | None:
    """Fit without each fold of specimens, regimes included, and judge on it.

    Returns:
        None when a regime would be too small in some fold.
    """
    s, p = levels.process.shape
    a, m = levels.latents.shape[1], levels.properties.shape[1]
    x = np.hstack([levels.process, levels.latents, levels.properties])
    result = HeldOut(
        np.full(s, np.nan),
        np.full((s, m), np.nan),
        np.full((s, m), np.nan),
        np.full((s, p), np.nan),
        {},
    )
    process, latents, properties = np.split(np.arange(p + a + m), [p, p + a])
    for fold in np.unique(folds):
        train = np.flatnonzero(folds != fold)
        shares = responsibilities(levels.process[train], levels.latents[train], regimes, seed)
        if shares is None:
            return None
        mixture = fit_mixture(levels, train, shares, factors, denoise=False)
        if detail:
            result.mixtures[int(fold)] = mixture
        for i in np.flatnonzero(folds == fold):
            known = np.flatnonzero(np.isfinite(x[i]))
            result.log_likelihood[i] = mixture_log_density(mixture, x[i : i + 1, known], known)[0]
            if not detail:
                continue
            for j, column in enumerate(properties):
                for given, target in (
                    (latents, result.property_residual),
                    (process, result.property_given_process),
                ):
                    w, mean, _ = conditional_moments(mixture, x[i, given], given, int(column))
                    target[i, j] = x[i, column] - w @ mean
            given = properties[np.isfinite(x[i, properties])]
            for j in process if given.size else ():
                w, mean, std = conditional_moments(mixture, x[i, given], given, int(j))
                result.ranks[i, j] = w @ ndtr((x[i, j] - mean) / std)
    return result


def coverage(ranks: Array, level: float = 0.9) -> Array:
    """Share of left-out values inside the central interval of the given level, per column."""
    inside = np.abs(norm.ppf(np.clip(ranks, 1e-12, 1 - 1e-12))) <= norm.ppf((1 + level) / 2)
    counts = np.isfinite(ranks).sum(axis=0)
    result: Array = (inside & np.isfinite(ranks)).sum(axis=0) / np.maximum(counts, 1)
    return result
