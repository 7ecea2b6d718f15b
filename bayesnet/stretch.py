"""Stretch or shrink the network's own intervals by the factors kept with it.

A factor belongs to a direction, that is to what the evidence is of: settings, latents or outcomes.
It was found with all of these known. Where less is known and less is explained, less of it holds;
without any evidence the network answers with the data's own spread, which needs none.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Literal

from bayesnet.belief import Belief
from bayesnet.network import Network
from bayesnet.nodes import OUTCOMES, Node

Direction = Literal["process", "latent", "outcome"]
PRIOR = 3.29  # width of a 90 % interval of a normal, in deviations


def direction(node: Node, roles: Collection[str]) -> Direction | None:
    """Return from which side evidence on nodes of these roles reaches a node; None from none.

    Latents stand between settings and outcomes: where they are known, they decide.
    """
    if node.role == "latent":
        return None
    if "latent" in roles:
        return "latent"
    if node.role == "process":
        return "outcome" if set(roles) & set(OUTCOMES) else None
    return "process" if "process" in roles else None


def explained(belief: Belief) -> float:
    """Return by how much of its width the evidence has narrowed a node's interval, 0 to 1."""
    width = (belief.high - belief.low) / (PRIOR * belief.node.scale)
    return min(max(1.0 - width, 0.0), 1.0)


def stretched(belief: Belief, factor: float, typical: float) -> Belief:
    """Return a belief whose interval is as wide as left-out specimens say.

    Args:
        belief: as the network gives it.
        factor: by which it was too wide or too narrow.
        typical: share that was explained where the factor was found.
    """
    share = min(explained(belief) / max(typical, 1e-9), 1.0)
    by = factor**share
    low = belief.mean - by * (belief.mean - belief.low)
    high = belief.mean + by * (belief.high - belief.mean)
    return replace(belief, low=low, high=high)


def as_wide_as_needed(
    network: Network, beliefs: Mapping[str, Belief], inside_data: bool
) -> dict[str, Belief]:
    """Return beliefs with the intervals that the network's factors give.

    Args:
        network: knows the factors; one fitted by an earlier version has none.
        beliefs: by column.
        inside_data: keep the intervals of settings in the range of the data.
    """
    factors = network.calibration.get("posterior", {})
    roles = {b.node.role for b in beliefs.values() if b.given is not None}
    result = dict(beliefs)
    for name, belief in beliefs.items():
        side = direction(belief.node, roles)
        entry = factors.get(side, {}).get(name) if side else None
        if belief.given is not None or entry is None:
            continue
        found, node = stretched(belief, entry["factor"], entry["explained"]), belief.node
        if inside_data and node.role == "process":
            found = replace(found, low=max(found.low, node.low), high=min(found.high, node.high))
        result[name] = found
    return result
