"""Batch evaluation: many micrographs or zips of them, a row each, as a table to take away."""

import time

import streamlit as st

from core.batch.table import batch_csv, batch_latents_csv
from core.measured_columns import KINDS as MEASURES
from dashboard import batches, components, errors, evaluation_card, state, uploads
from dashboard.errors import escape

KINDS = ["png", "jpg", "jpeg", "tif", "tiff", "bmp", "zip", "txt"]
REFRESH_S = 3.0
NOTHING = "nothing"
ROW_PX, HEADER_PX, MOST_ROWS = 84, 40, 8  # rows that the table shows without scrolling

model = components.current_model()
components.title("Batch evaluation", model)
st.write(
    "Drop many micrographs, or zips of them: each gets a row with the properties that it suggests, "
    "whether it is like anything the model knows, and its main descriptors."
)
properties = state.properties(model)
regressors = properties.regressors if properties else ()
reference = evaluation_card.reference(model)
if properties is None:
    rest = "descriptors are" if reference is None else "usual or unusual and descriptors are"
    st.info(f"This model predicts no properties; {rest} still told.")

uploads.tell_room()
with st.form("batch_form"):
    files = st.file_uploader(
        "Micrographs (PNG, JPEG, TIFF, BMP) or zips of them",
        KINDS,
        accept_multiple_files=True,
        key="batch_files",
        help="An information bar of the microscope is looked for and left out; Remarks say where. "
        "The text file that a JEOL or Hitachi microscope writes beside a picture gives its scale. "
        "Nothing is kept on the server.",
    )
    um_per_px = st.number_input(
        "Scale of all (µm per px), if you know it",
        value=None,
        min_value=0.0001,
        max_value=1000.0,
        format="%g",
        placeholder="as each file says",
        key="batch_um_per_px",
    )
    kinds = [*MEASURES, NOTHING]
    measured = st.selectbox(
        "Measure on each picture",
        kinds,
        kinds.index(state.measured_kind(model)),
        format_func=lambda kind: MEASURES.get(kind, kind),
        key=f"batch_measured_{model.id}",
        help="Graphite by the metallographers' standards needs the scale. Takes longer than the "
        "rest.",
    )
    sent = st.form_submit_button("Evaluate all", type="primary", key="batch_submit")
if sent and not files:
    st.warning("No file was chosen: drop micrographs or a zip into the field above.")
if sent and files:
    with errors.shown():
        uploads.check_total(files)
        given = [(f.name, f) for f in files]
        st.session_state["batch"] = batches.begin(
            model, given, um_per_px, None if measured == NOTHING else measured
        )
batch = st.session_state.get("batch")
if batch is None or batch.model_id != model.id:
    st.info(
        "Nothing is evaluated yet: choose files and press Evaluate all. On the command line: "
        f"`python -m core.evaluate_batch FILES --model {model.place} --out results.csv`"
    )
    st.stop()


def stop() -> None:
    """Leave the rest undone."""
    batch.stopped = True


scale = "as each file says" if batch.um_per_px is None else f"{batch.um_per_px:g} µm per px"
st.caption(f"Accepted: {len(batch.sources)} files, scale {scale}.")
working = st.empty()
table = st.empty()


def show() -> None:
    """Show the rows done so far."""
    if batch.rows:
        table.dataframe(
            batches.screen_table(batch.rows, regressors, batch.measured),
            column_config={
                "Picture": st.column_config.ImageColumn(pinned=True),
                "Remarks": st.column_config.TextColumn(width="medium"),
                "Distance (1 = limit)": st.column_config.NumberColumn(format="%.2f"),
                **{
                    name: st.column_config.NumberColumn(format="%.3g")
                    for name in batches.SHOWN[batch.measured]
                },
            },
            hide_index=True,
            height="content" if len(batch.rows) <= MOST_ROWS else HEADER_PX + MOST_ROWS * ROW_PX,
            row_height=ROW_PX,
            alt=batches.summary(batch.rows),
        )


if batch.pending:
    with working.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, width="stretch")
        st.button("Stop", key="batch_stop", on_click=stop)
shown_at = 0.0
with errors.shown():
    while batch.pending:
        done, total = len(batch.rows), len(batch.sources)
        bar.progress(done / total, f"{done + 1} of {total}: {escape(batch.pending[0].name)}")
        batches.do_next(model, properties, batch)
        if time.monotonic() - shown_at > REFRESH_S:
            show()
            shown_at = time.monotonic()
working.empty()
show()
if batch.stopped and len(batch.rows) < len(batch.sources):
    st.warning(f"Stopped: {len(batch.sources) - len(batch.rows)} files were not evaluated.")
if batch.rows:
    st.write(batches.summary(batch.rows))
    if told := batches.problems(batch.rows):
        st.markdown("\n".join(f"- {line}" for line in map(escape, told)))
    with st.container(horizontal=True):
        st.download_button(
            "Table (CSV)",
            lambda: batch_csv(batch.rows, regressors, model.cells).encode("utf-8-sig"),
            "batch.csv",
            "text/csv",
            key="batch_csv",
            on_click="ignore",
            help="With every descriptor, each interval's ends in columns of their own.",
        )
        st.download_button(
            "Latents (CSV)",
            lambda: batch_latents_csv(batch.rows).encode("utf-8-sig"),
            "batch_latents.csv",
            "text/csv",
            key="batch_latents",
            on_click="ignore",
            help="Mean latents of each micrograph.",
        )
