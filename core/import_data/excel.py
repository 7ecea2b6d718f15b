"""The cells of an Excel file (.xlsx), which is a zip of XML: counted before they are read."""

import io
import math
import re
from collections.abc import Iterator
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.cell import ERROR_CODES

from core.display_name import printable
from core.errors import InputError
from core.zips import read_entries

MAX_TAGS = 1_200_000  # of all parts: about 300,000 cells
MAX_LINES = 2**20  # Excel's own limit
_ENTITIES = re.compile(rb"<!(DOCTYPE|ENTITY)")


def excel_rows(data: bytes, shown: str) -> Iterator[list[str]]:
    """Yield the rows of the first sheet as text, without empty cells at their ends.

    Args:
        data: the file.
        shown: its name, for messages.

    Raises:
        InputError: it is no Excel file, a damaged one, or holds more than is read.
    """
    _check_parts(data, shown)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says of them need not be so
            for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
                if number > MAX_LINES:
                    raise InputError(f"{shown} has a cell below row {MAX_LINES}; save it as CSV")
                cells = [_text(value).strip() for value in row]
                while cells and not cells[-1]:
                    cells.pop()
                yield cells
        finally:
            book.close()
    except InputError:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged file makes it raise
        raise InputError(
            f"{shown} is not an Excel file that can be read ({printable(str(error))[:120]}); "
            "save the sheet as CSV"
        ) from error


def _check_parts(data: bytes, shown: str) -> None:
    """Refuse bombs: parts that unpack too far, entities that grow, more cells than are read."""
    try:
        entries = read_entries(io.BytesIO(data))
    except InputError as error:
        raise InputError(f"{shown} is not an Excel file that can be read: {error}") from error
    tags = 0
    for entry in entries:
        if not entry.name.lower().endswith((".xml", ".rels", ".vml")) or not entry.size_bytes:
            continue
        try:
            part = entry.load()
        except InputError as error:
            raise InputError(f"{shown}: {entry.name}: {error}; save the sheet as CSV") from error
        if b"\0" in part or _ENTITIES.search(part):
            raise InputError(f"{shown}: {entry.name} is XML of an unusual kind; save it as CSV")
        tags += part.count(b"<")
        if tags > MAX_TAGS:
            raise InputError(
                f"{shown} holds more than about {MAX_TAGS // 4} cells; save the sheet as CSV, or "
                "split it"
            )


def _text(value: Any) -> str:
    """Return a cell as the user sees it; nothing for an error such as #N/A."""
    if value is None or (isinstance(value, str) and value in ERROR_CODES):
        return ""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)
