"""Which arcs the network has: all between the tiers, those a score asks for, or the user's.

The tiers are process -> latents -> descriptors and properties. Arcs within a tier are no part of
the search: hidden common causes hold the latents together (`bayesnet.regimes`), and outcomes are
chained. So every child chooses its parents by itself, and hill climbing needs no test for cycles.

The score is the Gaussian BIC of a family, from means and covariances alone (Koller and Friedman
2009, *Probabilistic Graphical Models*, section 18.3.5); n is the number of specimens, not of
patches. It equals pgmpy's own "bic-g" (`bayesnet.library_score`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesnet.gaussian import Array, Index
from bayesnet.levels import Levels
from core.errors import InputError

Mask = NDArray[np.bool_]
GAIN = 1e-9  # nats: smallest that counts
SMALLEST = 1e-12  # share of a child's variance that parents may leave


@dataclass(frozen=True, slots=True)
class Structure:
    """Arcs by tier.

    Attributes:
        latents: (A, P) which settings each latent hangs on.
        outcomes: (O, A) which latents each descriptor and property hangs on.
    """

    latents: Mask
    outcomes: Mask

    @property
    def arcs(self) -> int:
        """How many there are."""
        return int(self.latents.sum() + self.outcomes.sum())

    def pairs(self, levels: Levels) -> tuple[tuple[str, str], ...]:
        """Return the arcs as (parent, child) names of nodes."""
        found = []
        for mask, parents, children in _tiers(self, levels):
            found += [(parents[j], children[i]) for i, j in np.argwhere(mask)]
        return tuple(found)


def _tiers(
    structure: Structure, levels: Levels
) -> tuple[tuple[Mask, list[str], list[str]], tuple[Mask, list[str], list[str]]]:
    latents = levels.named("latent")
    return (
        (structure.latents, levels.named("process"), latents),
        (structure.outcomes, latents, levels.named("descriptor", "property")),
    )


def all_arcs(settings: int, latents: int, outcomes: int) -> Structure:
    """Return all arcs between tiers of these sizes."""
    return Structure(np.ones((latents, settings), dtype=bool), np.ones((outcomes, latents), bool))


def full(levels: Levels) -> Structure:
    """Return all arcs between the tiers."""
    return all_arcs(levels.process.shape[1], levels.latents.shape[1], levels.outcomes.shape[1])


def given(levels: Levels, arcs: Iterable[tuple[str, str]]) -> Structure:
    """Return the structure that has these arcs, (parent, child) names of nodes, and no others.

    Raises:
        InputError: an unknown node, or an arc that does not lead from a tier to the next.
    """
    result = full(levels)
    allowed: dict[tuple[str, str], tuple[Mask, int, int]] = {}
    for mask, parents, children in _tiers(result, levels):
        mask[:] = False
        for j, parent in enumerate(parents):
            allowed |= {(parent, child): (mask, i, j) for i, child in enumerate(children)}
    known = {node.node for node in levels.nodes}
    for parent, child in arcs:
        if (parent, child) not in allowed:
            if unknown := {parent, child} - known:
                raise InputError(f"the arc {parent} -> {child}: {sorted(unknown)} is no node here")
            raise InputError(
                f"the arc {parent} -> {child} is not allowed: arcs lead from process settings to "
                "latents and from latents to descriptors and properties"
            )
        mask, i, j = allowed[parent, child]
        mask[i, j] = True
    return result


@dataclass(frozen=True, slots=True)
class Moments:
    """Sufficient statistics: the number of rows and their covariance (N, N), divided by it."""

    rows: int
    cov: Array


def moments(columns: Array) -> Moments:
    """Return the statistics of complete rows (n, N)."""
    centred = columns - columns.mean(axis=0)
    return Moments(len(columns), centred.T @ centred / len(columns))


def family_score(found: Moments, child: int, parents: Index) -> float:
    """Return the BIC of one variable given its parents, in nats; larger is better.

    Args:
        found: statistics of the variables.
        child: position of the variable.
        parents: (k,) positions of its parents.
    """
    cov, variance = found.cov, float(found.cov[child, child])
    if len(parents):
        cross = cov[parents, child]
        variance -= float(cross @ np.linalg.lstsq(cov[np.ix_(parents, parents)], cross)[0])
    return _score(found.rows, max(variance, SMALLEST * float(cov[child, child])), len(parents))


def _score(rows: int, variance: float, parents: int) -> float:
    """BIC from the residual variance; a regression has intercept, slopes and a variance."""
    likelihood = -0.5 * rows * (np.log(2 * np.pi * max(variance, 1e-300)) + 1)
    return float(likelihood - 0.5 * (parents + 2) * np.log(rows))


def climb(found: Moments, child: int, allowed: Index) -> Index:
    """Return the parents (k,) that hill climbing from none chooses, in ascending order.

    The best of all additions and removals is made until none gains. Never more parents than a
    third of the rows: a regression with as many parents as rows fits everything.
    """
    parents: list[int] = []
    score = family_score(found, child, np.array([], dtype=int))
    while True:
        steps: list[tuple[float, list[int]]] = []
        if len(parents) < found.rows // 3:
            steps += _additions(found, child, allowed, parents)
        for out in parents:
            rest = [p for p in parents if p != out]
            steps.append((family_score(found, child, np.array(rest, dtype=int)), rest))
        best = max(steps, key=lambda step: step[0], default=(score, parents))
        if best[0] <= score + GAIN:
            return np.array(sorted(parents), dtype=int)
        score, parents = best


def _additions(
    found: Moments, child: int, allowed: Index, parents: list[int]
) -> list[tuple[float, list[int]]]:
    """Return the score of every addition to the parents, from partial covariances at once."""
    open_ones = [int(j) for j in allowed if j not in parents]
    at = np.array([child, *open_ones], dtype=int)
    cov = found.cov[np.ix_(at, at)]
    if parents:
        have = np.array(parents, dtype=int)
        cross = found.cov[np.ix_(have, at)]
        cov = cov - cross.T @ np.linalg.lstsq(found.cov[np.ix_(have, have)], cross)[0]
    own = np.diag(found.cov)[at]
    free = np.diag(cov) > SMALLEST * own  # a candidate that the parents determine adds nothing
    gain = np.where(free, cov[0] ** 2 / np.where(free, np.diag(cov), 1.0), 0.0)[1:]
    left = np.maximum(cov[0, 0] - gain, SMALLEST * own[0])
    return [
        (_score(found.rows, float(v), len(parents) + 1), [*parents, j])
        for j, v in zip(open_ones, left, strict=True)
    ]


def learn_structure(levels: Levels, rows: Index) -> Structure:
    """Return the arcs that BIC asks for on some specimens (n,); unlabelled ones count for latents.

    A child that no parent explains keeps none.
    """
    process, latents, outcomes = (
        part[rows] for part in (levels.process, levels.latents, levels.outcomes)
    )
    result = full(levels)
    settings = np.arange(process.shape[1])
    together = moments(np.hstack([process, latents]))
    for i in range(latents.shape[1]):
        found = climb(together, settings.size + i, settings)
        result.latents[i] = np.isin(settings, found)
    for m in range(outcomes.shape[1]):
        known = np.isfinite(outcomes[:, m])
        if known.sum() < 3:
            continue
        family = moments(np.column_stack([latents[known], outcomes[known, m]]))
        places = np.arange(latents.shape[1])
        result.outcomes[m] = np.isin(places, climb(family, places.size, places))
    return result


def structure_score(levels: Levels, structure: Structure) -> float:
    """Return the BIC of a structure's families, nats per specimen; larger is better."""
    total, process = 0.0, levels.process.shape[1]
    together = moments(np.hstack([levels.process, levels.latents]))
    for i, mask in enumerate(structure.latents):
        total += family_score(together, process + i, np.flatnonzero(mask))
    for m, mask in enumerate(structure.outcomes):
        known = np.isfinite(levels.outcomes[:, m])
        family = moments(np.column_stack([levels.latents[known], levels.outcomes[known, m]]))
        total += family_score(family, len(mask), np.flatnonzero(mask))
    return total / len(levels.names)
