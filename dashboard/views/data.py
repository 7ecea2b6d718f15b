"""Own data: pictures and a table, by drag and drop, become a data set to train on."""

import logging
from dataclasses import asdict, replace

import streamlit as st

from core import logs
from core.import_data.findings import has_errors
from core.import_data.matching import match
from core.import_data.naming import check_name, plain
from core.import_data.plan import Choices, make_plan
from core.import_data.preflight import preflight
from core.import_data.source import many, named
from core.workspace import data_folder
from dashboard import (
    data_form,
    data_measuring,
    data_pictures,
    data_report,
    data_session,
    errors,
    permission,
)
from dashboard.errors import escape

logger = logging.getLogger("dashboard.views.data")
PICTURES = ["png", "jpg", "jpeg", "tif", "tiff", "bmp", "zip", "txt"]

st.title("Own data", anchor=False)
st.write(
    "Your micrographs and a table of process settings and measured properties become a data set "
    "that a model can be trained on. Everything is checked before anything is written."
)
permission.require("import")
if told := st.session_state.pop("data_made", None):
    st.success(f"**{escape(told)}**", icon=":material/check:")
    st.page_link("views/training.py", label="Train a model on it", icon=":material/model_training:")

st.subheader("1 · Pictures and table", anchor=False)
left, right = st.columns(2)
files = left.file_uploader(
    "Micrographs (PNG, JPEG, TIFF, BMP), or zips of them",
    PICTURES,
    accept_multiple_files=True,
    key=f"data_files_{data_session.turn()}",
    help="The text file that a JEOL or Hitachi microscope writes beside a picture gives its scale. "
    "64 MB a file: put larger sets into several zips, or use python -m core.import_data.",
)
table = right.file_uploader(
    "Table (CSV or Excel), where you have one",
    ["csv", "tsv", "txt", "xlsx"],
    key=f"data_table_{data_session.turn()}",
    help="A row a picture or a row a specimen; first row: headings. Units may stand in brackets, "
    "as in UTS (MPa). A table inside the zip is found by itself.",
)
found = None
with errors.shown():
    found = data_session.uploaded(files, table)
if found is None:
    if not files:
        st.info(
            "Drop your pictures into the left field, and a table such as "
            "`Sample; Temperature (°C); Hardness (HV)` into the right one."
        )
    st.subheader("Data sets in the workspace", anchor=False)
    data_report.show_data_sets()
    st.stop()
count = many(len(found.listing.pictures), "picture")
rows = f"{many(len(found.sheet), 'row')} in {found.sheet.name}" if found.sheet else "no table"
said = [*found.listing.notes, *(found.sheet.notes if found.sheet else ())]
st.caption(escape(" · ".join([count, rows, *said])))

findings, plan, rule = None, None, None
with errors.shown():
    st.subheader("2 · Which row belongs to which picture", anchor=False)
    paths = [file.path for file in found.listing.pictures]
    rule = data_form.ask_rule(found)
    sheet = found.sheet if rule.by != "nothing" else None
    matching = match(paths, sheet, rule)
    specimens = {name for path, name in matching.specimens.items() if name}
    matched = f"{len(matching.rows)} of {count} have a row · " if sheet else ""
    st.caption(escape(f"{matched}{many(len(specimens), 'specimen')}: {named(sorted(specimens))}"))

    if sheet is not None:
        st.subheader("3 · What the columns are", anchor=False)
        st.caption(
            "Process settings are what you choose, properties what you measure. Both belong to the "
            "specimen. Click a cell to change it."
        )
    fields = data_form.ask_fields(found, sheet, rule)

    st.subheader("4 · Scale and information bar", anchor=False)
    scale = data_form.ask_scale(found, sheet)
    crop, cut_bars = data_form.ask_crop(found)

    st.subheader("5 · Pictures", anchor=False)
    st.caption("Change a specimen's name, a scale or a crop by hand, or leave a picture out.")
    by_hand, scales, crops, unused = data_pictures.picture_table(
        found, sheet, matching, scale, crop, cut_bars
    )
    data_report.show_crop(found, crop, crops, scales)
    choices = Choices(
        name="",
        fields=fields,
        scale=scale,
        scales=scales,
        crop=crop,
        crops=crops,
        by_hand=by_hand,
        left_out=unused,
    )
    plan = make_plan(found.listing.pictures, found.examined, sheet, matching, choices)
    plan = data_measuring.measured(plan, found)

    st.subheader("6 · Check before anything starts", anchor=False)
    findings = preflight(plan)
    data_report.show_findings(findings, found)
if plan is None or findings is None or rule is None:
    st.stop()

st.subheader("7 · Make the data set", anchor=False)
with st.form("data_form"):
    name = st.text_input("Name", placeholder="Castings, spring campaign", key="data_name")
    synthetic = st.checkbox("The pictures are simulated, not measured", key="data_synthetic")
    sent = st.form_submit_button(
        "Make the data set", type="primary", key="data_make", disabled=has_errors(findings)
    )
if sent and not name.strip():
    st.warning("Give the data set a name.")
elif sent:
    with errors.shown():
        folder = check_name(plain(name))
        bar = st.progress(0.0, "Writing…")
        record = {"table": sheet.name if sheet else None, "matching": asdict(rule)}
        record["measured"] = [column.name for column in plan.columns if column.derived]
        data = data_session.make(
            replace(plan, name=name.strip(), synthetic=synthetic),
            findings,
            data_folder(),
            folder,
            record,
            lambda done: bar.progress(done / len(plan.files), f"Picture {done}"),
        )
        logs.event(logger, "data_set", pictures=len(data), columns=len(data.columns))
        made = many(data.table["specimen"].nunique(), "specimen")
        st.session_state["data_made"] = f"{name.strip()} is made: {len(data)} pictures of {made}."
        data_session.begin_anew()
        st.rerun()
st.subheader("Data sets in the workspace", anchor=False)
data_report.show_data_sets()
