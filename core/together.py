"""How sure two readers of a picture are together: `core.properties.PropertyModel.read`.

Latents and measured structure both predict a property, each with a 90 % interval. Where both always
erred alike, the weighed mean of their predictions would err by the weighed mean of their half
widths. They do not: the share of it that the mean really needs is found by split conformal, with
scores normalised by it (Lei et al. 2018, *JASA* 113, 1094, section 5.2).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.conformal import Calibration, conformal_half_width
from core.json_values import number, text
from core.regressor import Regressor

Array = NDArray[np.float64]

LEAST = 1e-12  # half width; nothing is quite sure


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How sure both readers are of one property.

    Attributes:
        column: name of the property.
        share: of the weighed mean of their half widths, that 90 % of specimens need.
        calibration: on which specimens it was found.
    """

    column: str
    share: float
    calibration: Calibration

    def to_json(self) -> dict[str, Any]:
        """Return JSON content that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Together":
        """Read what `to_json` returns.

        Raises:
            KeyError, TypeError, ValueError: entries are missing, damaged or of another kind.
        """
        return cls(
            column=text(content["column"], "column"),
            share=number(content["share"], "share", 0),
            calibration=Calibration.from_json(content["calibration"]),
        )


def shares(own: Regressor, other: Regressor) -> tuple[float, float] | None:
    """Return the weights of latents and structure; None where one has no interval."""
    if own.half_width is None or other.half_width is None:
        return None
    first, second = (1 / max(r.half_width or 0.0, LEAST) ** 2 for r in (own, other))
    return first / (first + second), second / (first + second)


def left_out_together(own: Regressor, other: Regressor) -> Together | None:
    """Find how sure both are on the specimens that both are fitted to, each left out in turn.

    Args:
        own: of the latents, its intervals from the specimens left out; other: of the structure.

    Returns:
        None with fewer than nine specimens that both know.
    """
    weights = shares(own, other)
    here = {name: i for i, name in enumerate(own.specimens)}
    there = [i for i, name in enumerate(other.specimens) if name in here]
    if weights is None or not there:
        return None
    rows = [here[other.specimens[i]] for i in there]
    parts = zip(weights, (own, other), (own.left_out[rows], other.left_out[there]), strict=True)
    value, alike = np.zeros(len(rows)), np.zeros(len(rows))
    for weight, regressor, predicted in parts:
        half = regressor.half_width or 0.0
        value += weight * predicted
        alike += weight * half * (np.abs(predicted) if regressor.relative else 1.0)
    share = conformal_half_width(np.abs(own.labels[rows] - value) / np.maximum(alike, LEAST))
    if share is None:
        return None
    return Together(
        column=own.column,
        share=share,
        calibration=Calibration(method="left_out", specimens=len(rows)),
    )
