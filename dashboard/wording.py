"""Numbers and intervals as people read them on the pages; most of it is `core.wording`."""

from collections.abc import Mapping

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
    "titled",
    "unbroken",
]


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


def listed(values: Mapping[str, float], named: Mapping[str, Named]) -> str:
    """Return several values: ``Yield strength 280 MPa, Magnesium 0.03 wt%``."""
    return ", ".join(
        f"{named[name].label} {exact(value, named[name].unit)}" for name, value in values.items()
    )
