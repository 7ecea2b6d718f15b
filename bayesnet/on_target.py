"""Settings that give the target: from the posterior's mean on to where the surfaces say it is met.

Settings that give one and the same target lie on a curve, and the mean of a curve lies beside it.
From the mean the nearest settings are therefore sought, by how the posterior scatters, whose
expected properties are the target's, as far as the surfaces are known there.
"""

from functools import lru_cache

import numpy as np
from scipy.optimize import least_squares

from bayesnet.demands import Demand
from bayesnet.evidence import Evidence
from bayesnet.gaussian import Array
from bayesnet.network import Network
from bayesnet.nodes import Node
from bayesnet.reachable import uses_surface
from bayesnet.surface import surface_at, surface_sd, transform

LEAST_SD = 1e-3  # of a setting in the posterior, z-scores: such a one hardly moves
MOST = 100  # evaluations of the surfaces
CLOSE = 1e-12  # steps, relative: the answer must not depend on units
ROOM = 1e-9  # beyond the limits, for a mean at one of them


def on_target(
    network: Network,
    wanted: dict[Node, Demand],
    evidence: Evidence,
    draws: Array,
    weights: Array,
) -> Array:
    """Return the settings nearest to the mean of draws at which the surfaces give the target.

    Args:
        network: the fitted network.
        wanted: outcome nodes and what is asked of them, extremes settled.
        evidence: limits of the settings.
        draws: (n, P) settings in z-scores, inside the limits.
        weights: (n,) theirs; they sum to one.

    Returns:
        (P,) z-scores inside the limits; the mean itself where no surface tells the properties.
    """
    mean: Array = weights @ draws
    order = network.outcome_places(wanted)
    numeric = np.array([not node.group for node in network.process], dtype=bool)
    free = ~evidence.fixed & numeric
    if not free.any() or not uses_surface(network, order):
        return mean
    support = network.support
    centred = (draws - mean)[:, free]
    sd = np.sqrt(weights @ centred**2).clip(LEAST_SD)
    cov = (centred * weights[:, None]).T @ centred + np.diag((0.05 * sd) ** 2)
    root = np.linalg.inv(np.linalg.cholesky(cov))
    known = np.isfinite(support.properties)
    scales = [
        max(
            float(surface_sd(support.surfaces[m], support.process[known[:, m]], mean[None])[0]),
            1e-6,
        )
        for m in order
    ]
    ends = [
        transform(np.array([demand.low, demand.high]), support.surfaces[m].log)
        for m, demand in zip(order, wanted.values(), strict=True)
    ]

    @lru_cache(maxsize=2)  # the gaps are asked for first, then their slopes there
    def at(inner: bytes) -> tuple[Array, Array]:
        settings, gaps, slopes = mean.copy(), [], []
        settings[free] = np.frombuffer(inner)
        for m, (low, high), scale in zip(order, ends, scales, strict=True):
            value, slope = surface_at(support.surfaces[m], support.process, settings)
            gap = value - min(max(value, low), high)
            gaps.append(gap / scale)
            slopes.append((gap != 0) * slope[free] / scale)
        away = root @ (settings - mean)[free]
        return np.concatenate([gaps, away]), np.vstack([*slopes, root])

    found = least_squares(
        lambda inner: at(inner.tobytes())[0],
        mean[free],
        lambda inner: at(inner.tobytes())[1],
        bounds=(evidence.low[free] - ROOM, evidence.high[free] + ROOM),
        method="dogbox",
        ftol=None,
        xtol=CLOSE,
        gtol=None,
        max_nfev=MOST,
    )
    result = mean.copy()
    result[free] = np.clip(found.x, evidence.low[free], evidence.high[free])
    return result
