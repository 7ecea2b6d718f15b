"""The table of pictures on the page *Own data*: specimens, crops and use, changed by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.import_data.cells import ScaleRule, scales
from core.import_data.examine import Crop
from core.import_data.matching import Matching
from core.import_data.sheet import Sheet
from dashboard.data_session import BEGUN, EDITS, LEFT_OUT, Uploaded

USE, PICTURE, SPECIMEN, ROW, TOP, BOTTOM = (
    "Use",
    "Picture",
    "Specimen",
    "Row",
    "Cut off at the top",
    "Cut off at the bottom",
)
FIXED = [PICTURE, ROW, "Size (px)"]
SCALE = "µm per px"
Edits = dict[str, dict[str, Any]]  # picture -> column -> value


def picture_table(
    found: Uploaded,
    sheet: Sheet | None,
    matching: Matching,
    rule: ScaleRule,
    crop: Crop,
    cut_bars: bool,
) -> tuple[dict[str, str], dict[str, float | None], dict[str, Crop], frozenset[str]]:
    """Show every picture in a table that can be edited.

    Where another matching, scale or crop gives another table to begin from, what was changed by
    hand is put into it again.

    Returns:
        Specimens named by hand, every picture's scale, crops of single pictures, and the pictures
        that are not used.
    """
    edits: Edits = st.session_state.get(EDITS, {})
    left_out = st.session_state.get(LEFT_OUT, frozenset())
    files = found.listing.pictures
    rows = [matching.rows.get(file.path) for file in files]
    told = scales(files, found.examined, sheet, rows, rule, {})
    chosen = (crop, cut_bars, rule, sheet is None, left_out, tuple(matching.specimens.values()))
    key = f"data_pictures_{found.id}_{hash(chosen)}"
    begun = st.session_state.get(BEGUN)
    if begun is None or begun[0] != key:
        frame = begin(found, matching, told, crop, cut_bars)
        frame = frame if sheet is not None else frame.drop(columns=ROW)
        frame[USE] &= ~frame[PICTURE].isin(left_out)
        begun = st.session_state[BEGUN] = (key, apply(frame, edits), edits)
    pixels = st.column_config.NumberColumn(min_value=0, max_value=5000, step=1, required=True)
    scale = st.column_config.NumberColumn(
        min_value=0.0001, max_value=1000.0, format="%g", help="Empty where it is not known."
    )
    edited = st.data_editor(
        begun[1],
        hide_index=True,
        disabled=FIXED,
        column_config={SCALE: scale, TOP: pixels, BOTTOM: pixels},
        key=key,
        height=min(38 * (len(begun[1]) + 1), 420),
    ).fillna({SPECIMEN: ""})
    st.session_state[EDITS] = merged(begun[2], changed(begun[1], edited))
    return read_pictures(edited, matching.specimens, crop)


def begin(
    found: Uploaded, matching: Matching, told: Sequence[float], crop: Crop, cut_bars: bool
) -> pd.DataFrame:
    """Return the table as it is before anything is changed by hand; told: µm per px of each."""
    rows = []
    for file, scale in zip(found.listing.pictures, told, strict=True):
        one = found.examined[file.path]
        own = crop.with_bar(one.bar) if cut_bars else crop
        rows.append(
            {
                USE: True,
                PICTURE: file.path,
                SPECIMEN: matching.specimens.get(file.path, ""),
                ROW: matching.rows.get(file.path, -2) + 2,
                "Size (px)": f"{one.width} × {one.height}" if not one.error else "cannot be read",
                SCALE: scale,
                TOP: own.top,
                BOTTOM: own.bottom,
            }
        )
    return pd.DataFrame(rows)


def apply(frame: pd.DataFrame, edits: Edits) -> pd.DataFrame:
    """Return the table with what was changed by hand."""
    frame = frame.copy()
    for place, path in enumerate(frame[PICTURE]):
        for column, value in edits.get(path, {}).items():
            frame.loc[place, column] = value
    return frame


def changed(begun: pd.DataFrame, edited: pd.DataFrame) -> Edits:
    """Return the cells that were changed by hand."""
    found: Edits = {}
    for column in (USE, SPECIMEN, SCALE, TOP, BOTTOM):
        empty = begun[column].isna() & edited[column].isna()  # alike, though they do not compare
        for place in ((begun[column] != edited[column]) & ~empty).to_numpy().nonzero()[0]:
            value = edited[column].iloc[place]
            found.setdefault(str(begun[PICTURE].iloc[place]), {})[column] = value
    return found


def merged(before: Edits, now: Edits) -> Edits:
    """Return what was changed before and now; what is now goes before."""
    return {path: before.get(path, {}) | now.get(path, {}) for path in {**before, **now}}


def read_pictures(
    edited: pd.DataFrame, told: Mapping[str, str], crop: Crop
) -> tuple[dict[str, str], dict[str, float | None], dict[str, Crop], frozenset[str]]:
    """Return what the table says beyond the specimens told and the crop of all; `picture_table`."""
    by_hand, own_scales, crops, unused = {}, {}, {}, set()
    for row in edited.to_dict("records"):
        path, specimen = str(row[PICTURE]), str(row[SPECIMEN]).strip()
        if specimen != told.get(path, ""):
            by_hand[path] = specimen
        own_scales[path] = float(row[SCALE]) if pd.notna(row[SCALE]) else None
        own = Crop(top=int(row[TOP]), bottom=int(row[BOTTOM]))
        if own != crop:
            crops[path] = own
        if not row[USE]:
            unused.add(path)
    return by_hand, own_scales, crops, frozenset(unused)
