"""Evaluate patches: what a micrograph is to the model, and the strengths that it suggests."""

import streamlit as st

from core.calibrate import intervals_from
from core.info_bar import without_info_bar
from dashboard import (
    address,
    components,
    descriptor_card,
    errors,
    evaluate_form,
    evaluation_card,
    evaluation_export,
    evaluations,
    info_bar_form,
    measurements,
    similarity_card,
    state,
    uploads,
    waiting,
)
from dashboard.evaluations import Job

MOST = 12

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

asked = evaluate_form.ask(model)

looks = [example.look for example in state.examples(model)]
wanted = address.restored("evaluate", ["example"]).get("example")
if looks:
    st.session_state.setdefault("evaluate_look", wanted if wanted in looks else looks[0])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        look = st.selectbox("No micrograph at hand?", looks, key="evaluate_look", width=260)
        tried = st.button("Try an example", key="evaluate_example")
    if tried or ("evaluated" not in st.session_state and wanted in looks):
        st.session_state["evaluated"] = [Job(model.id, look if tried else str(wanted))]
jobs = evaluations.shown(model)
if asked.sent and asked.files:
    info_bar_form.forget()
    st.session_state["evaluated"] = []
    with errors.shown():
        uploads.check_total([f for pair in asked.files for f in pair if f])
        st.session_state["evaluated"] = [
            Job(model.id, f.name, f.getvalue(), asked.um_per_px, text and text.getvalue())
            for f, text in asked.files[:MOST]
        ]
    if (count := len(asked.files)) > MOST:
        st.warning(
            f"{count} files were chosen; the first {MOST} are evaluated. Send the rest after."
        )
elif asked.sent and jobs:  # what is on the screen, as the form says now
    st.session_state["evaluated"] = [job.at(asked.um_per_px) for job in jobs]
elif asked.sent:
    st.warning("No file was chosen: drop one or more micrographs into the field above.")
examples = [job.name for job in st.session_state.get("evaluated", []) if job.data is None]
address.keep("evaluate", {"example": examples[0] if examples else None})
jobs = evaluations.shown(model)
if not jobs and not asked.sent:
    st.info("Nothing is evaluated yet: choose files and press Evaluate, or try an example.")

done, measured, structures = [], [], {}
for place, job in enumerate(jobs):
    source = found = None
    with errors.shown(), waiting.working(f"Evaluating {errors.escape(job.name)}…"):
        source = evaluations.read(model, job)
        micrograph = without_info_bar(source.micrograph, info_bar_form.chosen(job, source))
        found = evaluations.evaluate(model, micrograph, job.data is not None)
        if asked.graphite:
            with errors.shown():
                measured.append((place, measurements.measure(micrograph, job.data is not None)))
        if asked.structure:
            with errors.shown():
                structures[place] = measurements.structure(micrograph, job.data is not None)
        seen = measurements.seen(micrograph, dict(measured).get(place), structures.get(place))
        found = evaluations.with_structure(found, properties, seen)
        done.append((place, job, source, found))
    if source and not found:  # it may be the rows left out that made it fail
        info_bar_form.show(place, job, source)
if done:
    found = [one for *_, one in done]
    sized = [one for _, one in measured]
    pooled = None
    if asked.together and len(done) > 1:
        if len(sized) == len(done):
            with errors.shown():
                pooled = measurements.together(sized)
        evaluation_card.show_together(properties, found, named, pooled)
        if pooled is not None:
            descriptor_card.show_together(sized, pooled)
    given = jobs[0].um_per_px if jobs[0].data is not None else model.um_per_px
    scale = "as each file says" if given is None else f"{given:g} µm per px"
    many = f"{len(done)} micrograph{'s' if len(done) > 1 else ''}"
    st.caption(f"Evaluated: {many}, scale {scale}.")
    for said in sorted(set(intervals_from(properties).values()) if properties else ()):
        st.caption(errors.escape(f"90 % intervals of properties: {said}."))
    others = [
        (job.name, source.micrograph.um_per_px, structures[place])
        for place, job, source, _ in done
        if place in structures
    ]
    evaluation_card.downloads(found, regressors, sized, pooled, others, model)
    graphs, slots = dict(measured), []
    reported = [
        (one, job.data, graphs.get(place), structures.get(place)) for place, job, _, one in done
    ]
    similar: dict[int, list[dict[str, str]]] = {}
    evaluation_export.offer(model, reported, similar, properties)
    for place, job, source, one in done:
        with evaluation_card.show(place, one, reference, named, model.um_per_px):
            info_bar_form.show(place, job, source)
            if place in graphs:
                descriptor_card.show(place, graphs[place], source.scale_from)
            if place in structures:
                um_per_px = source.micrograph.um_per_px
                descriptor_card.show_structure(structures[place], um_per_px, source.scale_from)
            slots.append(st.container())
    for place, (slot, one) in enumerate(zip(slots, found, strict=True)):
        with slot, errors.shown():
            similar[place] = similarity_card.show(model, one, reference)
