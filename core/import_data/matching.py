"""Which row of the table belongs to which picture, and which specimen a picture is of."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal

from core.errors import InputError
from core.image_format import SUFFIXES
from core.import_data.naming import PATTERNS, best_pattern, specimen_of
from core.import_data.sheet import Sheet

_SPECIMEN_HEADER = re.compile(
    r"(specimen|sample|casting|heat|melt|coupon|probe|werkstoffprobe|schmelze|id|name)(?![a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRule:
    """How rows and pictures are brought together.

    Attributes:
        by: a column holds "file" names (a row a picture), or "specimen" names (a row a specimen,
            any number of pictures), or there is "nothing" to match.
        column: that column's header.
        specimen_column: with ``by="file"``, the column that names the specimens; "" to tell them
            from the file names.
        pattern: tells specimens from file names (`core.import_data.naming.specimen_of`).
    """

    by: Literal["file", "specimen", "nothing"] = "nothing"
    column: str = ""
    specimen_column: str = ""
    pattern: str = "{specimen}"


@dataclass(frozen=True, slots=True)
class Matching:
    """The outcome.

    Attributes:
        rows: picture -> row of the table, counted from 0.
        specimens: picture -> specimen, "" where none could be told.
        unmatched_pictures: without a row (none where there is no table).
        unmatched_rows: rows without a picture, counted from 0.
        several_rows: file or specimen -> the rows that name it, where there are several.
        several_pictures: rows whose file name fits several pictures, with them.
    """

    rows: dict[str, int]
    specimens: dict[str, str]
    unmatched_pictures: tuple[str, ...] = ()
    unmatched_rows: tuple[int, ...] = ()
    several_rows: dict[str, tuple[int, ...]] = field(default_factory=dict)
    several_pictures: dict[int, tuple[str, ...]] = field(default_factory=dict)


def match(paths: Sequence[str], sheet: Sheet | None, rule: MatchRule) -> Matching:
    """Bring pictures and rows together.

    File names match with or without folders and ending, whatever their case; specimens whatever
    their case, and 7 matches 07.

    Args:
        paths: of the pictures.
        sheet: the table; None where there is none.
        rule: how.

    Raises:
        InputError: the rule names a column that the table does not have, or a wrong pattern.
    """
    told = {path: specimen_of(path, rule.pattern) or "" for path in paths}
    if sheet is None or rule.by == "nothing":
        rows = tuple(range(len(sheet))) if sheet else ()
        return Matching({}, told, tuple(paths) if sheet else (), rows)
    cells = _column(sheet, rule.column)
    if rule.by == "specimen":
        return _by_specimen(told, cells)
    found = _by_file(paths, cells)
    names = _column(sheet, rule.specimen_column) if rule.specimen_column else None
    if names is not None:
        told = {path: names[row] for path, row in found.rows.items()} | {
            path: "" for path in paths if path not in found.rows
        }
    return replace(found, specimens=told)


def guess_rule(paths: Sequence[str], sheet: Sheet | None) -> MatchRule:
    """Return the rule that brings most pictures to a row; patterns are those of `PATTERNS`."""
    pattern = best_pattern(paths) if paths else "{specimen}"
    if sheet is None:
        return MatchRule(pattern=pattern)
    tries = [MatchRule(by="file", column=name, pattern=pattern) for name in sheet.columns]
    tries += [
        MatchRule(by="specimen", column=name, pattern=p) for p in PATTERNS for name in sheet.columns
    ]
    scored = [(len(match(paths, sheet, rule).rows), -place) for place, rule in enumerate(tries)]
    most, place = max(scored)
    if most == 0:
        return MatchRule(pattern=pattern)
    best = tries[-place]
    if best.by == "specimen":
        return best
    others = [name for name in sheet.columns if name != best.column]
    named = next((name for name in others if _SPECIMEN_HEADER.match(name)), "")
    return replace(best, specimen_column=named)


def _column(sheet: Sheet, name: str) -> list[str]:
    if name not in sheet.columns:
        raise InputError(
            f"{sheet.name} has no column {name!r}; it has {', '.join(sheet.columns)[:300]}"
        )
    return sheet.columns[name]


def _by_file(paths: Sequence[str], cells: Sequence[str]) -> Matching:
    known: dict[str, list[str]] = {}
    for path in paths:
        for name in _names(path):
            known.setdefault(name, []).append(path)
    rows: dict[str, int] = {}
    named: dict[str, list[int]] = {}
    unmatched, several = [], {}
    for row, cell in enumerate(cells):
        fits = known.get(_plain(cell)) or known.get(_without_ending(_plain(cell)), [])
        if not fits:
            unmatched.append(row)
        elif len(fits) > 1:
            several[row] = tuple(fits)
        else:
            rows.setdefault(fits[0], row)
            named.setdefault(fits[0], []).append(row)
    doubled = {path: tuple(found) for path, found in named.items() if len(found) > 1}
    left = tuple(path for path in paths if path not in rows)
    return Matching(rows, {}, left, tuple(unmatched), doubled, several)


def _names(path: str) -> set[str]:
    """Return every way to name a picture: with fewer folders, with and without its ending."""
    parts = _plain(path).split("/")
    tails = ["/".join(parts[start:]) for start in range(len(parts))]
    return {*tails, *map(_without_ending, tails)}


def _without_ending(name: str) -> str:
    """Return a name without the ending of a picture: saved in another format it is the same."""
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix in SUFFIXES else name


def _plain(text: str) -> str:
    return text.replace("\\", "/").strip().removeprefix("./").lower()


def _by_specimen(told: Mapping[str, str], cells: Sequence[str]) -> Matching:
    named: dict[str, list[int]] = {}
    for row, cell in enumerate(cells):
        if cell:
            named.setdefault(_key(cell), []).append(row)
    rows, specimens = {}, dict(told)
    for path, specimen in told.items():
        found = named.get(_key(specimen)) if specimen else None
        if found:
            rows[path] = found[0]
            specimens[path] = cells[found[0]]  # as the table writes it
    used = {_key(specimens[path]) for path in rows}
    unmatched = tuple(row for row, cell in enumerate(cells) if not cell or _key(cell) not in used)
    doubled = {
        cells[found[0]]: tuple(found)
        for key, found in named.items()
        if len(found) > 1 and key in used
    }
    left = tuple(path for path in told if path not in rows)
    return Matching(rows, specimens, left, unmatched, doubled)


def _key(name: str) -> str:
    """Return a specimen's name as it is compared: no case, no outer spaces, no leading zeros."""
    text = " ".join(name.lower().split())
    return text.lstrip("0") or "0" if text.isdecimal() else text
