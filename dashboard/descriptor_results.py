"""Descriptors as rows for people and for a spreadsheet."""

from collections.abc import Sequence

from core.descriptors import SCALARS, Descriptors, Estimate, FieldsSummary
from core.exports.spreadsheet import (
    DESCRIPTOR_HEADER,
    descriptor_cells,
    structure_cells,
    structure_header,
    structure_reasons,
    to_csv,
)
from core.stereology import QUANTITIES, Measurement
from dashboard.measurements import Measured
from dashboard.wording import number, quantity, unbroken

_COUNTS = (("n_inner", "Particles not cut by a border"), ("n_particles", "Particles, all"))


def _value(value: float | None, unit: str) -> str:
    return "none" if value is None else unbroken(quantity(value, "" if unit == "1" else unit))


def descriptor_rows(found: Descriptors) -> list[dict[str, str]]:
    """Return the table of one micrograph."""
    rows = [{"Descriptor": label, "Value": str(getattr(found, name))} for name, label in _COUNTS]
    values = found.scalars()
    rows += [
        {"Descriptor": scalar.label, "Value": _value(values[scalar.name], scalar.unit)}
        for scalar in SCALARS
    ]
    size = found.size_class
    rows.append({"Descriptor": "Size class, ISO 945-1", "Value": str(size) if size else "none"})
    return rows


def structure_rows(found: Measurement) -> list[dict[str, str]]:
    """Return the table of what any material has, measured on one micrograph."""
    rows = []
    for one in QUANTITIES:
        value = found.values.get(one.name)
        width = None if value is None else found.half_width(one.name)
        said = f"none: {found.reasons.get(one.name, 'not measurable')}"
        if value is not None:
            sure = "" if width is None else f" ± {number(width, 2)}"
            said = f"{number(value)}{sure} {one.unit}".rstrip()
        rows.append({"Descriptor": one.label, "Value": said if value is None else unbroken(said)})
    return rows


def structures_csv(found: Sequence[tuple[str, float | None, Measurement]]) -> str:
    """Return what any material has as CSV: name, scale and measurement of each micrograph."""
    rows = [
        [name, um_per_px, *structure_cells(one), "; ".join(structure_reasons(one))]
        for name, um_per_px, one in found
    ]
    return to_csv(["Image", "Scale (µm per px)", *structure_header(), "Remarks"], rows)


def remarks(found: Measured) -> tuple[str, ...]:
    """Return what has to be said of a measurement beside its figures."""
    described = found.descriptors()
    if described is None:
        area = f"Graphite area {number(found.graphite_pct)} %; without a scale nothing else."
        return (area, *found.notes)
    return (*described.notes, *filter(None, [described.grain_reason]))


def field_interval(found: Estimate | None, unit: str) -> str:
    """Return a field-to-field interval of the mean in words."""
    if found is None:
        return "none: fewer than two fields have it"
    unit = "" if unit == "1" else f" {unit}"
    return f"{number(found.low)} to {number(found.high)}{unit} ({found.n_fields} fields)"


def pooled_rows(found: FieldsSummary) -> list[dict[str, str]]:
    """Return the table of several fields of one specimen, pooled."""
    values = found.pooled.scalars()
    return [
        {
            "Descriptor": scalar.label,
            "All fields": _value(values[scalar.name], scalar.unit),
            "Mean of fields, 95 % interval": field_interval(
                found.estimates[scalar.name], scalar.unit
            ),
        }
        for scalar in SCALARS
    ]


def descriptors_csv(measured: Sequence[Measured], pooled: FieldsSummary | None) -> str:
    """Return descriptors as CSV with units in the header, one row a micrograph.

    Args:
        measured: what was measured; of those without a scale only the graphite area is given.
        pooled: their fields together, for a last row; None for none.
    """
    rows = []
    for one in measured:
        found = one.descriptors()
        if found is None:
            only = [one.graphite_pct if s.name == "graphite_pct" else None for s in SCALARS]
            rows.append([one.name, None, None, None, None, *only, None, "scale not known"])
        else:
            rows.append([one.name, *_cells(found)])
    if pooled is not None:
        rows.append(["All fields", *_cells(pooled.pooled)])
    return to_csv(["Image", *DESCRIPTOR_HEADER, "Size class, ISO 945-1", "Notes"], rows)


def _cells(found: Descriptors) -> list[object]:
    notes = "; ".join([*found.notes, *filter(None, [found.grain_reason])])
    return [*descriptor_cells(found), found.size_class, notes]
