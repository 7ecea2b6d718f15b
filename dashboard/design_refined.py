"""The refined design: asked for by a button, shown with what it improved."""

import streamlit as st

from bayesnet.design import Design
from bayesnet.network import Network
from bayesnet.ranking import residuals, worst
from bayesnet.refine import ENOUGH, STEPS, Refinement
from core.images import encode_png
from dashboard import design_request, designs, pictures, waiting
from dashboard.design_request import DesignRequest
from dashboard.design_result import description, designed_for
from dashboard.errors import escape
from dashboard.state import Model
from dashboard.wording import interval, number, quantity, readers, shortfall, unbroken, wished


def offer(
    design: Design, request: DesignRequest, model: Model, network: Network
) -> Refinement | None:
    """Offer to refine the design, and return it refined where that was asked for."""
    residual = worst(residuals(network, design.answer.conditioned_on, design.main.predicted))
    if st.query_params.get("refined") == "1":
        design_request.refine(model.id, request)
    if not design_request.to_be_refined(model.id, request):
        seconds = STEPS * (design.seconds["decode"] + design.seconds["read_back"])
        if st.button(
            "Refine",
            key="design_refine",
            help="Moves the latents until what is read back from the picture meets the target; "
            f"at most {STEPS} more pictures.",
        ):
            design_request.refine(model.id, request)
        else:
            near = " It reads near its target already." if residual <= ENOUGH else ""
            st.caption(f"Refining takes up to {number(max(seconds, 1.0), 2)} s here.{near}")
            return None
    st.query_params["refined"] = "1"
    with waiting.working("Refining: synthesising and reading back…"):
        return designs.refined(model, request)


def show(found: Refinement, design: Design, model: Model, network: Network) -> None:
    """Show the refined picture with what is read back from it, before and after."""
    st.subheader("Refined design", anchor=False)
    if not found.improved:
        st.info(
            f"None of {len(found.attempts) - 1} pictures reads nearer to the target than the "
            f"first, whose residual is {found.before:.2f}."
            if len(found.attempts) > 1
            else f"There is nothing to refine: its residual is {found.before:.2f}."
        )
        return
    left, right = st.columns([11, 10], gap="medium")
    left.image(
        pictures.with_scale_bar(found.picture.pixels, model.um_per_px),
        width="stretch",
        output_format="PNG",
        alt="Refined micrograph",
    )
    wanted, first = designed_for(design.answer), found.attempts[0].predicted
    rows = []
    for node in network.outcomes:
        if node.column not in found.picture.predicted:
            continue
        now, wish = found.picture.predicted[node.column], wanted.get(node.column)
        before = first.get(node.column)
        rows.append(
            {
                "Read back": node.label,
                "Target": "none" if wish is None else unbroken(wished(wish, node.unit)),
                "Before": (
                    unbroken(quantity(before.value, node.unit)) if before else "not measurable"
                ),
                "Refined": unbroken(quantity(now.value, node.unit)),
                "90 % interval": interval(now, node.unit),
                "Difference": "" if wish is None else shortfall(now.value, wish, node.unit),
            }
        )
    right.table(rows, hide_index=True)
    told = readers(found.picture.reading, {n.column: n for n in network.outcomes})
    right.caption(
        f"Residual {found.before:.2f} before, {found.residual:.2f} refined, after "
        f"{len(found.attempts) - 1} more pictures in {found.seconds:.1f} s. " + escape(told)
    )
    said = f"{description(design, model)}; refined"
    right.download_button(
        "Refined picture (PNG)",
        lambda: encode_png(found.picture.pixels, model.um_per_px, {"Description": said}),
        "refined_design.png",
        "image/png",
        key="design_refined_png",
        on_click="ignore",
    )
