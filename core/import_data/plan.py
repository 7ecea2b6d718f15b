"""The plan of a data set: which picture goes in, of which specimen, at which scale, with what."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from core.columns import Column
from core.errors import InputError
from core.import_data.cells import ScaleRule, cell, numbers, row_findings, scales
from core.import_data.examine import Crop, Examined
from core.import_data.fields import FieldChoice, column_name
from core.import_data.findings import Finding, note, warning
from core.import_data.matching import Matching
from core.import_data.sheet import Sheet
from core.import_data.source import SourceFile, many, named


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user decides beside the matching.

    Attributes:
        name: of the data set, for people.
        synthetic: the pictures are simulated.
        fields: what the table's columns are.
        scale: where the scale comes from.
        crop: cut off every picture; ``crops``: picture -> another crop.
        scales: picture -> its own scale, before that of ``scale``; None for unknown.
        by_hand: picture -> specimen, before all else.
        left_out: pictures that are not used.
    """

    name: str
    synthetic: bool = False
    fields: tuple[FieldChoice, ...] = ()
    scale: ScaleRule = field(default_factory=ScaleRule)
    crop: Crop = field(default_factory=Crop)
    crops: Mapping[str, Crop] = field(default_factory=dict)
    scales: Mapping[str, float | None] = field(default_factory=dict)
    by_hand: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for path, scale in self.scales.items():
            if scale is not None and not (math.isfinite(scale) and scale > 0):
                raise InputError(f"the scale of {path} is {scale}; it must be above 0 µm per px")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """A data set before it is written.

    Attributes:
        name, synthetic: as chosen.
        files: the pictures that go in, in the order of the table's rows.
        columns: process and property columns.
        table: one row a picture: path, specimen, um_per_px (NaN unknown), the columns (float with
            NaN, or text with ""), then notes as text.
        crops: one a picture.
        examined: one a picture.
        findings: what was found while planning.
    """

    name: str
    synthetic: bool
    files: tuple[SourceFile, ...]
    columns: tuple[Column, ...]
    table: pd.DataFrame
    crops: tuple[Crop, ...]
    examined: tuple[Examined, ...]
    findings: tuple[Finding, ...]


def make_plan(
    files: Sequence[SourceFile],
    examined: Mapping[str, Examined],
    sheet: Sheet | None,
    matching: Matching,
    choices: Choices,
) -> ImportPlan:
    """Put together what was found and chosen; whatever is odd becomes a finding.

    Raises:
        InputError: two columns would have one name, or a column that is named is not there.
    """
    findings: list[Finding] = []
    columns = tuple(f.column for f in choices.fields if f.column is not None)
    if doubled := {c.name for c in columns if [d.name for d in columns].count(c.name) > 1}:
        raise InputError(f"two columns are named {sorted(doubled)[0]!r}; declare one only")
    rows = [_row(sheet, matching, path) for path in (file.path for file in files)]
    taken = _taken(files, rows, sheet, choices, findings)
    files = [files[i] for i in taken]
    rows = [rows[i] for i in taken]
    table: dict[str, Any] = {
        "path": [file.path for file in files],
        "specimen": [_specimen(file.path, matching, choices) for file in files],
        "um_per_px": scales(files, examined, sheet, rows, choices.scale, choices.scales),
    }
    taken_names = {column.name for column in columns} | {"path", "original_file"}
    for choice in choices.fields:
        cells = [cell(sheet, choice.header, row) for row in rows]
        if choice.column is None:
            table[column_name(choice.header, taken_names)] = cells
        elif choice.column.kind == "numeric":
            table[choice.column.name] = numbers(sheet, choice, cells, rows, findings)
        else:
            table[choice.column.name] = cells
    findings += row_findings(sheet, matching, choices.fields)
    return ImportPlan(
        name=choices.name,
        synthetic=choices.synthetic,
        files=tuple(files),
        columns=columns,
        table=pd.DataFrame(table),
        crops=tuple(choices.crops.get(file.path, choices.crop) for file in files),
        examined=tuple(examined[file.path] for file in files),
        findings=tuple(findings),
    )


def _taken(
    files: Sequence[SourceFile],
    rows: Sequence[int | None],
    sheet: Sheet | None,
    choices: Choices,
    findings: list[Finding],
) -> list[int]:
    """Return the pictures that go in; those without a row do not, where there is a table."""
    wanted = [i for i, file in enumerate(files) if file.path not in choices.left_out]
    if len(wanted) < len(files):
        gone = [f.path for f in files if f.path in choices.left_out]
        findings.append(note("left out", f"{many(len(gone), 'picture')} left out: {named(gone)}"))
    if sheet is None:
        return wanted
    without = [files[i].path for i in wanted if rows[i] is None]
    if without:
        told = f"{many(len(without), 'picture')} without a row in {sheet.name}, not used"
        findings.append(warning("no row", f"{told}: {named(without)}"))
    return [i for i in wanted if rows[i] is not None]


def _row(sheet: Sheet | None, matching: Matching, path: str) -> int | None:
    return matching.rows.get(path) if sheet is not None else None


def _specimen(path: str, matching: Matching, choices: Choices) -> str:
    return choices.by_hand.get(path, matching.specimens.get(path, "")).strip()
