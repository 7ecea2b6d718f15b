"""The questions of the page *Own data*: matching, columns, scale, crop; answers prefilled."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from core.columns import Column
from core.import_data.cells import ScaleRule
from core.import_data.examine import Crop
from core.import_data.fields import FieldChoice, column_name, guess_fields, scale_column
from core.import_data.matching import MatchRule, guess_rule
from core.import_data.naming import PATTERNS
from core.import_data.sheet import Sheet
from dashboard.data_session import Uploaded

BY = {
    "specimen": "a specimen, with any number of pictures",
    "file": "a picture",
    "nothing": "nothing: do not use the table",
}
ROLES = {"process": "process setting", "property": "property", "note": "note only"}
OWN, FROM_NAMES = "own pattern", "(from the file names)"


def ask_rule(found: Uploaded) -> MatchRule:
    """Ask how rows and pictures belong together, and where specimens come from."""
    paths = [file.path for file in found.listing.pictures]
    guess, sheet = guess_rule(paths, found.sheet), found.sheet
    if sheet is None:
        return replace(guess, pattern=_pattern(guess.pattern, found.id))
    left, right = st.columns(2)
    by = left.selectbox(
        "A row of the table is",
        list(BY),
        index=list(BY).index(guess.by),
        format_func=BY.get,
        key=f"data_by_{found.id}",
    )
    headers = list(sheet.columns)
    column, named = "", ""
    if by != "nothing":
        first = headers.index(guess.column) if guess.column in headers else 0
        what = "file names" if by == "file" else "specimens"
        column = right.selectbox(
            f"Column with the {what}",
            headers,
            first,
            key=f"data_column_{by}_{found.id}",
            help="File names match with or without folder and ending.",
        )
    if by == "file":
        options = [FROM_NAMES, *(header for header in headers if header != column)]
        first = options.index(guess.specimen_column) if guess.specimen_column in options else 0
        named = st.selectbox(
            "Column with the specimens", options, first, key=f"data_specimens_{found.id}"
        )
        named = "" if named == FROM_NAMES else named
    pattern = guess.pattern if named else _pattern(guess.pattern, found.id)
    return MatchRule(by=by, column=column, specimen_column=named, pattern=pattern)


def _pattern(guess: str, number: str) -> str:
    """Ask which part of a file name is the specimen."""
    options = [*PATTERNS, OWN]
    left, right = st.columns(2)
    chosen = left.selectbox(
        "The specimen in a file's name is",
        options,
        options.index(guess) if guess in options else 0,
        format_func=lambda pattern: PATTERNS.get(pattern, "something else: an own pattern"),
        key=f"data_pattern_{number}",
    )
    if chosen != OWN:
        return chosen
    return right.text_input(
        "Pattern",
        "{specimen}_*",
        key=f"data_own_pattern_{number}",
        help="{specimen} stands for the specimen, * for anything: SEM_{specimen}_*x, or "
        "{specimen}/* for a folder.",
    )


def ask_fields(found: Uploaded, sheet: Sheet | None, rule: MatchRule) -> tuple[FieldChoice, ...]:
    """Ask what every column of the table is.

    Raises:
        InputError: a label or unit is not allowed, or a column of words is a property.
    """
    guessed = guess_fields(sheet, rule, scale_column(sheet))
    if not guessed or sheet is None:
        return ()
    rows = [
        {
            "Column": choice.header,
            "Use as": ROLES[choice.column.role if choice.column else "note"],
            "Name shown": choice.column.label if choice.column else choice.header,
            "Unit": choice.column.unit if choice.column else "",
            "Example": next(cell for cell in sheet.columns[choice.header] if cell),
        }
        for choice in guessed
    ]
    edited = st.data_editor(
        pd.DataFrame(rows),
        hide_index=True,
        disabled=["Column", "Example"],
        column_config={
            "Use as": st.column_config.SelectboxColumn(options=list(ROLES.values()), required=True)
        },
        key=f"data_fields_{found.id}_{rule.by}_{rule.column}_{rule.specimen_column}",
    )
    return read_fields(edited, sheet)


def read_fields(edited: pd.DataFrame, sheet: Sheet) -> tuple[FieldChoice, ...]:
    """Return the choices that the edited table says.

    Raises:
        InputError: as `ask_fields`.
    """
    roles, taken, choices = {said: role for role, said in ROLES.items()}, set[str](), []
    for row in edited.where(edited.notna(), "").to_dict("records"):
        header, role = str(row["Column"]), roles[row["Use as"]]
        if role == "note":
            choices.append(FieldChoice(header, None))
            continue
        numeric = sheet.is_numeric(header)
        label, unit = (str(row[name]).strip() for name in ("Name shown", "Unit"))
        column = Column(
            column_name(header, taken),
            unit if numeric else "",
            label or header,
            role,
            "numeric" if numeric else "categorical",
        )
        choices.append(FieldChoice(header, column))
    return tuple(choices)


def ask_scale(found: Uploaded, sheet: Sheet | None) -> ScaleRule:
    """Ask where the pictures' scale comes from."""
    known = sum(one.um_per_px is not None for one in found.examined.values())
    options = {
        "file": f"as the files say ({known} of {len(found.examined)} do)",
        "value": "the same for all pictures",
    }
    told = scale_column(sheet)
    if sheet is not None and any(sheet.is_numeric(name) for name in sheet.columns):
        options["column"] = "a column of the table"
    left, right = st.columns(2)
    first = "column" if told else "file"
    by = left.selectbox(
        "Scale",
        list(options),
        list(options).index(first),
        format_func=options.get,
        key=f"data_scale_{found.id}",
    )
    if by == "value":
        value = right.number_input(
            "µm per px", 0.0001, 1000.0, 1.0, format="%g", key=f"data_um_per_px_{found.id}"
        )
        return ScaleRule(by="value", value=float(value))
    if by == "column" and sheet is not None:
        numeric = [name for name in sheet.columns if sheet.is_numeric(name)]
        column = right.selectbox(
            "Column with µm (or nm) per px",
            numeric,
            numeric.index(told) if told else 0,
            key=f"data_scale_column_{found.id}",
            help="Empty cells: as the file says. A heading with nm is read in nanometres.",
        )
        return ScaleRule(by="column", column=column)
    return ScaleRule()


def ask_crop(found: Uploaded) -> tuple[Crop, bool]:
    """Ask what to cut off every picture, and whether to cut off the information bars found."""
    bars = sum(one.bar != Crop() for one in found.examined.values())
    cut_bars = bars > 0 and st.checkbox(
        f"Cut off the information bars that were found ({bars} of {len(found.examined)} pictures)",
        True,
        key=f"data_bars_{found.id}",
        help="They stand in the table of pictures below, where each can be changed.",
    )
    left, right = st.columns(2)
    top, bottom = (
        int(
            place.number_input(
                f"Cut off at the {edge} (px)",
                0,
                5000,
                0,
                1,
                key=f"data_crop_{edge}_{found.id}",
                help="Of every picture; where its information bar is larger, the bar. Single "
                "pictures can have another crop in the table of pictures.",
            )
        )
        for place, edge in ((left, "top"), (right, "bottom"))
    )
    return Crop(top=top, bottom=bottom), cut_bars
