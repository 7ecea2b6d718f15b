"""What is asked of one quantity: a value, a range, a minimum, a maximum, or an extreme."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from bayesnet.gaussian import Array
from bayesnet.nodes import Node
from core.errors import InputError

Limit = float | tuple[float | None, float | None]
Extreme = Literal["highest", "lowest"]
Wish = Limit | Extreme
LARGEST = 1e12  # squares and differences of it stay finite
EXTREMES: dict[str, int] = {"highest": 1, "lowest": -1}


@dataclass(frozen=True, slots=True)
class Demand:
    """A closed interval, in the unit of the column, in which a quantity is wanted.

    Attributes:
        low: lower end, -inf where open.
        high: upper end, inf where open; equal to ``low`` for a value.
        extreme: 1 for as high as possible, -1 for as low as possible, else 0. The ends are open
            until `at` says what is possible.
    """

    low: float
    high: float
    extreme: int = 0

    @property
    def fixed(self) -> bool:
        """Whether it is one value."""
        return self.low == self.high

    @property
    def open(self) -> bool:
        """Whether it is an extreme of which nobody has said yet what is possible."""
        return self.extreme != 0 and not self.fixed

    def at(self, value: float) -> "Demand":
        """Return the demand for one value, extreme or not."""
        return replace(self, low=value, high=value)

    def outside(self, values: Array) -> Array:
        """Return how far values (any shape) lie outside, 0 inside, in their unit."""
        result: Array = np.maximum(self.low - values, 0.0) + np.maximum(values - self.high, 0.0)
        return result

    @property
    def size(self) -> float:
        """A finite end by which differences can be made relative; 1 without any or where 0."""
        ends = [abs(end) for end in (self.low, self.high) if math.isfinite(end) and end != 0]
        return ends[0] if ends else 1.0

    def plain(self) -> Wish:
        """Return what `parse_demand` would read as this demand."""
        if self.open:
            return "highest" if self.extreme > 0 else "lowest"
        if self.fixed:
            return self.low
        low, high = (end if math.isfinite(end) else None for end in (self.low, self.high))
        return low, high

    def words(self, node: Node) -> str:
        """Say it with label and unit: ``Yield strength at least 280 MPa``."""
        low, high = (with_unit(end, node) for end in (self.low, self.high))
        side = "high" if self.extreme > 0 else "low"
        if self.open:
            return f"{node.label} as {side} as possible"
        if self.fixed:
            return f"{node.label} {low}" + (f" (as {side} as possible)" if self.extreme else "")
        if math.isinf(self.high):
            return f"{node.label} at least {low}"
        if math.isinf(self.low):
            return f"{node.label} at most {high}"
        return f"{node.label} {self.low:.4g} to {high}"


def with_unit(value: float, node: Node) -> str:
    """Return a value with four digits and the node's unit."""
    return f"{value:.4g} {node.unit}".rstrip()


def number(value: object, name: str) -> float:
    """Return a finite number.

    Raises:
        InputError: it is none.
    """
    try:
        if isinstance(value, (bool, np.bool_, bytes, bytearray)):
            raise TypeError
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} = {value!r:.80} is not a number") from error
    if not math.isfinite(found):
        raise InputError(f"{name} = {value!r:.80} is not a finite number")
    if 0 < abs(found) < 1 / LARGEST:
        raise InputError(f"{name} = {found:g} is nearer to 0 than any quantity of ours; give 0")
    if abs(found) > LARGEST:
        raise InputError(
            f"{name} = {found:g} is beyond {LARGEST:g}; no quantity of ours is so large"
        )
    return found


def parse_demand(wish: Any, name: str) -> Demand:
    """Read what is asked of the column ``name``.

    Args:
        wish: a value; (low, high) with None for an open end; "highest" or "lowest".
        name: of the column, for messages.

    Raises:
        InputError: no number, not finite, a pair of other length or without any end, or a lower
            end above the upper one.

    Example:
        >>> parse_demand((280, None), "ys_mpa")
        Demand(low=280.0, high=inf, extreme=0)
    """
    if isinstance(wish, str) and wish in EXTREMES:
        return Demand(-math.inf, math.inf, EXTREMES[wish])
    if not isinstance(wish, (tuple, list)):
        value = number(wish, name)
        return Demand(value, value)
    if len(wish) != 2:
        raise InputError(f"{name}: limits are a pair (low, high), not {wish!r:.80}")
    low, high = (None if end is None else number(end, name) for end in wish)
    if low is not None and high is not None and low > high:
        raise InputError(f"{name}: lower limit {low:g} is above upper limit {high:g}")
    return Demand(-math.inf if low is None else low, math.inf if high is None else high)
