"""The cells of a ``manifest.csv``: encoding, delimiter, numbers and file names."""

import csv
import io
import re
from collections import Counter
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from core.errors import InputError

MAX_ROWS, MAX_COLUMNS, MAX_CELLS = 100_000, 256, 3_000_000
MAX_MANIFEST_BYTES = 64 * 2**20

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_HEADER = re.compile(r"^[ ,;]*[^ ,;\r\n][^\r\n]*", re.MULTILINE)  # the first row with a cell
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


def parse_cells(data: bytes) -> tuple[dict[str, list[str]], bool]:
    """Split a manifest into columns of stripped text.

    Args:
        data: the file; UTF-8 with or without a byte order mark.

    Returns:
        column -> cells, in the file's order, and whether decimal commas are allowed (cells are
        separated by semicolons). Empty rows at the end and nameless empty columns are left out.

    Raises:
        InputError: not UTF-8, no or doubled or missing columns, rows of another length, no rows,
            or too many of them.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"manifest.csv is not UTF-8 (byte {error.start}); save it as 'CSV UTF-8'"
        ) from error
    semicolon = _semicolon(text)
    try:
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=";" if semicolon else ",", strict=True
        )
        rows: list[list[str]] = []
        for row in reader:
            if len(row) > MAX_COLUMNS:
                raise InputError(
                    f"manifest.csv row {len(rows) + 1} has {len(row)} cells; at most {MAX_COLUMNS} "
                    "columns are read: leave out those that are not needed"
                )
            rows.append([cell.strip() for cell in row])
            if len(rows) > MAX_ROWS + 1:
                raise InputError(f"manifest.csv has more than {MAX_ROWS} rows; split the data set")
            if len(rows) * len(rows[0]) > MAX_CELLS:
                raise InputError(
                    f"manifest.csv has more than {MAX_CELLS} cells; split the data set, or leave "
                    "out columns that are not needed"
                )
    except csv.Error as error:
        raise InputError(f"manifest.csv is not a table: {error}") from error
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows:
        raise InputError("manifest.csv is empty; it needs a header with file and specimen")
    header, body = rows[0], rows[1:]
    for number, row in enumerate(body, start=2):
        if not any(row):
            raise InputError(f"manifest.csv row {number} is empty; delete it")
        if len(row) != len(header):
            raise InputError(
                f"manifest.csv row {number} has {len(row)} cells, the header {len(header)}; "
                "put cells that hold the separator in quotes"
            )
    columns = _named_columns(header, body)
    if not body:
        raise InputError("manifest.csv has a header but no rows")
    for name in ("file", "specimen"):
        empty = [number for number, cell in enumerate(columns[name], start=2) if not cell]
        if empty:
            raise InputError(f"manifest.csv row {empty[0]}: {name} is empty")
    return columns, semicolon


def _semicolon(text: str) -> bool:
    """Tell whether the header's cells are separated by semicolons."""
    header = _HEADER.search(text)
    unquoted = re.sub(r'"[^"]*"', "", header.group() if header else "")
    return unquoted.count(";") > unquoted.count(",")


def _named_columns(header: list[str], body: list[list[str]]) -> dict[str, list[str]]:
    """Return the columns by name; checks the names."""
    doubled = [name for name, count in Counter(header).items() if name and count > 1]
    if doubled:
        raise InputError(f"manifest.csv has two columns named {doubled[0]!r}; rename one")
    columns = {}
    for place, name in enumerate(header):
        cells = [row[place] for row in body]
        if name:
            columns[name] = cells
        elif any(cells):
            raise InputError(f"manifest.csv: column {place + 1} has cells but no name")
    missing = [name for name in ("file", "specimen") if name not in columns]
    if missing:
        raise InputError(
            f"manifest.csv has no column {' and no column '.join(missing)}; "
            f"it has {', '.join(columns)[:300]}"
        )
    return columns


def texts(cells: list[str]) -> list[str | None]:
    """Return the cells with None for empty ones."""
    return [cell or None for cell in cells]


def is_number_column(cells: list[str], decimal_comma: bool) -> bool:
    """Tell whether every cell that is not empty reads as a number, finite or not."""
    given = [_plain(cell, decimal_comma) for cell in cells if cell]
    return bool(given) and all(_NUMBER.fullmatch(c) or _NOT_FINITE.fullmatch(c) for c in given)


def numbers(name: str, cells: list[str], decimal_comma: bool) -> np.ndarray:
    """Return the cells as float64 (rows,), NaN for empty ones.

    Raises:
        InputError: a cell is not a finite number; the message names row, column and value.
    """
    values = np.full(len(cells), np.nan)
    for place, cell in enumerate(cells):
        if not cell:
            continue
        plain = _plain(cell, decimal_comma)
        value = float(plain) if _NUMBER.fullmatch(plain) else np.nan
        if not np.isfinite(value):
            raise InputError(
                f"manifest.csv row {place + 2}: {name} is {cell[:60]!r}, not a finite number; "
                "correct it, leave it empty when unknown, or declare the column as categorical"
            )
        values[place] = value
    return values


def _plain(cell: str, decimal_comma: bool) -> str:
    """Return a number's text with a decimal point."""
    return cell.replace(",", ".") if decimal_comma else cell


def check_files(root: Path, files: list[str]) -> None:
    """Check that each file lies in the folder, is there, and is named once.

    Args:
        root: the resolved folder.
        files: the ``file`` column.

    Raises:
        InputError: an absolute path, "..", a link out of the folder, a missing or repeated file.
    """
    seen: dict[Path, int] = {}
    for number, file in enumerate(files, start=2):
        where = f"manifest.csv row {number}: {file[:120]!r}"
        path = _inside(root, file, where)
        if not path.is_file():
            raise InputError(f"{where} is not a file in {root}; correct the name or add the image")
        if path in seen:
            raise InputError(f"{where} is the same file as in row {seen[path]}; keep one of them")
        seen[path] = number


def _inside(root: Path, file: str, where: str) -> Path:
    """Return the resolved path of a manifest's file; refuses those that leave the folder."""
    if not file.isprintable() or "\\" in file:
        raise InputError(f"{where} has a backslash or control characters; write folder/image.png")
    relative = PurePosixPath(file)
    if relative.is_absolute() or PureWindowsPath(file).drive or ".." in relative.parts:
        raise InputError(f"{where} leaves the data set; write the path from the manifest's folder")
    try:
        path = (root / relative).resolve()
        path.lstat()
    except FileNotFoundError:
        pass  # said by whoever asks
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{where} cannot be followed ({reason}); correct the name") from error
    if not path.is_relative_to(root):
        raise InputError(f"{where} is a link out of the data set; copy the image into it")
    return path
