"""Numbers and intervals as people read them on the pages; most of it is `core.wording` and
`bayesnet.wording`.
"""

from collections.abc import Mapping

from bayesnet.demands import Wish
from bayesnet.wording import shortfall, wished
from core.wording import (
    Estimated,
    Named,
    exact,
    interval,
    limit,
    number,
    quantity,
    readers,
    titled,
)

__all__ = [
    "Estimated",
    "Named",
    "duration",
    "exact",
    "interval",
    "limit",
    "listed",
    "number",
    "quantity",
    "readers",
    "shortfall",
    "titled",
    "unbroken",
    "wished",
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


def listed(values: Mapping[str, Wish], named: Mapping[str, Named]) -> str:
    """Return several values: ``Yield strength 280 MPa, Magnesium 0.03 wt%``."""
    return ", ".join(
        f"{named[name].label} {wished(value, named[name].unit)}" for name, value in values.items()
    )
