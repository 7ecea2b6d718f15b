"""Split conformal intervals: as wide as the predictions of left-out specimens were off."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.json_values import text

Array = NDArray[np.float64]
Method = Literal["left_out", "unseen"]

MIN_INTERVAL = 9  # specimens; fewer give no interval at 90 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """On which specimens the widths of intervals were calibrated.

    Attributes:
        method: "unseen": on specimens that neither the image model nor the property model has
            learned, so the intervals hold for new ones. "left_out": on the property model's own
            specimens, each predicted without its label. The image model may have learned their
            micrographs, so new specimens can lie outside more often than the level says.
        specimens: how many.
        data_name, data_hash: of the data set they are from; the name is "" where it is the
            property model's own.
    """

    method: Method
    specimens: int
    data_name: str = ""
    data_hash: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return JSON content that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Calibration":
        """Read what `to_json` returns.

        Raises:
            KeyError, TypeError, ValueError: entries are missing, unknown or of another kind.
        """
        found = cls(**content)
        if found.method not in get_args(Method) or not isinstance(found.specimens, int):
            raise ValueError(f"calibration {str(dict(content))[:200]}")
        for name in ("data_name", "data_hash"):
            text(getattr(found, name), name)
        return found


def conformal_half_width(
    scores: ArrayLike, level: float = 0.9, groups: ArrayLike | None = None
) -> float | None:
    """Return the split-conformal quantile of left-out scores, None below nine specimens.

    With one score a specimen the ceil(level (S + 1))-th smallest of S absolute residuals (Lei et
    al. 2018, *JASA* 113, 1094). Several scores of a specimen share its weight (Lee, Barber and
    Willett 2023, arXiv:2306.06342): the smallest score below or at which the specimens' weights,
    1 / (S + 1) each, add up to the level.

    Args:
        scores: (n,) absolute residuals.
        level: share of new specimens to cover.
        groups: (n,) the specimen of each score; None where each is of its own.

    >>> conformal_half_width([5.0, 1, 2, 3, 4, 6, 7, 8, 9])
    9.0
    """
    values = np.asarray(scores, dtype=np.float64)
    owner = np.arange(values.size) if groups is None else np.asarray(groups)
    _, index, counts = np.unique(owner, return_inverse=True, return_counts=True)
    if counts.size < MIN_INTERVAL:
        return None
    order = np.argsort(values, kind="stable")
    weight = np.cumsum(1 / counts[index[order]]) / (counts.size + 1)
    enough = np.flatnonzero(weight >= level - 1e-9)
    return float(values[order[enough[0]]]) if enough.size else None
