"""From a manifest's cells to its table: columns declared or guessed, numbers read, specimens whole.

Process settings and properties belong to the specimen, so the rows of one specimen agree. A guessed
process column that differs within a specimen describes the image: it is kept in the table only.
"""

from typing import Any

import numpy as np
import pandas as pd

from core.columns import ANNOTATIONS, RESERVED, Column, declared_column, guessed_column
from core.errors import InputError
from core.manifest import is_number_column, numbers, parse_cells, texts


def build_table(
    data: bytes, declared: list[Any] | None
) -> tuple[tuple[Column, ...], pd.DataFrame, tuple[str, ...]]:
    """Build a data set's table from its manifest.

    Args:
        data: the manifest's bytes.
        declared: the entries of ``columns`` in ``dataset.json``; None to guess them from the names.

    Returns:
        Columns, table (see `core.dataset.DataSet`) and notes for the user.

    Raises:
        InputError: manifest or declaration are damaged or contradict each other.
    """
    cells, decimal_comma = parse_cells(data)
    notes: list[str] = []
    if declared is None:
        columns = _guess(cells, decimal_comma, notes)
    else:
        columns = tuple(declared_column(entry) for entry in declared)
        _check_declared(columns, cells)
    table: dict[str, Any] = {name: texts(cells[name]) for name in ("file", "specimen")}
    table["um_per_px"] = _scales(cells, decimal_comma)
    for column in columns:
        values = cells[column.name]
        if column.kind == "numeric":
            table[column.name] = numbers(column.name, values, decimal_comma)
        else:
            table[column.name] = texts(values)
    for name in cells:
        if name not in table:
            table[name] = texts(cells[name])
    frame = pd.DataFrame(table)
    columns = _consistent(frame, columns, declared is not None, notes)
    return columns, frame, tuple(notes)


def _guess(
    cells: dict[str, list[str]], decimal_comma: bool, notes: list[str]
) -> tuple[Column, ...]:
    """Tell the columns of a manifest without declaration from their names and cells."""
    columns = []
    for name, values in cells.items():
        if name in RESERVED or name.lower() in ANNOTATIONS:
            continue
        if not any(values):
            notes.append(f"column {name} is empty and is not used")
            continue
        column = guessed_column(name, True)
        numeric = is_number_column(values, decimal_comma)
        if not numeric and (column.unit or column.role == "property"):
            numbers(name, values, decimal_comma)  # raises: its name says numbers
        columns.append(guessed_column(name, numeric))
    return tuple(columns)


def _check_declared(columns: tuple[Column, ...], cells: dict[str, list[str]]) -> None:
    """Refuse declared columns that are missing in the manifest or declared twice."""
    names = [column.name for column in columns]
    for name in names:
        if name not in cells:
            raise InputError(
                f"dataset.json declares the column {name!r}, which manifest.csv does not have; "
                f"it has {', '.join(cells)[:300]}"
            )
        if names.count(name) > 1:
            raise InputError(f"dataset.json declares the column {name!r} twice")


def _scales(cells: dict[str, list[str]], decimal_comma: bool) -> np.ndarray:
    """Return µm per px of each row (float64, NaN unknown)."""
    if "um_per_px" not in cells:
        return np.full(len(cells["file"]), np.nan)
    scales = numbers("um_per_px", cells["um_per_px"], decimal_comma)
    wrong = np.flatnonzero(scales <= 0)
    if wrong.size:
        raise InputError(
            f"manifest.csv row {wrong[0] + 2}: um_per_px is {scales[wrong[0]]:g}; it must be above "
            "0, or empty when unknown"
        )
    return scales


def _consistent(
    frame: pd.DataFrame, columns: tuple[Column, ...], declared: bool, notes: list[str]
) -> tuple[Column, ...]:
    """Return the columns that belong to the specimen; see the module's docstring.

    Raises:
        InputError: a declared column or a property differs between the rows of a specimen.
    """
    kept = []
    for column in columns:
        distinct = frame.groupby("specimen", sort=False)[column.name].nunique()
        if (distinct <= 1).all():
            kept.append(column)
            continue
        specimen = distinct.index[distinct > 1][0]
        values = frame.loc[frame["specimen"] == specimen, column.name].dropna().unique()[:3]
        what = f"{column.name} of specimen {specimen} is {' and '.join(str(v) for v in values)}"
        if declared or column.role == "property":
            raise InputError(
                f"{what} in different rows; it belongs to the specimen: correct it, or give the "
                "images two specimen names"
            )
        notes.append(f"{what}: it differs within specimens and is not used as a process column")
    return tuple(kept)
