"""What a traversal does to a descriptor: slope with interval, monotonicity, share explained."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from core.summaries import half_width_t

CONFIDENCE = 0.95
SET_CONFIDENCE = 0.90  # of a single set's rank correlation: one-sided 5 %
LEAST_RANK_SCATTER = 0.1
LEAST_STARTS = 3  # with the descriptor, in each set
LEAST_VALUES = 3  # along one traversal

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The effect of a direction on a quantity, over some starts.

    Attributes:
        slope: mean over starts of the change per unit of z, in the quantity's unit.
        low, high: its 95 % interval over starts (Student's t).
        monotonicity: mean over starts of Spearman's rank correlation with z, -1 to 1.
        monotonicity_low, monotonicity_high: its 90 % interval over starts.
        p_up: chance of a mean rank correlation as high or higher where there is no effect
            (Student's t, one-sided); 1 - p_up that of one as low.
        share: of the variance along traversals, what all starts have in common (eta squared),
            0 to 1. Chance alone gives about one over the number of starts.
        starts: that have the quantity.
    """

    slope: float
    low: float
    high: float
    monotonicity: float
    monotonicity_low: float
    monotonicity_high: float
    p_up: float
    share: float
    starts: int

    @property
    def sign(self) -> int:
        """1 or -1 where the starts agree on the direction, else 0.

        They agree where the interval of the rank correlation excludes zero. Ranks, because effects
        are about proportional to what a start has: slopes differ much between starts that agree.
        """
        return int(self.monotonicity_low > 0) - int(self.monotonicity_high < 0)


def estimate(measured: Array, values: Sequence[float]) -> Estimate | None:
    """Estimate the effect along a traversal on one quantity.

    Args:
        measured: (n, V) the quantity, a row a start; NaN where it could not be measured.
        values: (V,) of z.

    Returns:
        None where fewer than `LEAST_STARTS` starts have `LEAST_VALUES` values or more.

    Example:
        >>> rows = np.array([[1.0, 2.0, 3.0], [5.0, 6.0, 7.0], [0.0, 1.0, 2.0]])
        >>> found = estimate(rows, (-1.0, 0.0, 1.0))
        >>> found.slope, found.monotonicity, found.share, found.sign
        (1.0, 1.0, 1.0, 1)
    """
    z = np.asarray(values, dtype=float)
    usable = measured[np.isfinite(measured).sum(axis=1) >= LEAST_VALUES]
    if len(usable) < LEAST_STARTS:
        return None
    slopes = np.array([_slope(row, z) for row in usable])
    ranks = np.array([_spearman(row, z) for row in usable])
    slope, low, high = _mean_interval(slopes, CONFIDENCE)
    monotonicity, monotonicity_low, monotonicity_high = _mean_interval(ranks, SET_CONFIDENCE)
    return Estimate(
        slope=slope,
        low=low,
        high=high,
        monotonicity=monotonicity,
        monotonicity_low=monotonicity_low,
        monotonicity_high=monotonicity_high,
        p_up=_chance_of_rise(ranks),
        share=_common_share(usable),
        starts=len(usable),
    )


def _mean_interval(values: Array, confidence: float) -> tuple[float, float, float]:
    """Return the mean of values (n,) with its interval (Student's t)."""
    mean, half = float(values.mean()), half_width_t(values, confidence)
    return mean, mean - half, mean + half


def _chance_of_rise(ranks: Array) -> float:
    """Return Student's one-sided p of a mean above zero, of rank correlations (n,).

    Ranks of few values are often all the same, and so without scatter: they are taken to scatter by
    a tenth at least, since no traversal is read more finely.
    """
    error = max(float(stats.sem(ranks)), LEAST_RANK_SCATTER / np.sqrt(len(ranks)))
    return float(stats.t.sf(ranks.mean() / error, len(ranks) - 1))


def _slope(row: Array, z: Array) -> float:
    known = np.isfinite(row)
    centred = z[known] - z[known].mean()
    return float(centred @ row[known] / (centred @ centred))


def _spearman(row: Array, z: Array) -> float:
    known = np.isfinite(row)
    if np.ptp(row[known]) == 0:  # flat: no order
        return 0.0
    return float(stats.spearmanr(z[known], row[known]).statistic)


def _common_share(rows: Array) -> float:
    """Return eta squared of the values of z, each start's mean taken out."""
    centred = rows - np.nanmean(rows, axis=1, keepdims=True)
    total = float(np.nansum(centred**2))
    if total == 0:
        return 0.0
    counts = np.isfinite(centred).sum(axis=0)
    means = np.nansum(centred, axis=0) / np.maximum(counts, 1)
    return min(float(np.sum(counts * means**2)) / total, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A quantity along a traversal, each start's own level replaced by the level of all.

    Attributes:
        mean: (V,) over starts.
        low, high: (V,) 10 % and 90 % of the starts.
    """

    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def curve(measured: Array) -> Curve | None:
    """Sum up a quantity (n, V) along a traversal.

    Returns:
        None where fewer than `LEAST_STARTS` starts have it at every value.
    """
    rows = measured[np.isfinite(measured).all(axis=1)]
    if len(rows) < LEAST_STARTS:
        return None
    level = rows - rows.mean(axis=1, keepdims=True) + rows.mean()
    low, high = np.quantile(level, (0.1, 0.9), axis=0)
    return Curve(
        mean=tuple(map(float, level.mean(axis=0))),
        low=tuple(map(float, low)),
        high=tuple(map(float, high)),
    )
