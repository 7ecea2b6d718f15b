"""Targets that are likely in another unit: about a thousand times, or a thousandth of, the data;
or a stress that is among the data once it is taken for one in ksi, kgf/mm² or psi.
"""

from collections.abc import Mapping
from math import isfinite, log10

import numpy as np

from bayesnet.demands import Wish
from bayesnet.network import Network
from bayesnet.nodes import Node
from core.wording import exact, quantity

MEGAPASCALS = ("MPa", "N/mm²", "N/mm2")
STRESSES = {"ksi": 6.894757, "kgf/mm²": 9.80665, "psi": 0.006894757}  # MPa
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


def stress_slip(value: float, low: float, high: float, label: str, unit: str) -> str:
    """Say that a stress outside the data would be inside in another unit, "" where it would not.

    Args:
        value: asked for, in MPa as far as the user knows.
        low, high: of the data, MPa.
        label: of the quantity; unit: of the data; other units than MPa get no hint.

    >>> stress_slip(60.0, 147.4, 468.1, "UTS", "MPa")
    '60 is outside the data (147 to 468 MPa), 60 ksi would be 414 MPa: give UTS in MPa'
    >>> stress_slip(60.0, 147.4, 468.1, "Hardness", "HB")
    ''
    """
    if unit not in MEGAPASCALS or low <= value <= high:
        return ""
    inside = [
        f"{exact(value, other)} would be {quantity(value * factor, unit)}"
        for other, factor in STRESSES.items()
        if low <= value * factor <= high
    ]
    if not inside:
        return ""
    held = f"outside the data ({quantity(low, '')} to {quantity(high, unit)})"
    return f"{exact(value, '')} is {held}, {', '.join(inside)}: give {label} in {unit}"


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
    if node.low <= value <= node.high:
        return ""
    found = stress_slip(value, node.low, node.high, node.label, node.unit)
    return found or unit_slip(value, median, node.label, node.unit)
