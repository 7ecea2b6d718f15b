"""What is shown of a design: verdict, field, tables, map and further samples."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from bayesnet.design import Design, Picture, Proposal
from bayesnet.feasibility import Feasibility
from bayesnet.network import Network
from bayesnet.query import Answer
from core.images import encode_png
from dashboard import components, design_export, figures, pictures
from dashboard.design_request import DesignRequest
from dashboard.errors import escape
from dashboard.state import Model
from dashboard.wording import listed, quantity, titled

VERDICTS = {
    "feasible": (st.success, "Feasible."),
    "borderline": (st.warning, "At the edge."),
    "infeasible": (st.error, "Not feasible."),
}


def verdict(found: Feasibility, network: Network, use_nearest: Callable[[], None]) -> None:
    """Say first whether the target can be met, and offer the nearest that can."""
    box, word = VERDICTS[found.verdict]
    with st.container(key="design_verdict"):
        box(f"**{word}** {escape(found.message)}")
    if found.verdict == "infeasible" and found.nearest:
        nearest = listed(rounded(found.nearest), {n.column: n for n in network.properties})
        st.button(f"Use {nearest}", key="design_use_nearest", on_click=use_nearest)
        st.caption("Everything below is designed for this nearest feasible target.")


def stands_in(answer: Answer) -> bool:
    """Return whether the design is made for the nearest feasible target, not for that asked for."""
    found = answer.feasibility
    return found.verdict == "infeasible" and found.nearest is not None


def rounded(values: dict[str, float]) -> dict[str, float]:
    """Return values with four digits, as they are offered and asked for."""
    return {name: float(f"{value:.4g}") for name, value in values.items()}


def designed_for(answer: Answer) -> dict[str, float]:
    """Return what the picture was made for: the targets, or the nearest feasible ones, rounded."""
    return rounded(answer.conditioned_on) if stands_in(answer) else answer.conditioned_on


def field(proposal: Proposal, model: Model, network: Network) -> None:
    """Show the synthesised field with its scale bar."""
    asked = listed(designed_for(proposal.answer), {n.column: n for n in network.properties})
    st.subheader("Synthesised microstructure", anchor=False)
    with st.container(key="design_field"):
        st.image(
            pictures.with_scale_bar(proposal.pixels, model.um_per_px),
            width="stretch",
            output_format="PNG",  # no JPEG blur on micrographs
            alt=f"Synthesised micrograph for {asked}",
        )


def downloads(
    design: Design,
    samples: Sequence[Picture],
    request: DesignRequest,
    model: Model,
    network: Network,
) -> None:
    """Offer the field as PNG, the whole design as JSON, further files, and to save it."""
    made_for = designed_for(design.answer)
    said = f"MicroDesign: {_plainly(made_for)}, seed {request.seed}"
    if stands_in(design.answer):
        said += f"; the nearest that is feasible to {_plainly(dict(request.targets))}"
    if model.synthetic:
        said += "; the model was trained on synthetic reference castings"
    stem = "_".join(["design", *(f"{n}{v:g}" for n, v in made_for.items()), f"seed{request.seed}"])

    def as_png() -> bytes:
        return encode_png(design.main.pixels, design.um_per_px, {"Description": said})

    def as_json() -> str:
        content = {"description": said, **replace(design, samples=tuple(samples)).to_json()}
        return json.dumps(content, indent=2, allow_nan=False)

    with st.container(horizontal=True):
        st.download_button(
            "Picture (PNG)",
            as_png,
            f"{stem}.png",
            "image/png",
            key="design_png",
            on_click="ignore",
            help="8-bit grey, without the bar; the scale is stored in the file. It tiles: opposite "
            "edges fit together.",
        )
        st.download_button(
            "Design (JSON)",
            as_json,
            f"{stem}.json",
            "application/json",
            key="design_json",
            on_click="ignore",
            help="Targets, verdict, process settings, latents and predictions.",
        )
    design_export.offer(design, samples, stem, model, network)


def _plainly(targets: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in targets.items())


def tables(design: Design, network: Network) -> None:
    """Show targets beside what is predicted back, and the recommended process settings."""
    named = {n.column: n for n in (*network.properties, *network.process)}
    st.subheader("Is it what was asked for?", anchor=False)
    components.estimates(
        design.main.predicted,
        named,
        "Read back from the picture",
        designed_for(design.answer),
        "Nearest feasible" if stands_in(design.answer) else "Target",
    )
    if design.answer.process:
        st.subheader("How to make it", anchor=False)
        components.estimates(design.answer.process, named, "Process setting")


def property_map(design: Design, request: DesignRequest, network: Network) -> None:
    """Show target and design among the data's specimens, in the first two properties."""
    if len(network.properties) < 2:
        return
    x, y = network.properties[:2]
    marks = []
    targets, back = dict(request.targets), design.main.predicted
    if {x.column, y.column} <= set(targets):
        marks.append(
            figures.Marked("target", targets[x.column], targets[y.column], figures.ORANGE, "x")
        )
    if {x.column, y.column} <= set(back):
        at = back[x.column].value, back[y.column].value
        marks.append(figures.Marked("this design", *at, figures.BLUE, "diamond"))
    st.plotly_chart(
        figures.property_map(
            np.asarray(network.support.properties)[:, :2],
            network.specimens,
            (titled(x), titled(y)),
            marks,
        ),
        key="design_map",
        config=figures.CONFIG,
        alt=f"{x.label} against {y.label}: specimens of the data, the target and this design",
    )


def more(samples: Sequence[Picture], um_per_px: float | None, network: Network) -> None:
    """Show further samples with what is predicted back from each."""
    named = {n.column: n for n in network.properties}
    for place, (column, sample) in enumerate(
        zip(st.columns(len(samples)), samples, strict=True), start=1
    ):
        back = ", ".join(
            f"{named[name].label.lower()} {quantity(found.value, named[name].unit)}"
            for name, found in sample.predicted.items()
            if name in named
        )
        column.image(
            pictures.with_scale_bar(sample.pixels, um_per_px),
            caption=f"Sample {place}; read back from it: {back}",
            width="stretch",
            output_format="PNG",  # no JPEG blur on micrographs
            alt=f"Sample {place} for the same target",
        )
