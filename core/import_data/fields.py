"""What a user's columns mean: name, label and unit read from the heading, role guessed."""

import re
from dataclasses import dataclass

from core.columns import ANNOTATIONS, RESERVED, Column, guessed_column, label_of, unit_of
from core.errors import InputError
from core.import_data.matching import MatchRule
from core.import_data.naming import plain
from core.import_data.sheet import Sheet

_UNIT = re.compile(r"(.*?)[\s_,]*[\[(]\s*([^\[\]()]{0,20}?)\s*[\])]\s*")
_SCALE = re.compile(r"(um|µm|μm|nm)[ _/]*(per|/|p)?[ _/]*(px|pixel)|pixel[ _]?size|scale", re.I)


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """What becomes of a column of the table.

    Attributes:
        header: its heading in the table.
        column: how the data set declares it; None for one that is kept as a note only.
    """

    header: str
    column: Column | None


def split_unit(header: str) -> tuple[str, str]:
    """Return label and unit of a heading with its unit in brackets, or at its end.

    >>> split_unit("Anneal temperature [°C]"), split_unit("mg_wt"), split_unit("Cooling")
    (('Anneal temperature', '°C'), ('mg', 'wt%'), ('Cooling', ''))
    """
    found = _UNIT.fullmatch(header)
    if found and found.group(1):
        return label_of(found.group(1)) if "_" in found.group(1) else found.group(1), found.group(2)
    return label_of(header), unit_of(header)


def column_name(header: str, taken: set[str]) -> str:
    """Return a heading as a column's name: small letters, digits and underscores, not taken.

    >>> column_name("UTS (MPa)", set()), column_name("file", set()), column_name("Härte", {"harte"})
    ('uts_mpa', 'file_2', 'harte_2')
    """
    text = header.replace("%", " pct ").replace("°", " ").replace("µ", "u").replace("μ", "u")
    base = re.sub(r"[^a-z0-9]+", "_", plain(text, "column").lower()).strip("_") or "column"
    name, number = base, 2
    while name in taken or name in RESERVED:
        name, number = f"{base}_{number}", number + 1
    taken.add(name)
    return name


def guess_fields(sheet: Sheet | None, rule: MatchRule, scale: str = "") -> list[FieldChoice]:
    """Guess what every column is that does not match, name specimens or give the scale.

    Columns of numbers are process settings, or properties where name or unit say so
    (`core.columns`); columns of words are process settings where a few words repeat, else notes.
    """
    if sheet is None:
        return []
    used = {rule.column if rule.by != "nothing" else "", rule.specimen_column, scale}
    choices, taken = [], set[str]()
    for header, cells in sheet.columns.items():
        if header in used or not any(cells):
            continue
        label, unit = split_unit(header)
        name = column_name(header, taken)
        numeric = sheet.is_numeric(header)
        distinct = {cell for cell in cells if cell}
        worded = not numeric and not 1 < len(distinct) <= max(2, len(cells) // 2)
        if worded or header.lower() in ANNOTATIONS:
            choices.append(FieldChoice(header, None))
            continue
        guessed = guessed_column(name, numeric)
        by_unit = guessed_column(f"x_{unit.lower()}", numeric) if unit else guessed
        role = "property" if "property" in (guessed.role, by_unit.role) else guessed.role
        column = Column(name, (unit or guessed.unit) if numeric else "", label, role, guessed.kind)
        choices.append(FieldChoice(header, column))
    return choices


def scale_column(sheet: Sheet | None) -> str:
    """Return the column that gives µm or nm per px, "" without one."""
    for header in sheet.columns if sheet else ():
        if _SCALE.search(header) and sheet is not None and sheet.is_numeric(header):
            return header
    return ""


def scale_factor(header: str) -> float:
    """Return µm for one unit of a scale column: 0.001 where its heading says nm.

    >>> scale_factor("Pixel size (nm)"), scale_factor("um_per_px")
    (0.001, 1.0)
    """
    return 1e-3 if re.search(r"(?<![a-z])nm(?![a-z])", header.replace("_", " "), re.I) else 1.0


def parse_declaration(text: str, role: str, sheet: Sheet) -> FieldChoice:
    """Read a column as the command line declares it: ``HEADING[:UNIT[:LABEL]]``.

    Raises:
        InputError: the table has no such column, or a part is not allowed.
    """
    header, _, rest = text.partition(":")
    if header not in sheet.columns:
        raise InputError(
            f"{sheet.name} has no column {header!r}; it has {', '.join(sheet.columns)[:300]}"
        )
    unit, _, label = rest.partition(":")
    told_label, told_unit = split_unit(header)
    numeric = sheet.is_numeric(header)
    column = Column(
        column_name(header, set()),
        (unit or told_unit) if numeric else "",
        label or told_label,
        role,  # type: ignore[arg-type]
        "numeric" if numeric else "categorical",
    )
    return FieldChoice(header, column)
