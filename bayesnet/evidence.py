"""Check what the user asks for before it reaches the network; pgmpy ignores unknown evidence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesnet.feasibility import design_range
from bayesnet.gaussian import Array
from bayesnet.network import Network
from bayesnet.nodes import Node
from core.errors import InputError

Limit = float | tuple[float | None, float | None]
SLACK = 1e-6  # of the design range: rounding in what the user types


@dataclass(frozen=True, slots=True)
class Evidence:
    """A checked query.

    Attributes:
        targets: properties and their values, in their units.
        bounds: (P, 2) process limits in their units.
        low: (P,) lower limits in z-scores; high: (P,) upper limits.
        words: the limits that were given, in words; empty without any.
    """

    targets: dict[Node, float]
    bounds: Array
    low: Array
    high: Array
    words: str

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """Which process settings have one value only (P,)."""
        return self.high <= self.low


def _number(value: object, name: str) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} = {value!r} is not a number") from error
    if not math.isfinite(number):
        raise InputError(f"{name} = {value!r} is not a finite number")
    return number


def _with_unit(value: float, node: Node) -> str:
    return f"{value:.4g} {node.unit}".rstrip()


def check_evidence(
    network: Network, targets: Mapping[str, float], process: Mapping[str, Limit] | None
) -> Evidence:
    """Check names, numbers and limits.

    Process settings always stay inside the range of the data; limits narrow it.

    Raises:
        InputError: no target, unknown names, values that are not finite numbers, a lower limit
            above the upper one, or limits that lie outside the range of the data altogether.
    """
    properties = {n.column: n for n in network.properties}
    settings = {n.column: i for i, n in enumerate(network.process)}
    if not targets:
        raise InputError(f"no target; give at least one of {sorted(properties)}")
    for name in targets:
        if name not in properties:
            raise InputError(f"unknown property {name!r}; the network has {sorted(properties)}")
    for name in process or {}:
        if name not in settings:
            raise InputError(
                f"unknown process setting {name!r}; the network has {sorted(settings)}"
            )
    wanted = {properties[name]: _number(value, name) for name, value in targets.items()}
    for node, number in wanted.items():
        if node.low > 0 and number <= 0:
            raise InputError(f"{node.column} = {_with_unit(number, node)} must be positive")
    low, high = design_range(network)
    bounds = np.array([[n.low, n.high] for n in network.process]).reshape(-1, 2)
    words = []
    for name, limit in (process or {}).items():
        i, node = settings[name], network.process[settings[name]]
        bottom, top, phrase = _limits(limit, node)
        words += [phrase] if phrase else []
        bounds[i] = bottom, top
        low[i], high[i] = (bottom - node.mean) / node.scale, (top - node.mean) / node.scale
    return Evidence(wanted, bounds, low, high, " and ".join(words))


def _limits(limit: object, node: Node) -> tuple[float, float, str]:
    """Return lower and upper limit inside the design range, and both in words."""
    if isinstance(limit, (tuple, list)):
        if len(limit) != 2:
            raise InputError(f"{node.column}: limits are a pair (low, high), not {limit!r}")
        ends = [None if end is None else _number(end, node.column) for end in limit]
    else:
        ends = [_number(limit, node.column)] * 2
    bottom = node.low if ends[0] is None else ends[0]
    top = node.high if ends[1] is None else ends[1]
    slack = SLACK * (node.high - node.low)
    span = f"{_with_unit(node.low, node)} to {_with_unit(node.high, node)}"
    if ends[0] is not None and ends[1] is not None and bottom > top:
        raise InputError(f"{node.column}: lower limit {bottom:g} is above upper limit {top:g}")
    if bottom > node.high + slack or top < node.low - slack:
        asked = f"{bottom:g}" if bottom == top else f"{limit!r}"
        raise InputError(
            f"{node.column} = {asked} {node.unit} is outside the range of the data, {span}"
        )
    words = ""
    if ends[0] is not None and ends[0] == ends[1]:
        words = f"{node.label} fixed at {_with_unit(bottom, node)}"
    elif ends[0] is not None and ends[1] is not None:
        words = f"{node.label} {bottom:.4g} to {_with_unit(top, node)}"
    elif ends[0] is not None:
        words = f"{node.label} at least {_with_unit(bottom, node)}"
    elif ends[1] is not None:
        words = f"{node.label} at most {_with_unit(top, node)}"
    return (
        float(np.clip(bottom, node.low, node.high)),
        float(np.clip(top, node.low, node.high)),
        words,
    )
