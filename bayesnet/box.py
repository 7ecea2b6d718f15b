"""Evidence as a box in z-scores, and how plausible it is."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear
from scipy.stats import chi2

from bayesnet.demands import Demand
from bayesnet.gaussian import Array, Index
from bayesnet.network import Network
from bayesnet.reachable import design_range

TOLERATED = 1e-6  # z-scores: width that counts as a value


@dataclass(frozen=True, slots=True)
class Box:
    """Evidence in z-scores, positions among the nodes in ascending order."""

    at: Index
    low: Array
    high: Array

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """Which nodes have one value only (E,)."""
        return self.high - self.low <= 0


def evidence_box(network: Network, demands: Mapping[int, Demand], inside_data: bool) -> Box:
    """Return demands by position, with the free settings' design range where ``inside_data``."""
    ends = {}
    for i, demand in demands.items():
        node = network.nodes[i]
        low, high = (demand.low - node.mean) / node.scale, (demand.high - node.mean) / node.scale
        ends[i] = (low, low) if high - low <= TOLERATED else (low, high)
    if inside_data:
        ranges = np.stack(design_range(network), axis=1)
        for i, pair in zip(network.positions("process"), ranges, strict=True):
            ends.setdefault(int(i), (float(pair[0]), float(pair[1])))
    at = np.array(sorted(ends), dtype=int)
    pairs = np.array([ends[int(i)] for i in at]).reshape(-1, 2)
    return Box(at, pairs[:, 0], pairs[:, 1])


def plausibility(network: Network, box: Box) -> float:
    """Tail probability of the evidence's point nearest to the middle, in the likeliest regime."""
    if box.at.size == 0:
        return 1.0
    fixed, best = box.fixed, 0.0
    offset: Array
    for mean, cov in network.observed(box.at):
        factor = np.linalg.cholesky(cov[np.ix_(box.at, box.at)])
        whiten = np.linalg.inv(factor)
        offset = whiten[:, fixed] @ box.low[fixed] - whiten @ mean[box.at]
        if not fixed.all():
            bounds = box.low[~fixed], box.high[~fixed]
            offset = lsq_linear(whiten[:, ~fixed], -offset, bounds, method="bvls").fun
        best = max(best, float(chi2.sf(float((offset**2).sum()), box.at.size)))
    return best
