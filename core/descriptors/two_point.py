"""Two-point statistics of graphite at true scale."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from core.metrics.two_point import LEAST_PX, two_point_correlation


@dataclass(frozen=True, slots=True)
class TwoPoint:
    """S2 of graphite: the probability that two points at a distance both lie in graphite.

    Attributes:
        lag_um: distances, um, from 0.
        s2: S2 there; s2[0] is the area fraction.
    """

    lag_um: tuple[float, ...]
    s2: tuple[float, ...]

    @property
    def correlation_length_um(self) -> float | None:
        """Distance at which S2's excess over chance has fallen to 1/e; None if it has not."""
        fraction = self.s2[0]
        excess = np.array(self.s2) - fraction**2
        if excess[0] <= 0:
            return None
        below = np.nonzero(excess / excess[0] <= np.exp(-1))[0]
        if len(below) == 0:
            return None
        last = int(below[0])
        span = slice(last - 1, last + 1)
        return float(np.interp(-np.exp(-1), -excess[span] / excess[0], self.lag_um[span]))


def two_point(mask: NDArray[np.bool_], um_per_px: float) -> TwoPoint | None:
    """Return S2 of a mask (H, W) (`core.metrics.two_point`); None where a side is too short."""
    if min(mask.shape) < LEAST_PX or not mask.any():
        return None
    s2 = two_point_correlation(torch.from_numpy(mask)[None, None])[0]
    lags = tuple(round(i * um_per_px, 6) for i in range(len(s2)))
    return TwoPoint(lags, tuple(round(float(value), 8) for value in s2))


def mean_two_point(fields: list[TwoPoint | None]) -> TwoPoint | None:
    """Return the mean S2 of fields of one scale; None where none has one."""
    known = [field for field in fields if field is not None]
    if not known:
        return None
    s2 = np.mean([field.s2 for field in known], axis=0)
    return TwoPoint(known[0].lag_um, tuple(float(value) for value in s2))
