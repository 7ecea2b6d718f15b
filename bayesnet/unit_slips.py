"""Targets that are likely in another unit: about a thousand times, or a thousandth of, the data."""

from collections.abc import Mapping
from math import isfinite, log10

import numpy as np

from bayesnet.demands import Wish
from bayesnet.network import Network
from bayesnet.nodes import Node
from core.wording import exact, quantity

NEAR = (2.5, 3.5)  # decades off the median that are taken for a factor of a thousand


def unit_slip(value: float, median: float, label: str, unit: str) -> str:
    """Say that a value looks a thousand times too small or too large, "" where it does not.

    GPa for MPa, mm for um, kg for g: the commonest slips are a factor of a thousand.

    Args:
        value: asked for, in the data's unit as far as the user knows.
        median: of the data, in ``unit``.
        label: of the quantity; unit: of the data, "" or "1" where it has none.

    >>> unit_slip(0.43, 410.0, "UTS", "MPa")
    '0.43 is about a thousandth of what the data hold (median 410 MPa): give UTS in MPa'
    >>> unit_slip(25000.0, 22.0, "Grain size", "µm")
    '25000 is about a thousand times what the data hold (median 22 µm): give Grain size in µm'
    >>> unit_slip(90.0, 410.0, "UTS", "MPa")
    ''
    """
    if not (isfinite(value) and isfinite(median)) or value * median <= 0:
        return ""
    decades = log10(abs(value)) - log10(abs(median))
    if not NEAR[0] <= abs(decades) <= NEAR[1]:
        return ""
    unit = "" if unit == "1" else unit
    times = "a thousand times" if decades > 0 else "a thousandth of"
    how = f"in {unit}" if unit else "in the data's unit"
    held = f"what the data hold (median {quantity(median, unit)})"
    return f"{exact(value, '')} is about {times} {held}: give {label} {how}"


def unit_slips(network: Network, targets: Mapping[str, Wish]) -> tuple[str, ...]:
    """Say which targets look like slips of the unit; at most one hint for each.

    What lies among the specimens' own values is none, however wide these are spread, and neither is
    a range of which one end is no slip.

    Args:
        network: with the specimens' properties and descriptors.
        targets: column -> a value, (low, high), "highest" or "lowest".
    """
    found = []
    for node in network.outcomes:
        if (wish := targets.get(node.column)) is None or isinstance(wish, str):
            continue
        values = np.asarray(network.support.properties)[:, network.outcome_places((node,))]
        if not np.isfinite(values).any():
            continue
        hints = [_slip(end, float(np.nanmedian(values)), node) for end in _ends(wish)]
        if hints and all(hints):
            found.append(hints[0])
    return tuple(found)


def _ends(wish: float | tuple[float | None, float | None]) -> list[float]:
    """Return the numbers of a target."""
    ends = wish if isinstance(wish, tuple) else (wish,)
    return [float(end) for end in ends if end is not None]


def _slip(value: float, median: float, node: Node) -> str:
    inside = node.low <= value <= node.high
    return "" if inside else unit_slip(value, median, node.label, node.unit)
