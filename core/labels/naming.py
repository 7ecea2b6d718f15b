"""Which effects count, and the label that they make.

An effect is *recurring* where both sets of starts find it: in each, the 90 % interval of the rank
correlation with z excludes zero, on the same side (one-sided 5 %). By chance that happens to one
effect in 200. It is *clear*, and named in the label, where it is also large enough to see and goes
one way: over all starts the 95 % interval of the slope excludes zero, the traversal from one end to
the other moves the descriptor by at least 0.2 standard deviations of the training specimens
(Cohen's small effect), and the mean rank correlation is at least 0.5. A label whose strongest
effect stays below 0.5 deviations (Cohen's medium) is called weak.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.labels.effects import Estimate
from core.labels.quantities import QUANTITIES

LEAST_MOVE = 0.2  # standard deviations of the specimens, over the traversal
WEAK_MOVE = 0.5  # below this a label is called weak
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
        move: over the traversal from one end to the other, in those deviations.
        monotonicity, share, starts: see `core.labels.effects.Estimate`.
        recurs: both sets of starts find it.
        clear: it is named.
    """

    quantity: str
    slope: float
    low: float
    high: float
    standardised: float
    move: float
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
        move=pooled.slope * span / spread,
        monotonicity=pooled.monotonicity,
        share=pooled.share,
        starts=pooled.starts,
        recurs=recurs,
        clear=recurs and sure and strong(pooled, spread, span),
    )


def ranked(standardised: Mapping[str, float]) -> tuple[tuple[str, int], ...]:
    """Return quantities with the signs of their effects, strongest first."""
    order = sorted(standardised.items(), key=lambda item: -abs(item[1]))
    return tuple((name, 1 if effect > 0 else -1) for name, effect in order)


def thinned(effects: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Choose what a label names: the first of each family, at most `MOST_NAMED`.

    Args:
        effects: quantity and sign, strongest first (`ranked`).

    Example:
        >>> thinned([("nodularity_iso_pct", 1), ("roundness", 1), ("particles_per_mm2", -1)])
        (('nodularity_iso_pct', 1), ('particles_per_mm2', -1))
    """
    families: dict[str, tuple[str, int]] = {}
    for name, sign in effects:
        families.setdefault(_KNOWN[name].family, (name, sign))
    return tuple(families.values())[:MOST_NAMED]


def label_text(named: Sequence[tuple[str, int]], weak: bool = False) -> str:
    """Return the label in words.

    Example:
        >>> label_text([("nodularity_iso_pct", 1), ("particles_per_mm2", -1)]), label_text([])
        ('nodularity +, particle count −', 'no clear effect')
    """
    words = [f"{_KNOWN[name].word} {'+' if sign > 0 else '−'}" for name, sign in named]
    if not words:
        return NO_EFFECT
    return ", ".join(words) + (" (weak)" if weak else "")
