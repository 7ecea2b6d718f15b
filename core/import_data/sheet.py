"""A user's table: CSV in any usual encoding, separator and decimal mark, or Excel."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np

from core.display_name import display_name, printable
from core.errors import InputError
from core.import_data.excel import excel_rows

MAX_TABLE_BYTES = 32 * 2**20
MAX_ROWS, MAX_COLUMNS, MAX_CELLS = 50_000, 200, 1_000_000
UNKNOWN = frozenset(("", "-", "–", "n/a", "na", "n.a.", "nan", "none", "null", "?", "unknown"))
_HEADER = re.compile(r"^[ ,;\t]*[^ ,;\t\r\n][^\r\n]*", re.MULTILINE)  # the first row with a cell
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d+,\d+|,\d+)([eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?(\d+\.\d+|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as text.

    Attributes:
        name: of the file, safe to show.
        columns: header -> cells, stripped; "" where nothing is known ("n/a", "-" and the like).
        decimal_comma: numbers are written 0,035.
        notes: how the file was read, for people to check.
    """

    name: str
    columns: dict[str, list[str]]
    decimal_comma: bool
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def number(self, cell: str) -> float:
        """Return a cell's number, NaN where it is none."""
        text = cell.replace(",", ".") if self.decimal_comma and _COMMA.fullmatch(cell) else cell
        value = float(text) if _NUMBER.fullmatch(text) else np.nan
        return value if np.isfinite(value) else np.nan

    def is_numeric(self, column: str) -> bool:
        """Tell whether most of a column's known cells are numbers, and there is one."""
        known = [cell for cell in self.columns[column] if cell]
        numbers = sum(np.isfinite(self.number(cell)) for cell in known)
        return bool(known) and numbers > 0.5 * len(known)


def read_sheet(data: bytes, name: str) -> Sheet:
    """Read a CSV or an Excel file (its first sheet).

    Raises:
        InputError: it is too large, or no table.
    """
    shown = display_name(name)
    if len(data) > MAX_TABLE_BYTES:
        raise InputError(f"{shown} has more than {MAX_TABLE_BYTES // 2**20} MiB; split it")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError(f"{shown} is an old Excel file (.xls); save it as .xlsx or as CSV")
    notes: list[str] = []
    if data.startswith(b"PK"):
        rows = _with_headings(_bounded(excel_rows(data, shown), shown), MAX_COLUMNS)
    else:
        rows = _csv(data, shown, notes)
    columns = _columns(rows, shown, notes)
    comma = _decimal_comma(columns, notes)
    return Sheet(shown, columns, comma, tuple(notes))


def _bounded(rows: Iterable[list[str]], shown: str) -> list[list[str]]:
    """Return rows that are not empty, refusing more than is read while they come."""
    found: list[list[str]] = []
    cells = 0
    for row in rows:
        if not any(row):
            continue
        if len(row) > MAX_COLUMNS:
            raise InputError(
                f"{shown} has a row of {len(row)} columns; at most {MAX_COLUMNS} are read"
            )
        found.append(row)
        cells += len(row)
        if len(found) > MAX_ROWS + 1:
            raise InputError(f"{shown} has more than {MAX_ROWS} rows; split it")
        if cells > MAX_CELLS:
            raise InputError(f"{shown} has more than {MAX_CELLS} cells; split it")
    return found


def _csv(data: bytes, shown: str, notes: list[str]) -> list[list[str]]:
    """Return the cells of a CSV; says what was told of its encoding and separator."""
    text = _decoded(data, notes)
    if "\0" in text:
        raise InputError(f"{shown} is not a text file; save the table as CSV UTF-8")
    separator = _separator(text)
    if separator != ",":
        notes.append(f"cells are separated by {'semicolons' if separator == ';' else 'tabs'}")
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        header = next((row for row in reader if any(cell.strip() for cell in row)), [])
        rows = _bounded(map(_trimmed, chain([header], reader)), shown)
    except csv.Error as error:
        raise InputError(f"{shown} is not a table: {error}") from error
    return _with_headings(rows, len(header))


def _with_headings(rows: list[list[str]], most: int) -> list[list[str]]:
    """Give the header an empty heading for each column without one, up to ``most`` columns."""
    widest = min(max(map(len, rows), default=0), most)
    return [row + [""] * (widest - len(row)) for row in rows[:1]] + rows[1:]


def _trimmed(row: list[str]) -> list[str]:
    """Return a row's cells, stripped, without the empty ones at its end."""
    end = next((place for place in range(len(row), 0, -1) if row[place - 1].strip()), 0)
    return [cell.strip() for cell in row[:end]]


def _decoded(data: bytes, notes: list[str]) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        notes.append("read as UTF-16")
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append("it is not UTF-8: read as Windows-1252; check signs such as µ, ° and ä")
        return data.decode("cp1252", errors="replace")


def _separator(text: str) -> str:
    """Return the separator that the header has most of, outside quotes."""
    header = _HEADER.search(text)
    plain = re.sub(r'"[^"]*"', "", header.group() if header else "")
    return max((",", ";", "\t"), key=plain.count)


def _columns(rows: list[list[str]], shown: str, notes: list[str]) -> dict[str, list[str]]:
    """Return named columns; rows are made as long as the header."""
    if len(rows) < 2:
        raise InputError(f"{shown} has no row below its header; a table needs both")
    header = [printable(cell)[:80].strip() for cell in rows[0]]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) > len(header):
            raise InputError(
                f"{shown}, row {number}: {len(row)} cells under {len(header)} headings; put cells "
                "that hold the separator in quotes, and name every column"
            )
    names = [name or f"column {place}" for place, name in enumerate(header, start=1)]
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise InputError(f"{shown} has two columns named {doubled[0]!r}; rename one")
    found = {name: [_known(row, place) for row in rows[1:]] for place, name in enumerate(names)}
    if not found:
        raise InputError(f"{shown} has no column with a name")
    if empty := [name for name, cells in found.items() if not any(cells)]:
        notes.append(f"empty columns: {', '.join(empty)[:200]}")
    return found


def _known(row: list[str], place: int) -> str:
    cell = printable(row[place]) if place < len(row) else ""
    return "" if cell.lower() in UNKNOWN else cell[:500]


def _decimal_comma(columns: dict[str, list[str]], notes: list[str]) -> bool:
    """Tell whether numbers are written with a decimal comma."""
    cells = [cell for column in columns.values() for cell in column]
    commas = sum(bool(_COMMA.fullmatch(cell)) for cell in cells)
    points = sum(bool(_POINT.fullmatch(cell)) for cell in cells)
    if commas and not points:
        notes.append("numbers are read with decimal commas")
    elif commas:
        notes.append(
            f"numbers with a decimal point: {points}, with a comma: {commas}; those with a "
            "comma are not read as numbers"
        )
    return bool(commas and not points)
