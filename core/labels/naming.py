"""Which effects count, and the label that they make.

An effect is *recurring* where both sets of starts find it on the same side, each with a one-sided p
of 0.05 at most (Student's t of the rank correlations with z). Both draw from the same data,
so where there is no effect the larger of the two is x or below with the chance x squared, on either
side: twice that is the p of the pair. Of all effects of all directions those count whose p keeps
the expected share of false ones below 5 % (Benjamini and Hochberg 1995,
doi:10.1111/j.2517-6161.1995.tb02031.x). It is *clear*, and named in
the label, where it is also large enough to see and goes one way: over all starts the 95 % interval
of the slope excludes zero, the traversal from one end to the other moves the descriptor by at least
0.2 standard deviations of the training specimens (Cohen's small effect), and the mean rank
correlation is at least 0.5. A label whose strongest effect stays below 0.5 deviations (Cohen's
medium) is called weak. A label names the structure first, then what the picture looks like.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.labels.effects import Estimate
from core.labels.quantities import QUANTITIES

LEAST_MOVE = 0.2  # standard deviations of the specimens, over the traversal
WEAK_MOVE = 0.5  # below this a label is called weak
LEAST_MONOTONICITY = 0.5
SET_P = 0.05  # of each set, at most
FALSE_SHARE = 0.05  # of the effects that count
MOST_NAMED = 3
NO_EFFECT, UNUSED = "no clear effect", "hardly used in designs"
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
        p: chance that both sets find as much as the one that finds less, where there is no effect;
            None where a set lacks it (and in labels of before).
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
    p: float | None = None


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
    limit: float,
) -> Effect:
    """Judge an effect by what each set of starts finds.

    Args:
        quantity: its name.
        pooled: over all starts.
        sets: over each set's starts.
        spread: standard deviation of the quantity over the training specimens.
        span: of a traversal, in units of z.
        limit: the largest p that counts (`false_discovery_limit`).
    """
    p = conjunction(sets)
    recurs = p is not None and p <= min(limit, 2 * SET_P**2)
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
        p=p,
    )


def conjunction(sets: Sequence[Estimate | None]) -> float | None:
    """Return the p of what both sets find on the same side; None where one lacks the quantity."""
    known = [found for found in sets if found is not None]
    if len(known) < len(sets):
        return None
    up = max(found.p_up for found in known)
    down = max(1 - found.p_up for found in known)
    return min(2 * min(up, down) ** len(known), 1.0)


def false_discovery_limit(chances: Sequence[float], share: float = FALSE_SHARE) -> float:
    """Return the largest p that counts, 0 where none does (Benjamini and Hochberg).

    Args:
        chances: p of every effect that was looked for.
        share: of false ones among those that count, as expected.

    Example:
        >>> false_discovery_limit([0.01, 0.02, 0.04, 0.9], 0.05)  # 0.04 is above 3/4 of 0.05
        0.02
    """
    ordered = sorted(chances)
    good = [p for rank, p in enumerate(ordered, start=1) if p <= share * rank / len(ordered)]
    return max(good, default=0.0)


def ranked(standardised: Mapping[str, float]) -> tuple[tuple[str, int], ...]:
    """Return quantities with the signs of their effects, strongest first."""
    order = sorted(standardised.items(), key=lambda item: -abs(item[1]))
    return tuple((name, 1 if effect > 0 else -1) for name, effect in order)


def thinned(effects: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Choose what a label names: the first of each family, at most `MOST_NAMED`, structure first.

    Args:
        effects: quantity and sign, strongest first (`ranked`).

    Example:
        >>> thinned([("nodularity_iso_pct", 1), ("roundness", 1), ("particles_per_mm2", -1)])
        (('nodularity_iso_pct', 1), ('particles_per_mm2', -1))
    """
    families: dict[str, tuple[str, int]] = {}
    for name, sign in sorted(effects, key=lambda effect: _KNOWN[effect[0]].of_picture):
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
