"""Several fields of one specimen: pooled descriptors and how they scatter from field to field."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.descriptors.descriptors import SCALARS, Descriptors
from core.descriptors.measure import MeasuredField, measure_field, sum_up
from core.errors import InputError
from core.summaries import half_width_t


@dataclass(frozen=True, slots=True)
class Estimate:
    """A descriptor over the fields that have it.

    Attributes:
        mean: mean of the fields' values.
        low, high: 95 % interval of the mean from the scatter between fields (Student's t).
        n_fields: fields that have a value.
    """

    mean: float
    low: float
    high: float
    n_fields: int


@dataclass(frozen=True, slots=True)
class FieldsSummary:
    """Descriptors of several fields of one specimen.

    Attributes:
        pooled: particles of all fields together.
        fields: each field alone.
        estimates: a name of `SCALARS` -> its estimate; None with fewer than two values.
    """

    pooled: Descriptors
    fields: tuple[Descriptors, ...]
    estimates: dict[str, Estimate | None]


def describe_fields(fields: Sequence[NDArray[np.floating]], um_per_px: float) -> FieldsSummary:
    """Measure several fields of one specimen.

    Args:
        fields: pictures (H, W) float in [0, 1], sizes may differ.
        um_per_px: scale of all of them.

    Returns:
        Pooled descriptors, each field's, and 95 % intervals.

    Raises:
        InputError: no field, a field that is no grey picture, or an implausible scale; the message
            says which field.
    """
    measured = []
    for number, pixels in enumerate(fields, start=1):
        try:
            measured.append(measure_field(pixels, um_per_px))
        except InputError as error:
            raise InputError(f"field {number}: {error}") from error
    return summarise_fields(measured)


def summarise_fields(measured: Sequence[MeasuredField]) -> FieldsSummary:
    """Sum up fields of one specimen that are measured already; see `describe_fields`.

    Raises:
        InputError: no field, or fields of different scales.
    """
    pooled = sum_up(measured)
    singles = tuple(sum_up([field]) for field in measured)
    values = [single.scalars() for single in singles]
    estimates = {s.name: estimate([found[s.name] for found in values]) for s in SCALARS}
    return FieldsSummary(pooled, singles, estimates)


def estimate(values: Sequence[float | None]) -> Estimate | None:
    """Return the mean with its 95 % interval, of fields taken as equally large.

    Args:
        values: one a field; None where the field has none.

    Returns:
        None with fewer than two values.

    Example:
        >>> found = estimate([9.0, 11.0, None])
        >>> found.mean, round(found.low, 1), found.n_fields  # 10 - 12.706 * 1
        (10.0, -2.7, 2)
    """
    known = np.array([value for value in values if value is not None], dtype=float)
    if len(known) < 2:
        return None
    mean, half = float(known.mean()), half_width_t(known)
    return Estimate(mean, mean - half, mean + half, len(known))
