"""Evaluate patches: what a micrograph is to the model, and the strengths that it suggests."""

import streamlit as st

from core.calibrate import describe
from core.info_bar import without_info_bar
from dashboard import (
    address,
    components,
    descriptor_card,
    errors,
    evaluation_card,
    evaluation_export,
    evaluations,
    info_bar_form,
    measurements,
    state,
    uploads,
    waiting,
)
from dashboard.evaluations import Job

KINDS = ["png", "jpg", "jpeg", "tif", "tiff", "bmp"]
MOST = 12
SINGLY, TOGETHER = "specimens of their own", "fields of one specimen"

model = components.current_model()
components.title("Evaluate patches", model)
st.write(
    "Upload micrographs: see what the model makes of them, which properties they suggest, whether "
    "they are like anything it has learned from, and what a metallographer would measure on them."
)
properties = state.properties(model)
if properties is None:
    st.info(
        "**This model predicts no properties**: none were fitted, or its data set has no property "
        "with five labelled specimens. Everything else works. To fit them, then reload this page:"
    )
    st.code(f"python -m bayesnet.learn --model {model.place}", language=None, wrap_lines=True)
reference = evaluation_card.reference(model)
regressors = properties.regressors if properties else ()
named = {r.column: r for r in regressors}

with st.form("evaluate_form"):
    files = st.file_uploader(
        "Micrographs (PNG, JPEG, TIFF or BMP)",
        KINDS,
        accept_multiple_files=True,
        key="evaluate_files",
        help="An information bar of the microscope is looked for and left out; you can change what "
        "is. Files stay in this server's memory for your session only.",
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
    several = st.radio(
        "Several files are",
        [SINGLY, TOGETHER],
        horizontal=True,
        key="evaluate_several",
        help="Fields of one specimen are also pooled, with intervals from field to field.",
    )
    graphite = st.toggle(
        "Measure graphite",
        value=reference.graphite,
        key="evaluate_graphite",
        help="Area, count, sizes, nodularity (ISO 945-4, JIS G5502): for cast irons with graphite.",
    )
    sent = st.form_submit_button("Evaluate", type="primary", key="evaluate_submit")

looks = [example.look for example in state.examples(model)]
asked = address.restored("evaluate", ["example"]).get("example")
if looks:
    st.session_state.setdefault("evaluate_look", asked if asked in looks else looks[0])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        look = st.selectbox("No micrograph at hand?", looks, key="evaluate_look", width=260)
        tried = st.button("Try an example", key="evaluate_example")
    if tried or ("evaluated" not in st.session_state and asked in looks):
        st.session_state["evaluated"] = [Job(model.id, look if tried else str(asked))]
if sent:
    info_bar_form.forget()
    st.session_state["evaluated"] = []
    with errors.shown():
        uploads.check_total(files)
        st.session_state["evaluated"] = [
            Job(model.id, f.name, f.getvalue(), um_per_px) for f in files[:MOST]
        ]
    if len(files) > MOST:
        st.warning(
            f"{len(files)} files were chosen; the first {MOST} are evaluated. Send the rest after."
        )
    if not files:
        st.warning("No file was chosen: drop one or more micrographs into the field above.")
examples = [job.name for job in st.session_state.get("evaluated", []) if job.data is None]
address.keep("evaluate", {"example": examples[0] if examples else None})
jobs = [job for job in st.session_state.get("evaluated", []) if job.model_id == model.id]
if not jobs and not sent:
    st.info("Nothing is evaluated yet: choose files and press Evaluate, or try an example.")

done, measured = [], []
for place, job in enumerate(jobs):
    source = found = None
    with errors.shown(), waiting.working(f"Evaluating {errors.escape(job.name)}…"):
        source = evaluations.read(model, job)
        micrograph = without_info_bar(source.micrograph, info_bar_form.chosen(job, source))
        found = evaluations.evaluate(model, micrograph, job.data is not None)
        done.append((place, job, source, found))
        if graphite:
            with errors.shown():
                measured.append((place, measurements.measure(micrograph, job.data is not None)))
    if source and not found:  # it may be the rows left out that made it fail
        info_bar_form.show(place, job, source)
if done:
    found = [one for *_, one in done]
    sized = [one for _, one in measured]
    pooled = None
    if several == TOGETHER and len(done) > 1:
        evaluation_card.show_together(properties, found, named)
        if len(sized) == len(done):
            with errors.shown():
                pooled = measurements.together(sized)
                descriptor_card.show_together(sized, pooled)
    given = jobs[0].um_per_px if jobs[0].data is not None else model.um_per_px
    scale = "as each file says" if given is None else f"{given:g} µm per px"
    many = f"{len(done)} micrograph{'s' if len(done) > 1 else ''}"
    st.caption(f"Evaluated: {many}, scale {scale}.")
    for said in sorted({describe(regressor) for regressor in regressors}):
        st.caption(errors.escape(f"90 % intervals of properties: {said}."))
    evaluation_card.downloads(found, regressors, sized, pooled, model)
    files_of = [job.data for _, job, _, _ in done]
    evaluation_export.offer(model, list(zip(found, files_of, strict=True)), regressors)
    graphs, slots = dict(measured), []
    for place, job, source, one in done:
        with evaluation_card.show(place, one, reference, named, model.um_per_px):
            info_bar_form.show(place, job, source)
            if place in graphs:
                descriptor_card.show(place, graphs[place], source.scale_from)
            slots.append(st.container())
    for slot, one in zip(slots, found, strict=True):
        with slot, errors.shown():
            evaluation_card.similarity(model, one, reference)
