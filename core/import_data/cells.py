"""From a table's cells to a plan's values: scales and numbers; and what is odd about its rows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import InputError
from core.import_data.examine import Examined
from core.import_data.fields import FieldChoice, scale_factor
from core.import_data.findings import Finding, error, note, rows_named, warning
from core.import_data.matching import Matching
from core.import_data.sheet import Sheet
from core.import_data.source import SourceFile, many, named


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleRule:
    """Where µm per px comes from: the "file", one "value" for all, or a "column" of the table.

    Where a column has no number, the file's own scale counts.
    """

    by: Literal["file", "value", "column"] = "file"
    value: float | None = None
    column: str = ""

    def __post_init__(self) -> None:
        good = self.value is not None and math.isfinite(self.value) and self.value > 0
        if self.by == "value" and not good:
            raise InputError(f"the scale is {self.value}; it must be above 0 µm per px")


def cell(sheet: Sheet | None, header: str, row: int | None) -> str:
    """Return a cell, "" where there is no table or no row.

    Raises:
        InputError: the table has no such column.
    """
    if sheet is None or row is None:
        return ""
    if header not in sheet.columns:
        raise InputError(f"{sheet.name} has no column {header!r}")
    return sheet.columns[header][row]


def scales(
    files: Sequence[SourceFile],
    examined: Mapping[str, Examined],
    sheet: Sheet | None,
    rows: Sequence[int | None],
    rule: ScaleRule,
    by_hand: Mapping[str, float | None],
) -> list[float]:
    """Return µm per px of every picture, NaN where unknown.

    Args:
        files, rows: the pictures, and the row of each.
        examined: picture -> what is known of it.
        sheet: the table.
        rule: where the scale comes from.
        by_hand: picture -> scale that goes before the rule's; None for unknown.
    """
    found = []
    for file, row in zip(files, rows, strict=True):
        own = examined[file.path].um_per_px
        scale = math.nan if own is None else own
        if rule.by == "value" and rule.value is not None:
            scale = rule.value
        elif rule.by == "column" and sheet is not None:
            given = sheet.number(cell(sheet, rule.column, row)) * scale_factor(rule.column)
            scale = given if given > 0 else scale
        if file.path in by_hand:
            scale = by_hand[file.path] or math.nan
        found.append(scale)
    return found


def numbers(
    sheet: Sheet | None,
    choice: FieldChoice,
    given: Sequence[str],
    rows: Sequence[int | None],
    findings: list[Finding],
) -> list[float]:
    """Return a column's numbers, NaN where unknown; cells that are none are an error."""
    values = [sheet.number(text) if sheet is not None else math.nan for text in given]
    wrong = {
        f"row {row + 2} {text[:30]!r}"
        for text, value, row in zip(given, values, rows, strict=True)
        if text and np.isnan(value) and row is not None
    }
    if wrong:
        told = f"{choice.header}: {named(sorted(wrong))} cannot be read as numbers"
        todo = "correct the table, empty the cells, or keep the column as words or as a note"
        findings.append(error("not a number", f"{told}; {todo}"))
    return values


def row_findings(
    sheet: Sheet | None, matching: Matching, fields: Sequence[FieldChoice]
) -> list[Finding]:
    """Return what is odd about rows: without a picture, or several for one thing."""
    if sheet is None:
        return []
    found, left = [], matching.unmatched_rows
    if left:
        told = f"{many(len(left), 'row')} of {sheet.name} without a picture, not used"
        found.append(warning("no picture", f"{told}: row {rows_named(left)}"))
    for row, fits in matching.several_pictures.items():
        told = f"row {row + 2} of {sheet.name} fits {named(fits)}"
        found.append(error("several pictures", f"{told}; name the folder too in the table"))
    used = [choice.header for choice in fields if choice.column is not None]
    for name, rows in matching.several_rows.items():
        odd = [header for header in used if _differs(sheet.columns[header], rows)]
        told = f"rows {rows_named(rows)} of {sheet.name} are all of {name}"
        if odd:
            found.append(error("several rows", f"{told} and differ in {named(odd)}; keep one"))
        else:
            found.append(note("several rows", f"{told}; the first is used"))
    return found


def _differs(cells: Sequence[str], rows: Sequence[int]) -> bool:
    return len({cells[row] for row in rows}) > 1
