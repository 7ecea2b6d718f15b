"""Judge candidate networks by what they say of specimens left out of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from scipy.stats import norm

from bayesnet.gaussian import Array, Index
from bayesnet.levels import Levels, setting_groups
from bayesnet.mixture import (
    Mixture,
    conditional_moments,
    fit_mixture,
    mixture_log_density,
    responsibilities,
)
from bayesnet.structure import Structure

Arcs = Callable[[Index], Structure]


@dataclass(slots=True)
class HeldOut:
    """What left-out specimens say of one candidate; residuals are truth minus mean, in z-scores.

    O outcomes are E descriptors, then M properties.
    """

    log_likelihood: Array  # (S,) of process, latents and known properties
    given_latents: Array  # (S, O)
    given_process: Array  # (S, O)
    given_both: Array  # (S, M) properties given latents and descriptors
    process_given_properties: Array  # (S, P)
    process_given_outcomes: Array  # (S, P)
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
    levels: Levels,
    regimes: int,
    factors: int,
    folds: Index,
    seed: int,
    arcs: Arcs,
    detail: bool = False,
    known: dict[tuple[int, int], Array | None] | None = None,
) -> HeldOut | None:
    """Fit without each fold of specimens, regimes and arcs included, and judge on it.

    Args:
        levels: the specimen table.
        regimes, factors: of the candidate.
        folds: (S,) fold of every specimen.
        seed: of the regimes.
        arcs: returns the arcs from the specimens (n,) that may be looked at.
        detail: fill in more than the likelihood.
        known: responsibilities by number of regimes and fold, to fill and to use again.

    Returns:
        None when a regime would be too small in some fold.
    """
    known = {} if known is None else known
    s, p, m = len(levels.names), levels.process.shape[1], levels.properties.shape[1]
    o = levels.outcomes.shape[1]
    blank = [np.full((s, width), np.nan) for width in (o, o, m, p, p, p)]
    likely = np.full(s, np.nan)
    result = HeldOut(likely, blank[0], blank[1], blank[2], blank[3], blank[4], blank[5], {})
    for fold in np.unique(folds):
        train, left = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        key = regimes, int(fold)
        if key not in known:
            z = levels.latents[train]
            known[key] = responsibilities(levels.process[train], z, regimes, seed)
        shares = known[key]
        if shares is None:
            return None
        mixture = fit_mixture(levels, train, shares, factors, arcs(train), denoise=False)
        _judge(result, mixture, levels, left, detail)
        if detail:  # as a network has it, whose intervals are judged by these
            result.mixtures[int(fold)] = fit_mixture(
                levels, train, shares, factors, arcs(train), denoise=True
            )
    return result


def _judge(result: HeldOut, mixture: Mixture, levels: Levels, rows: Index, detail: bool) -> None:
    """Fill in what left-out specimens (n,) say of a mixture."""
    x = np.hstack([levels.process, levels.latents, levels.outcomes])
    sizes = [part.shape[1] for part in (levels.process, levels.latents, levels.descriptors)]
    process, latents, described, properties = np.split(np.arange(x.shape[1]), np.cumsum(sizes))
    outcomes = np.concatenate([described, properties])
    likely = np.concatenate([process, latents, properties])
    for known, same in _patterns(x, rows, likely):
        result.log_likelihood[same] = mixture_log_density(mixture, x[np.ix_(same, known)], known)
    if not detail:
        return
    result.given_latents[rows] = _residual(mixture, x, rows, latents, outcomes)
    result.given_process[rows] = _residual(mixture, x, rows, process, outcomes)
    for known, same in _patterns(x, rows, described):
        given = np.concatenate([latents, known])
        result.given_both[same] = _residual(mixture, x, same, given, properties)
    for given, target in (
        (properties, result.process_given_properties),
        (outcomes, result.process_given_outcomes),
    ):
        for known, same in _patterns(x, rows, given):
            if known.size:
                target[same] = _residual(mixture, x, same, known, process)
    for known, same in _patterns(x, rows, properties):
        if known.size and process.size:
            w, means, stds = conditional_moments(mixture, x[np.ix_(same, known)], known, process)
            true = x[np.ix_(same, process)][:, None]
            result.ranks[same] = (w[:, :, None] * ndtr((true - means) / stds)).sum(axis=1)


def _patterns(x: Array, rows: Index, columns: Index) -> list[tuple[Index, Index]]:
    """Return (known columns, specimens that know just these) pairs."""
    known = np.isfinite(x[np.ix_(rows, columns)])
    return [
        (columns[pattern], rows[(known == pattern).all(axis=1)])
        for pattern in np.unique(known, axis=0)
    ]


def _residual(mixture: Mixture, x: Array, rows: Index, given: Index, wanted: Index) -> Array:
    w, means, _ = conditional_moments(mixture, x[np.ix_(rows, given)], given, wanted)
    result: Array = x[np.ix_(rows, wanted)] - (w[:, :, None] * means).sum(axis=1)
    return result


def coverage(ranks: Array, level: float = 0.9) -> Array:
    """Share of left-out values inside the central interval of the given level, per column."""
    inside = np.abs(norm.ppf(np.clip(ranks, 1e-12, 1 - 1e-12))) <= norm.ppf((1 + level) / 2)
    counts = np.isfinite(ranks).sum(axis=0)
    result: Array = (inside & np.isfinite(ranks)).sum(axis=0) / np.maximum(counts, 1)
    return result
