"""Numbers, intervals and limits as people read them."""

from collections.abc import Mapping
from typing import Protocol

LIKELY = "% likely"  # the unit of a probability


class Estimated(Protocol):
    """A value with an interval: `core.properties.Prediction`, `bayesnet.query.Estimate`."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


class Named(Protocol):
    """A named quantity: `core.columns.Column`, `bayesnet.levels.Node`."""

    @property
    def label(self) -> str: ...
    @property
    def unit(self) -> str: ...


def number(value: float, digits: int = 3) -> str:
    """Return a number with ``digits`` significant digits, never fewer than its integer ones.

    >>> number(431.26), number(0.034612), number(1234.5), number(-0.0)
    ('431', '0.0346', '1234', '0')
    """
    if value != value or value in (float("inf"), float("-inf")):
        return "unknown"
    if value == 0:
        return "0"
    if abs(value) < 1e-4 or abs(value) >= 1e7:
        return f"{value:.{digits - 1}e}"
    rounded = f"{value:.{digits}g}"
    if "e" in rounded:
        return f"{value:.0f}"
    return rounded


def quantity(value: float, unit: str, digits: int = 3) -> str:
    """Return a number with its unit.

    >>> quantity(431.26, "MPa"), quantity(0.5, "")
    ('431 MPa', '0.5')
    """
    return f"{number(value, digits)} {unit}".rstrip()


def difference(value: float, target: float, unit: str) -> str:
    """Return how far a value is from its target, signed, in the unit and in per cent of the target.

    >>> difference(445.0, 430.0, "MPa"), difference(268.8, 280.0, "MPa"), difference(1.0, 0.0, "")
    ('+15 MPa (+3.5 %)', '−11.2 MPa (−4.0 %)', '+1')
    """
    gap = value - target
    text = f"{_sign(gap)}{quantity(abs(gap), unit)}"
    if target == 0:
        return text
    share = 100 * gap / abs(target)
    return f"{text} ({_sign(share)}{abs(share):.1f} %)"


def _sign(value: float) -> str:
    return "\u2212" if value < 0 else "+"


def exact(value: float, unit: str) -> str:
    """Return an accepted input with all its digits and its unit.

    >>> exact(430.0, "MPa"), exact(0.03461, "wt%")
    ('430 MPa', '0.03461 wt%')
    """
    return f"{value:.10g} {unit}".rstrip()


def interval(estimate: Estimated, unit: str) -> str:
    """Return an interval with its unit, or why there is none.

    The ends get as many digits as tell them apart.
    """
    if unit == LIKELY:
        return "a probability"
    if estimate.low is None or estimate.high is None:
        return "no interval: too few specimens"
    digits = 3
    while digits < 6 and number(estimate.low, digits) == number(estimate.high, digits):
        digits += 1
    low, high = number(estimate.low, digits), number(estimate.high, digits)
    return f"{low} {unit}".rstrip() if low == high else f"{low} to {high} {unit}".rstrip()


class TwoReaders(Protocol):
    """What two readers say of a picture: `core.properties.Reading`."""

    @property
    def latents(self) -> Mapping[str, Estimated]: ...
    @property
    def structure(self) -> Mapping[str, Estimated]: ...


def readers(found: TwoReaders | None, named: Mapping[str, Named]) -> str:
    """Say what latents and measured structure tell alone, and whether they contradict each other.

    They do where their values lie farther apart than both intervals together reach. Empty where the
    structure says nothing.
    """
    said, apart = [], []
    for name, other in ({} if found is None else found.structure).items():
        own = None if found is None else found.latents.get(name)
        if own is None or name not in named:
            continue
        label, unit = named[name].label, named[name].unit
        said.append(f"{label} {quantity(own.value, unit)} and {quantity(other.value, unit)}")
        if not _meet(own, other):
            apart.append(label)
    if not said:
        return ""
    text = (
        f"By its latents and by the structure measured in it: {'; '.join(said)}. "
        "They are weighed together by how sure each is of specimens left out."
    )
    if apart:
        text += f" Their intervals do not meet for {', '.join(apart)}: take it with care."
    return text


def _meet(one: Estimated, other: Estimated) -> bool:
    """Tell whether two intervals have something in common; none has with everything."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return True
    return max(one.low, other.low) <= min(one.high, other.high)


def titled(named: Named) -> str:
    """Return label and unit: ``Yield strength (MPa)``."""
    return f"{named.label} ({named.unit})" if named.unit else named.label


def limit(low: float | None, high: float | None, unit: str) -> str:
    """Return a limit on a setting in words."""
    if low is None and high is None:
        return "free"
    if low is None:
        return f"at most {exact(high or 0.0, unit)}"
    if high is None:
        return f"at least {exact(low, unit)}"
    if low == high:
        return f"fixed at {exact(low, unit)}"
    return f"{exact(low, '')} to {exact(high, unit)}"
