"""Which effects count, and the label that they make.

An effect is *recurring* where both sets of starts find it: in each, the 95 % interval of the rank
correlation with z excludes zero, on the same side. By chance that happens to one effect in 800. It
is *clear*, and named in the label, where it is also large enough to see and goes one way: over all
starts the interval of the slope excludes zero, the traversal from one end to the other moves the
descriptor by at least half a standard deviation of the training specimens, and the mean rank
correlation is at least 0.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.labels.effects import Estimate
from core.labels.quantities import QUANTITIES

LEAST_MOVE = 0.5  # standard deviations of the specimens, over the traversal
LEAST_MONOTONICITY = 0.5
MOST_NAMED = 3
NO_EFFECT = "no clear effect"
_KNOWN = {quantity.name: quantity for quantity in QUANTITIES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The effect of a direction on a quantity, over all starts, and whether it counts.

    Attributes:
        quantity: its name.
        slope, low, high: change per unit of z in the quantity's unit, and its 95 % interval.
        standardised: the slope in standard deviations of the training specimens.
        monotonicity, share, starts: see `core.labels.effects.Estimate`.
        recurs: both sets of starts find it.
        clear: it is named.
    """

    quantity: str
    slope: float
    low: float
    high: float
    standardised: float
    monotonicity: float
    share: float
    starts: int
    recurs: bool
    clear: bool


def strong(found: Estimate, spread: float, span: float) -> bool:
    """Say whether an effect is large enough to see and goes one way (`LEAST_MOVE`, ...)."""
    return (
        abs(found.slope) * span >= LEAST_MOVE * spread
        and abs(found.monotonicity) >= LEAST_MONOTONICITY
    )


def judge(
    quantity: str,
    pooled: Estimate,
    sets: Sequence[Estimate | None],
    spread: float,
    span: float,
) -> Effect:
    """Judge an effect by what each set of starts finds.

    Args:
        quantity: its name.
        pooled: over all starts.
        sets: over each set's starts.
        spread: standard deviation of the quantity over the training specimens.
        span: of a traversal, in units of z.
    """
    signs = {0 if found is None else found.sign for found in sets}
    recurs = len(signs) == 1 and signs != {0}
    sure = pooled.low > 0 or pooled.high < 0
    return Effect(
        quantity=quantity,
        slope=pooled.slope,
        low=pooled.low,
        high=pooled.high,
        standardised=pooled.slope / spread,
        monotonicity=pooled.monotonicity,
        share=pooled.share,
        starts=pooled.starts,
        recurs=recurs,
        clear=recurs and sure and strong(pooled, spread, span),
    )


def strongest(standardised: Mapping[str, float]) -> list[tuple[str, int]]:
    """Choose what a label names: the strongest of each family, strongest first.

    Args:
        standardised: quantity -> effect, of those that may be named.

    Returns:
        At most `MOST_NAMED` pairs of quantity and sign.

    Example:
        >>> strongest({"roundness": 0.2, "nodularity_iso_pct": 0.3, "particles_per_mm2": -0.1})
        [('nodularity_iso_pct', 1), ('particles_per_mm2', -1)]
    """
    named: list[tuple[str, int]] = []
    families = set()
    for name, effect in sorted(standardised.items(), key=lambda item: -abs(item[1])):
        family = _KNOWN[name].family
        if family not in families:
            families.add(family)
            named.append((name, 1 if effect > 0 else -1))
    return named[:MOST_NAMED]


def label_text(named: Sequence[tuple[str, int]]) -> str:
    """Return the label in words.

    Example:
        >>> label_text([("nodularity_iso_pct", 1), ("particles_per_mm2", -1)]), label_text([])
        ('nodularity +, particle count −', 'no clear effect')
    """
    words = [f"{_KNOWN[name].word} {'+' if sign > 0 else '−'}" for name, sign in named]
    return ", ".join(words) or NO_EFFECT
