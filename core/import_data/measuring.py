"""Descriptors measured on a plan's pictures become its properties, where nothing was tested.

Pictures are measured as a model will see them: cropped, and brought to the data set's common scale,
so that what is read back from a design means the same. A specimen has the mean of its pictures.
"""

from collections import Counter
from collections.abc import Callable, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from core.columns import Column
from core.errors import InputError
from core.images import Micrograph
from core.import_data.examine import NO_GATE, read_source
from core.import_data.findings import Finding, error, note, warning
from core.import_data.plan import ImportPlan
from core.import_data.source import many, named
from core.measured_columns import KINDS, Kind, columns_of, guess_kind, measure_picture
from core.properties import MIN_LABELLED
from core.scale import to_scale
from core.stereology import Measurement, half_width

Wanted = Literal["auto", "graphite", "phases"]
Known = MutableMapping[tuple[object, ...], Measurement]
LOOKED_AT = 12  # pictures by which the kind is told, at most
UNCERTAIN = 1.0  # half width over standard deviation of the specimens beyond which it is said


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on a plan's pictures.

    Attributes:
        kind: which descriptors.
        plan: the plan with them as properties, and what was found on the way.
    """

    kind: Kind
    plan: ImportPlan


def measure_plan(
    plan: ImportPlan,
    wanted: Wanted = "auto",
    known: Known | None = None,
    told: Callable[[int], None] = lambda done: None,
    turn: AbstractContextManager[object] = NO_GATE,
) -> Measured:
    """Measure every picture of a plan and add the descriptors as properties.

    Args:
        plan: what goes in; pictures that cannot be read are passed over.
        wanted: which descriptors; "auto" takes those of graphite for pictures that look like it.
        known: measurements of before, by content, crop, scale and kind; new ones are added.
        told: called with how many pictures are done.
        turn: entered anew for each picture that is read, so that others have theirs between them.

    Raises:
        InputError: a column of the table has the name of a descriptor.
    """
    known = {} if known is None else known
    scales = plan.table["um_per_px"].to_numpy(dtype=float)
    common = float(np.median(scales[np.isfinite(scales)])) if np.isfinite(scales).any() else None
    kind = _guessed(plan, common, turn) if wanted == "auto" else wanted
    columns = columns_of(kind, common is not None)
    if taken := sorted({c.name for c in columns} & set(plan.table.columns)):
        raise InputError(
            f"the table has a column {taken[0]!r} already: rename it, or do not measure"
        )
    if kind == "graphite" and common is None:
        found = "graphite is measured in µm, and no picture has a scale"
        todo = error("not measured", f"{found}; give the scale, or measure phases instead")
        return Measured(kind, replace(plan, findings=(*plan.findings, todo)))
    results = []
    for place in range(len(plan.files)):
        results.append(_measured(plan, place, scales[place], common, kind, known, turn))
        told(place + 1)
    return Measured(kind, _with_columns(plan, columns, results, kind, common))


def _guessed(plan: ImportPlan, common: float | None, turn: AbstractContextManager[object]) -> Kind:
    """Return what most of some pictures look like."""
    readable = [i for i, one in enumerate(plan.examined) if not one.error]
    if common is None or not readable:
        return "phases"
    step = max(len(readable) // LOOKED_AT, 1)
    seen: list[Kind] = []
    for i in readable[::step][:LOOKED_AT]:
        with turn:
            pixels = plan.crops[i].cut(read_source(plan.files[i]).pixels)
            if min(pixels.shape) >= 64:
                seen.append(guess_kind([pixels]))
    return "graphite" if seen.count("graphite") > len(seen) / 2 else "phases"


def _measured(
    plan: ImportPlan,
    place: int,
    scale: float,
    common: float | None,
    kind: Kind,
    known: Known,
    turn: AbstractContextManager[object],
) -> Measurement:
    """Measure a picture in its turn, or find what is known of it."""
    one, crop = plan.examined[place], plan.crops[place]
    if one.error:
        return Measurement(reasons={c.name: "it cannot be read" for c in columns_of(kind)})
    key = (one.digest, crop, str(scale), str(common), kind)
    if key not in known:
        own = float(scale) if np.isfinite(scale) else None
        try:
            with turn:
                pixels = crop.cut(read_source(plan.files[place]).pixels)
                pixels = to_scale(Micrograph(pixels, plan.files[place].path, own, ()), common)[0]
                known[key] = measure_picture(pixels, common, kind)
        except InputError as problem:
            known[key] = Measurement(reasons={c.name: str(problem) for c in columns_of(kind)})
    return known[key]


def _with_columns(
    plan: ImportPlan,
    columns: tuple[Column, ...],
    results: list[Measurement],
    kind: Kind,
    common: float | None,
) -> ImportPlan:
    """Return the plan with the columns that enough specimens have, and what there is to say."""
    specimens = plan.table["specimen"].astype(str)
    table, kept, said = plan.table.copy(), [], []
    findings: list[Finding] = []
    for column in columns:
        of_specimens = _by_specimen(column.name, results, specimens)
        findings += _failures(column, plan, results)
        if len(of_specimens) < MIN_LABELLED:
            told = f"{column.label}: measured on {many(len(of_specimens), 'specimen')} only"
            findings.append(warning("not measured", f"{told}, {MIN_LABELLED} are needed: not used"))
            continue
        kept.append(column)
        table[column.name] = specimens.map(of_specimens["value"]).astype(float)
        table[f"{column.name}_half_width_95"] = specimens.map(of_specimens["half_width"])
        said.append(_range(column, of_specimens))
        findings += _uncertain(column, of_specimens)
    at = f"at {common:g} µm per px" if common else "in px, since no scale is known"
    text = f"{KINDS[kind]}; measured on {many(len(plan.files), 'picture')} {at}, not tested"
    findings.append(note("measured", f"{text}: {'; '.join(said) or 'nothing'}"))
    front = [c.name for c in plan.columns]
    order = ["path", "specimen", "um_per_px", *front, *(c.name for c in kept)]
    table = table[[*order, *(name for name in table if name not in order)]]
    return replace(
        plan,
        columns=(*plan.columns, *kept),
        table=table,
        findings=(*plan.findings, *findings),
    )


def _by_specimen(name: str, results: list[Measurement], specimens: pd.Series) -> pd.DataFrame:
    """Return value and 95 % half width of every specimen that has them, six digits."""
    rows = {}
    for specimen in dict.fromkeys(specimens):
        own = [results[i] for i in np.flatnonzero((specimens == specimen).to_numpy())]
        values = [one.values[name] for one in own if name in one.values]
        if not values or not specimen:
            continue
        fields = [value for one in own for value in one.fields.get(name, ())]
        doubt = float(np.mean([one.doubts.get(name, 0.0) for one in own]))
        width = half_width(fields, doubt)
        rows[specimen] = (
            float(f"{np.mean(values):.6g}"),
            np.nan if width is None else float(f"{width:.3g}"),
        )
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["value", "half_width"], dtype=float
    )


def _range(column: Column, of_specimens: pd.DataFrame) -> str:
    values, widths = of_specimens["value"], of_specimens["half_width"].dropna()
    unit = f" {column.unit}" if column.unit else ""
    text = f"{column.label} {values.min():.3g} to {values.max():.3g}{unit}"
    return f"{text}, ± {widths.median():.2g}" if len(widths) else text


def _failures(column: Column, plan: ImportPlan, results: list[Measurement]) -> list[Finding]:
    """Say on which pictures a descriptor could not be measured, and mostly why."""
    failed = [i for i, one in enumerate(results) if column.name not in one.values]
    if not failed:
        return []
    why = Counter(results[i].reasons.get(column.name, "") for i in failed).most_common(1)[0][0]
    paths = tuple(plan.files[i].path for i in failed)
    told = f"{column.label}: not on {len(failed)} of {many(len(results), 'picture')} ({why})"
    return [warning("not measured", f"{told}: {named(paths)}", paths)]


def _uncertain(column: Column, of_specimens: pd.DataFrame) -> list[Finding]:
    """Warn where specimens differ less than they are known."""
    widths = of_specimens["half_width"].dropna()
    if widths.empty:
        told = f"{column.label}: too few fields to say how sure it is"
        return [note("uncertainty", f"{told}; give larger or more pictures of a specimen")]
    spread = float(of_specimens["value"].std())
    if float(widths.median()) <= UNCERTAIN * spread:
        return []
    told = f"{column.label}: known to ± {widths.median():.2g} of each specimen, which differ by"
    todo = "designs for it rest on scatter: use more or larger pictures of a specimen"
    return [warning("uncertainty", f"{told} {spread:.2g} (standard deviation); {todo}")]
