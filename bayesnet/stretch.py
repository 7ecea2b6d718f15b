"""Stretch or shrink the network's own intervals by the factors kept with it.

A factor belongs to a direction, that is to what the evidence is of: settings, latents or outcomes.
It was found with all of these known. Where less is explained, less of it holds; where some of the
latents are known, the latents' factor holds by their share and the other evidence's by the rest, so
that a latent more never makes a jump. Without any evidence the network answers with the data's own
spread, which needs none.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Literal

from bayesnet.belief import Belief
from bayesnet.network import Network
from bayesnet.nodes import OUTCOMES, Node

Direction = Literal["process", "latent", "outcome"]
PRIOR = 3.29  # width of a 90 % interval of a normal, in deviations


def direction(node: Node, roles: Collection[str]) -> Direction | None:
    """Return from which side evidence other than latents reaches a node; None from none."""
    if node.role == "process":
        return "outcome" if set(roles) & set(OUTCOMES) else None
    return "process" if "process" in roles else None


def explained(belief: Belief) -> float:
    """Return by how much of its width the evidence has narrowed a node's interval, 0 to 1."""
    width = (belief.high - belief.low) / (PRIOR * belief.node.scale)
    return min(max(1.0 - width, 0.0), 1.0)


def needed(belief: Belief, entry: Mapping[str, Any]) -> float:
    """Return by how much an interval must be stretched.

    Args:
        belief: as the network gives it.
        entry: the ``factor`` by which left-out specimens' intervals were too wide or too narrow,
            and the share that was ``explained`` where it was found.
    """
    share = min(explained(belief) / max(entry["explained"], 1e-9), 1.0)
    return float(entry["factor"] ** share)


def stretched(belief: Belief, by: float) -> Belief:
    """Return a belief with both ends ``by`` times as far from its mean."""
    low = belief.mean - by * (belief.mean - belief.low)
    high = belief.mean + by * (belief.high - belief.mean)
    return replace(belief, low=low, high=high)


def as_wide_as_needed(
    network: Network, beliefs: Mapping[str, Belief], inside_data: bool
) -> dict[str, Belief]:
    """Return beliefs with the intervals that the network's factors give.

    Args:
        network: knows the factors; one fitted by an earlier version has none.
        beliefs: by column, of evidence too.
        inside_data: keep the intervals of settings in the range of the data.
    """
    given = [b.node.role for b in beliefs.values() if b.given is not None]
    known = given.count("latent") / max(len(network.latents), 1)
    roles = set(given) - {"latent"}
    factors = network.calibration.get("posterior", {})
    result = dict(beliefs)
    for name, belief in beliefs.items():
        node = belief.node
        if belief.given is not None or node.role == "latent":
            continue
        by = 1.0
        for side, weight in (("latent", known), (direction(node, roles), 1.0 - known)):
            entry = factors.get(side, {}).get(name)
            by *= needed(belief, entry) ** weight if entry else 1.0
        if by == 1.0:
            continue
        found = stretched(belief, by)
        if inside_data and node.role == "process":
            found = replace(found, low=max(found.low, node.low), high=min(found.high, node.high))
        result[name] = found
    return result
