"""What the network says of one node."""

from dataclasses import dataclass

from bayesnet.demands import Demand
from bayesnet.nodes import Node


@dataclass(frozen=True, slots=True)
class Belief:
    """What the network says of one node, in the node's unit.

    Attributes:
        node: which one.
        mean: posterior mean.
        low, high: 90 % interval.
        given: what was said of it; None for a node without evidence.
    """

    node: Node
    mean: float
    low: float
    high: float
    given: Demand | None
