"""Evaluate patches: what a micrograph is to the model, and the strengths that it suggests."""

import streamlit as st

from core.calibrate import describe
from dashboard import (
    components,
    errors,
    evaluation_card,
    evaluation_export,
    evaluations,
    results,
    state,
)

KINDS = ["png", "jpg", "jpeg", "tif", "tiff", "bmp"]
MOST = 12

model = components.current_model()
components.title("Evaluate patches", model)
st.write(
    "Upload micrographs: see what the model makes of them, which properties they suggest, and "
    "whether they are like anything it has learned from."
)
properties = state.properties(model)
if properties is None:
    st.info(
        "**This model predicts no properties**: none were fitted, or its data set has no property "
        "with five labelled specimens. Everything else works. To fit them, then reload this page:"
    )
    st.code(f"python -m bayesnet.learn --model {model.folder}", language="bash")
reference = evaluation_card.reference(model)
regressors = properties.regressors if properties else ()
named = {r.column: r for r in regressors}

with st.form("evaluate_form"):
    files = st.file_uploader(
        "Micrographs (PNG, JPEG, TIFF or BMP)",
        KINDS,
        accept_multiple_files=True,
        key="evaluate_files",
        help="Crop the information bar of the microscope first. Files stay in this server's memory "
        "for your session only.",
    )
    um_per_px = st.number_input(
        "Scale (µm per px), if you know it",
        value=None,
        min_value=0.0001,
        max_value=1000.0,
        format="%g",
        placeholder="as the file says",
        key="evaluate_um_per_px",
        help="Goes before the scale in the files, for all of them.",
    )
    sent = st.form_submit_button("Evaluate", type="primary", key="evaluate_submit")

looks = [example.look for example in state.examples(model)]
if looks:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        look = st.selectbox("No micrograph at hand?", looks, key="evaluate_look", width=260)
        tried = st.button("Try an example", key="evaluate_example")
    if tried:
        st.session_state["evaluated"] = [(model.id, "example", look)]
if sent:
    st.session_state["evaluated"] = [
        (model.id, "upload", f.name, f.getvalue(), um_per_px) for f in files[:MOST]
    ]
    if len(files) > MOST:
        st.warning(
            f"{len(files)} files were chosen; the first {MOST} are evaluated. Send the rest after."
        )
    if not files:
        st.warning("No file was chosen: drop one or more micrographs into the field above.")
jobs = [job for job in st.session_state.get("evaluated", []) if job[0] == model.id]
if not jobs and not sent:
    st.info("Nothing is evaluated yet: choose files and press Evaluate, or try an example.")

done = []
for place, job in enumerate(jobs):
    name = f"{job[2]}"
    with errors.shown(), st.spinner(f"Evaluating {errors.escape(name)}…"):
        if job[1] == "example":
            found = evaluations.evaluate_example(model, job[2])
        else:
            found = evaluations.evaluate_upload(model, job[3], job[2], job[4])
        done.append((place, found))
if done:
    given = jobs[0][4] if jobs[0][1] == "upload" else model.um_per_px
    scale = "as each file says" if given is None else f"{given:g} µm per px"
    many = f"{len(done)} micrograph{'s' if len(done) > 1 else ''}"
    st.caption(f"Evaluated: {many}, scale {scale}.")
    for said in sorted({describe(regressor) for regressor in regressors}):
        st.caption(errors.escape(f"90 % intervals of properties: {said}."))
    st.download_button(
        "Results (CSV)",
        lambda: results.as_csv([found for _, found in done], regressors).encode("utf-8-sig"),
        "evaluation.csv",
        "text/csv",
        key="evaluate_csv",
        on_click="ignore",
    )
    files_of = [jobs[place][3] if jobs[place][1] == "upload" else None for place, _ in done]
    evaluation_export.offer(
        model, list(zip([f for _, f in done], files_of, strict=True)), regressors
    )
    reference = state.reference(model)
    slots = [
        evaluation_card.show(place, found, reference, named, model.um_per_px)
        for place, found in done
    ]
    for slot, (_, found) in zip(slots, done, strict=True):
        with slot, errors.shown():
            evaluation_card.similarity(model, found, reference)
