"""A regime as one conditional a node, and the exact joint normal of such conditionals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bayesnet.gaussian import Array
from bayesnet.regimes import MIN_STD, Estimate
from bayesnet.structure import Mask, Structure


@dataclass(frozen=True, slots=True)
class Conditional:
    """One node given its parents, in z-scores: N(intercept + coefficients . parents, std^2)."""

    variable: str
    intercept: float
    parents: tuple[str, ...]
    coefficients: tuple[float, ...]
    std: float


def conditionals(
    parameters: Estimate,
    process: list[str],
    latents: list[str],
    outcomes: list[str],
    structure: Structure,
) -> tuple[Conditional, ...]:
    """Write an estimate as one conditional a node, parents before children.

    Outcomes are chained, so each also hangs on those before it and on what those hang on.
    """
    result = []

    def add(
        name: str, intercept: float, parents: list[str], slopes: ArrayLike, variance: float
    ) -> None:
        std = float(np.sqrt(max(variance, MIN_STD**2)))
        result.append(
            Conditional(
                name,
                float(intercept),
                tuple(parents),
                tuple(np.asarray(slopes, dtype=float).tolist()),
                std,
            )
        )

    mean, cov = parameters.process_mean, parameters.process_cov
    for i, name in enumerate(process):
        slopes = np.linalg.solve(cov[:i, :i], cov[:i, i])
        add(name, mean[i] - slopes @ mean[:i], process[:i], slopes, cov[i, i] - slopes @ cov[:i, i])
    causes = [f"u{i + 1}" for i in range(parameters.loadings.shape[1])]
    for name in causes:
        add(name, 0.0, [], np.zeros(0), 1.0)
    for i, name in enumerate(latents):
        some: Mask = structure.latents[i]
        slopes = np.concatenate([parameters.slopes[i, 1:][some], parameters.loadings[i]])
        parents = [n for n, keep in zip(process, some, strict=True) if keep] + causes
        add(name, parameters.slopes[i, 0], parents, slopes, parameters.unique[i])
    cov = parameters.outcome_cov
    for m, name in enumerate(outcomes):
        chain = np.linalg.solve(cov[:m, :m], cov[:m, m])
        slopes = parameters.weights[m] - chain @ parameters.weights[:m]  # (A + 1,)
        kept: Mask = np.logical_or.reduce(structure.outcomes[: m + 1], axis=0)
        add(
            name,
            slopes[0],
            [n for n, keep in zip(latents, kept, strict=True) if keep] + outcomes[:m],
            np.concatenate([slopes[1:][kept], chain]),
            cov[m, m] - chain @ cov[:m, m],
        )
    return tuple(result)


def joint(parts: tuple[Conditional, ...], order: list[str]) -> tuple[Array, Array]:
    """Return the exact joint normal of a linear-Gaussian network, without pgmpy's rounding.

    Args:
        parts: conditionals, parents before children.
        order: the variables wanted, in this order; others are marginalised.

    Returns:
        Mean (N,) and covariance (N, N) in z-scores.
    """
    position = {part.variable: i for i, part in enumerate(parts)}
    size = len(parts)
    mean, effect = np.zeros(size), np.zeros((size, size))  # effect of each node's own noise
    for i, part in enumerate(parts):
        parents = [position[name] for name in part.parents]
        slopes = np.array(part.coefficients)
        mean[i] = part.intercept + slopes @ mean[parents] if parents else part.intercept
        if parents:
            effect[i] = slopes @ effect[parents]
        effect[i, i] = part.std
    keep = [position[name] for name in order]
    cov = effect[keep] @ effect[keep].T
    return mean[keep], (cov + cov.T) / 2
