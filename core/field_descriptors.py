"""What is measured on the fields of a specimen together: graphite of irons, phases of the rest."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.descriptors import CHOSEN, SCALARS, Scalar, measure_field, segment_graphite, sum_up
from core.measured_columns import Kind
from core.stereology import QUANTITIES, measure_in_um

Values = dict[str, float | None]  # name of a descriptor -> value
STRUCTURE = tuple(Scalar(q.name, q.label, q.unit or "1") for q in QUANTITIES)  # of any material
KNOWN = SCALARS + STRUCTURE
CHOSEN_OF: dict[Kind, tuple[str, ...]] = {
    "graphite": CHOSEN,
    "phases": tuple(s.name for s in STRUCTURE),
}
WITHOUT_SCALE: dict[Kind, tuple[str, ...]] = {
    "graphite": ("graphite_pct",),
    "phases": tuple(s.name for s in STRUCTURE if s.unit != "µm"),
}


def kind_of(names: Iterable[str]) -> Kind:
    """Return as what descriptors of these names are measured.

    >>> kind_of(["graphite_pct"]), kind_of(["spacing_um", "anisotropy"])
    ('graphite', 'phases')
    """
    return "phases" if set(names) & set(CHOSEN_OF["phases"]) else "graphite"


def measure_fields(
    fields: Sequence[NDArray[np.floating]], um_per_px: float | None, kind: Kind = "graphite"
) -> Values:
    """Measure fields of one specimen, or a design's, as the data's specimens are measured.

    Args:
        fields: pictures (H, W) float in [0, 1], pooled; of phases the mean over fields, by area.
        um_per_px: scale; without it only what needs none.
        kind: what to measure.

    Returns:
        Name of a descriptor (`KNOWN`) -> value, None where there is nothing to measure it on.

    Raises:
        InputError: a field is no grey picture or too small, or the scale is implausible.
    """
    return measure_each(fields, um_per_px, kind)[0]


def measure_each(
    fields: Sequence[NDArray[np.floating]], um_per_px: float | None, kind: Kind = "graphite"
) -> tuple[Values, tuple[Values, ...]]:
    """Measure fields of one specimen together, and each alone.

    Args, Raises: as `measure_fields`.

    Returns:
        What `measure_fields` returns of all of them, and of each.
    """
    if kind == "phases":
        return _phases(fields, um_per_px)
    if um_per_px is not None:
        measured = [measure_field(field, um_per_px) for field in fields]
        alone = tuple(sum_up([field]).scalars() for field in measured)
        return (alone[0] if len(alone) == 1 else sum_up(measured).scalars()), alone
    areas = [segment_graphite(field).graphite for field in fields]
    share = sum(int(a.sum()) for a in areas) / sum(a.size for a in areas)
    return {"graphite_pct": 100 * share}, tuple({"graphite_pct": 100 * a.mean()} for a in areas)


def _phases(
    fields: Sequence[NDArray[np.floating]], um_per_px: float | None
) -> tuple[Values, tuple[Values, ...]]:
    measured = [measure_in_um(field, um_per_px).values for field in fields]
    found: Values = {}
    for name in CHOSEN_OF["phases"]:
        own = [(v[name], f.size) for f, v in zip(fields, measured, strict=True) if name in v]
        values, areas = zip(*own, strict=True) if own else ((), ())
        found[name] = float(np.average(values, weights=areas)) if own else None
    return found, tuple(dict(values) for values in measured)
