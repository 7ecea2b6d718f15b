"""Check what the user asks for before it reaches the network; pgmpy ignores unknown evidence."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesnet.categories import HOLDS, require_corner
from bayesnet.demands import Demand, Limit, Wish, parse_demand, with_unit
from bayesnet.gaussian import Array
from bayesnet.network import Network
from bayesnet.nodes import OUTCOMES, Node
from bayesnet.reachable import design_range
from core.descriptors import SCALARS
from core.errors import InputError

SLACK = 1e-6  # of the design range: rounding in what the user types


@dataclass(frozen=True, slots=True)
class Evidence:
    """A checked query.

    Attributes:
        targets: properties and descriptors and what is asked of them, in their units.
        bounds: (P, 2) process limits in their units.
        low: (P,) lower limits in z-scores; high: (P,) upper limits.
        words: the limits that were given, in words; empty without any.
    """

    targets: dict[Node, Demand]
    bounds: Array
    low: Array
    high: Array
    words: str

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """Which process settings have one value only (P,)."""
        return self.high <= self.low


def check_evidence(
    network: Network, targets: Mapping[str, Wish], process: Mapping[str, Limit] | None
) -> Evidence:
    """Check names, numbers and limits.

    Process settings always stay inside the range of the data; limits narrow it.

    Args:
        network: the fitted network.
        targets: property or descriptor -> value, (low, high) with None for an open end, "highest"
            or "lowest".
        process: setting -> value or (low, high).

    Raises:
        InputError: no target, unknown names, values that are not finite numbers, a lower limit
            above the upper one, or limits that lie outside the range of the data altogether.
    """
    properties = {n.column: n for n in network.outcomes}
    settings = {n.column: i for i, n in enumerate(network.process)}
    if not targets:
        raise InputError(f"no target; give at least one of {sorted(properties)}")
    for name in targets:
        if name not in properties:
            raise InputError(_unknown_target(network, name))
    for name in process or {}:
        if name not in settings:
            raise InputError(
                f"unknown process setting {name!r}; the network has {sorted(settings)}"
            )
    wanted = {properties[name]: demand_on(properties[name], w) for name, w in targets.items()}
    low, high = design_range(network)
    bounds = np.array([[n.low, n.high] for n in network.process]).reshape(-1, 2)
    words = []
    for name, limit in (process or {}).items():
        i, node = settings[name], network.process[settings[name]]
        bottom, top, phrase = process_limits(limit, node)
        words += [phrase] if phrase else []
        bounds[i] = bottom, top
        low[i], high[i] = (bottom - node.mean) / node.scale, (top - node.mean) / node.scale
    require_corner(network.process, low, high)
    return Evidence(wanted, bounds, low, high, " and ".join(words))


def _unknown_target(network: Network, name: str) -> str:
    known = sorted(n.column for n in network.outcomes)
    text = f"unknown property {name!r}; the network has {known}"
    if not network.descriptors and name in {s.name for s in SCALARS}:
        text += (
            "; it has no descriptors yet: run python -m core.specimen_descriptors, then "
            "python -m bayesnet.learn"
        )
    return text


def demand_on(node: Node, wish: Wish) -> Demand:
    """Read what is asked of a property.

    Raises:
        InputError: as `parse_demand`; nothing asked; or no positive value, where the data have
            positive ones only.
    """
    demand = parse_demand(wish, node.column)
    if np.isinf([demand.low, demand.high]).all() and not demand.extreme:
        raise InputError(f"{node.column}: neither a lower nor an upper limit is given")
    if node.role in OUTCOMES and node.low > 0 and demand.high <= 0:
        raise InputError(f"{node.column} = {with_unit(demand.high, node)} must be positive")
    return demand


def process_limits(limit: object, node: Node) -> tuple[float, float, str]:
    """Return lower and upper limit inside the design range, and both in words.

    Raises:
        InputError: as `parse_demand`, an extreme, or outside the range of the data.
    """
    demand = parse_demand(limit, node.column)
    if demand.extreme:
        raise InputError(f"{node.column}: a limit is a number or a pair of them, not {limit!r}")
    bottom, top = max(demand.low, -np.finfo(float).max), min(demand.high, np.finfo(float).max)
    slack = SLACK * (node.high - node.low)
    if bottom > node.high + slack or top < node.low - slack:
        asked = f"{demand.low:g}" if demand.fixed else f"{limit!r}"
        raise InputError(
            f"{node.column} = {asked} {node.unit} is outside the range of the data, "
            f"{with_unit(node.low, node)} to {with_unit(node.high, node)}"
        )
    words = "" if np.isinf([demand.low, demand.high]).all() else demand.words(node)
    if demand.fixed:
        words = f"{node.label} fixed at {with_unit(demand.low, node)}"
        if node.group and demand.low in (0.0, HOLDS):
            words = node.label if demand.low else f"not {node.label}"
    return (
        float(np.clip(bottom, node.low, node.high)),
        float(np.clip(top, node.low, node.high)),
        words,
    )
