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

    @property
    def probability_pct(self) -> float:
        """How likely a word of a category is: the mean, which a normal lets leave 0 to 100 %."""
        return min(max(self.mean, 0.0), 100.0)
