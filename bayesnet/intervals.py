"""90 % intervals of recommended settings, as wide as left-out specimens say they must be.

The posterior of the settings rests on a handful of regimes and on a surface, and its own intervals
are too narrow for a design. For every left-out specimen its properties are asked for (where the
data have none, its descriptors), as a user would, of regimes that have not seen it, and its own
setting is looked for in the interval. The factor by which intervals must be widened for 90 % of
them is kept with the network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayesnet.evidence import Evidence, check_evidence
from bayesnet.gaussian import Array, Index
from bayesnet.mixture import Mixture
from bayesnet.network import Network, Regime
from bayesnet.nodes import Node
from bayesnet.posterior import Posterior, process_posterior
from bayesnet.support import restricted
from core.conformal import conformal_half_width

MOST_SPECIMENS = 200  # left-out specimens asked for; more say hardly more
TAILS = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Spread:
    """Quantiles of every setting in a posterior: 5 %, 50 %, 95 %, (P,) each, in z-scores."""

    low: Array
    middle: Array
    high: Array

    def widened(self, factors: Array) -> tuple[Array, Array]:
        """Return both ends (P,), their distance from the median times ``factors`` (P,)."""
        return (
            self.middle - factors * (self.middle - self.low),
            self.middle + factors * (self.high - self.middle),
        )

    def needed(self, settings: Array) -> Array:
        """Return the factors (P,) that bring these settings (P,) just into the interval."""
        gap = settings - self.middle
        half = np.where(gap < 0, self.middle - self.low, self.high - self.middle)
        result: Array = np.abs(gap) / np.maximum(half, 1e-9)
        return result


def spread(posterior: Posterior) -> Spread:
    """Return the quantiles of every setting over all regimes."""
    weights = np.exp(posterior.log_weights).ravel()
    settings = posterior.settings.reshape(weights.size, -1)
    ends = [_weighted_quantiles(settings[:, i], weights) for i in range(settings.shape[1])]
    return Spread(*np.array(ends).reshape(-1, len(TAILS)).T)


def _weighted_quantiles(values: Array, weights: Array) -> Array:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    at = np.searchsorted(total, np.array(TAILS) * total[-1]).clip(max=len(values) - 1)
    result: Array = values[order][at]
    return result


def left_out_widening(
    network: Network, mixtures: Mapping[int, Mixture], folds: Index
) -> dict[str, dict[str, Any]]:
    """Find by how much the intervals of settings must be widened in designs.

    Args:
        network: fitted on all specimens.
        mixtures: of each fold, fitted without its specimens.
        folds: (S,) fold of every specimen.

    Returns:
        By column: ``specimens`` asked for, ``coverage_90_design`` of the intervals as they are,
        ``widening_90``: the factor, at least 1, or None with fewer than nine specimens, and
        ``coverage_90_widened``: of the same specimens by the widened intervals, or None.
    """
    if not network.process:
        return {}
    needed = []
    asked = network.properties or network.descriptors
    tested = network.support.properties[:, network.outcome_places(asked)]
    labelled = np.flatnonzero(np.isfinite(tested).any(axis=1))
    step = max(len(labelled) // MOST_SPECIMENS, 1)
    for fold, mixture in mixtures.items():
        blind = without(network, mixture, np.flatnonzero(folds != fold))
        for row in labelled[::step]:
            if folds[row] == fold:
                evidence = _asked_for(blind, asked, tested[row])
                posterior = process_posterior(blind, evidence.targets, evidence)
                found = spread(posterior.likeliest())
                needed.append(found.needed(network.support.process[row]))
    scores = np.array(needed).reshape(-1, len(network.process))
    result = {}
    for i, node in enumerate(network.process):
        factor = None if node.group else conformal_half_width(scores[:, i])
        widening = None if factor is None else max(factor, 1.0)
        result[node.column] = {
            "specimens": len(scores),
            "coverage_90_design": float((scores[:, i] <= 1).mean()) if len(scores) else None,
            "widening_90": widening,
            "coverage_90_widened": (
                None if widening is None else float((scores[:, i] <= widening).mean())
            ),
        }
    return result


def mixture_regimes(mixture: Mixture) -> tuple[Regime, ...]:
    """Return a mixture as the regimes of a network."""
    pairs = zip(mixture.weights, mixture.parts, strict=True)
    return tuple(Regime(float(weight), parts) for weight, parts in pairs)


def without(network: Network, mixture: Mixture, rows: Index) -> Network:
    """Return the network with the regimes and support of the specimens ``rows`` alone.

    Surfaces, scatter and z-scores stay those of all specimens.
    """
    return replace(
        network, regimes=mixture_regimes(mixture), support=restricted(network.support, rows)
    )


def _asked_for(network: Network, nodes: Sequence[Node], values: Array) -> Evidence:
    """Return the query for a specimen's values (M,) of some outcomes, NaN where unknown."""
    targets = {
        node.column: float(value)
        for node, value in zip(nodes, values, strict=True)
        if np.isfinite(value)
    }
    return check_evidence(network, targets, None)
