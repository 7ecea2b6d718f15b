"""Numbers and intervals as people read them on the pages; most of it is `core.wording`."""

from collections.abc import Mapping

from bayesnet.demands import Wish, parse_demand
from core.wording import (
    Estimated,
    Named,
    difference,
    exact,
    interval,
    limit,
    number,
    quantity,
    titled,
)

__all__ = [
    "Estimated",
    "Named",
    "difference",
    "duration",
    "exact",
    "interval",
    "limit",
    "listed",
    "number",
    "quantity",
    "shortfall",
    "titled",
    "unbroken",
    "wished",
]


def shortfall(value: float, wish: Wish, unit: str) -> str:
    """Return how far a value is from what was asked, "within" where it meets a range or limit.

    >>> shortfall(445.0, 430.0, "MPa"), shortfall(240.0, (250.0, None), "MPa")
    ('+15 MPa (+3.5 %)', '−10 MPa (−4.0 %)')
    >>> shortfall(260.0, (250.0, None), "MPa")
    'within'
    """
    demand = parse_demand(wish, "")
    if demand.fixed:
        return difference(value, demand.low, unit)
    if demand.low <= value <= demand.high:
        return "within"
    return difference(value, demand.low if value < demand.low else demand.high, unit)


def wished(wish: Wish, unit: str) -> str:
    """Return in words what was asked of a property.

    >>> wished(430.0, "MPa"), wished((250.0, None), "MPa"), wished("highest", "MPa")
    ('430 MPa', 'at least 250 MPa', 'as high as possible')
    """
    if isinstance(wish, str):
        return f"as {'high' if wish == 'highest' else 'low'} as possible"
    if isinstance(wish, (tuple, list)):
        low, high = wish
        return exact(low, unit) if low == high and low is not None else limit(low, high, unit)
    return exact(wish, unit)


def unbroken(text: str) -> str:
    """Return text that is not broken into lines: a number stays with its unit."""
    return text.replace(" ", "\u00a0")


def duration(seconds: float) -> str:
    """Return a time as people say it.

    >>> duration(8), duration(75), duration(3000), duration(5400)
    ('8 s', '1 min', '50 min', '1.5 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def listed(values: Mapping[str, Wish], named: Mapping[str, Named]) -> str:
    """Return several values: ``Yield strength 280 MPa, Magnesium 0.03 wt%``."""
    return ", ".join(
        f"{named[name].label} {wished(value, named[name].unit)}" for name, value in values.items()
    )
