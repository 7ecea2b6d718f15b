"""Inverse design: target properties in; microstructure, process settings and verdict out."""

from dataclasses import replace

import streamlit as st

from bayesnet.unit_slips import unit_slips
from dashboard import (
    components,
    design_form,
    design_map,
    design_reasons,
    design_refined,
    design_request,
    design_result,
    designs,
    waiting,
)
from dashboard.errors import escape

model = components.current_model()
components.title("Inverse design", model)
network = components.fitted_network(model)
if not network.properties:
    st.info(
        "**There is nothing to design for**: the data set behind this model's network has no "
        "property with five labelled specimens. Add a property column, such as `uts_mpa`, to its "
        "manifest, then encode the data set and fit the network again, and reload:"
    )
    components.refit_commands(model)
    st.stop()
request, notes = design_request.current(model.id, network)
for note in notes:
    st.warning(escape(note))
asked = design_form.ask(network, request, model.um_per_px)
if asked is not None:
    request = asked
    design_request.store(model.id, request)
design_request.show_in_address(request)
st.caption(f"Accepted: {escape(design_form.accepted(network, request))}")
for slip in unit_slips(network, dict(request.targets)):
    st.warning(f"**Another unit?** {escape(slip)}.")

fit = designs.fit_key(model)
with waiting.working("Designing: asking the network, synthesising…"):
    proposal = designs.propose(model, request)


def use_nearest() -> None:
    """Ask for the nearest feasible target instead."""
    nearest = design_result.rounded(proposal.answer.feasibility.nearest or {})
    targets = tuple((name, nearest.get(name, value)) for name, value in request.targets)
    design_request.replace(model.id, replace(request, targets=targets))


design_result.verdict(proposal.answer.feasibility, network, use_nearest)
left, right = st.columns([11, 10], gap="medium")
with left:
    design_result.field(proposal, model, network)
    download_place = st.container()
with right:
    with waiting.working("Reading the picture back…"):
        design = designs.design(model, request)
    design_result.read_back(design, network)
    refined = design_refined.offer(design, request, model, network)
    design_result.recipe(design, network)
if refined is not None:
    design_refined.show(refined, design, model, network)
design_map.show(model, network, request, design, refined.picture if refined else None)

st.subheader("More that should do the same", anchor=False)
with waiting.working("Synthesising further samples…"):
    samples = designs.design_samples(model, request)
design_result.more(samples, design, network, refined)
if (
    designs.fit_key(model) != fit
):  # fitted anew while this page waited: parts of it are of both fits
    st.rerun()
with download_place:
    design_result.downloads(design, samples, request, model, network, refined)
design_reasons.differences(model, request, network)
design_reasons.next_tests(model, request, network)
