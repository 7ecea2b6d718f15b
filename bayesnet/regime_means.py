"""What tells the regimes of a network apart: what their specimens measure on average."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bayesnet.gaussian import Array
from bayesnet.network import Network
from bayesnet.nodes import Node


@dataclass(frozen=True, slots=True, eq=False)
class RegimeMeans:
    """The means of every regime in the quantities that tell them apart best.

    Attributes:
        nodes: at most two descriptors or properties; none for a single regime.
        means: (K, N) of the nodes, in their units.
    """

    nodes: tuple[Node, ...]
    means: Array


def regime_means(network: Network) -> RegimeMeans:
    """Describe the regimes of a network by the descriptors or properties that differ most.

    The first is the one that differs most between any two regimes, the second the one that, beside
    it, parts the two most alike regimes furthest: the first may tell two regimes from a third, and
    not from each other. Differences count in standard deviations of the specimens within a regime.

    Example:
        >>> found = regime_means(network)  # doctest: +SKIP
        >>> [node.label for node in found.nodes]  # doctest: +SKIP
        ['Ultimate tensile strength', 'Ferrite grains, mean intercept']
    """
    places = [i for i in network.positions("descriptor", "property") if not network.nodes[i].group]
    scores = np.array([mean for mean, _ in network.joints])  # (K, nodes)
    spread = np.sqrt(network.weights @ np.array([np.diag(cov) for _, cov in network.joints]))
    apart = scores / spread
    chosen: list[int] = []
    if len(network.regimes) > 1 and places:
        chosen = [max(places, key=lambda i: float(np.ptp(apart[:, i])))]
        rest = [i for i in places if i not in chosen]
        if rest:
            chosen.append(max(rest, key=lambda i: _least_distance(apart[:, [*chosen, i]])))
    nodes = tuple(network.nodes[i] for i in chosen)
    mean, scale = np.array([[n.mean, n.scale] for n in nodes]).reshape(len(nodes), 2).T
    return RegimeMeans(nodes, mean + scale * scores[:, chosen])


def _least_distance(scores: Array) -> float:
    """Return the distance between the two nearest of some points (K, N), K at least 2."""
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(scores, 2))
