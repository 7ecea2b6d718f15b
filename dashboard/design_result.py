"""What is shown of a design: verdict, field, tables, map and further samples."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import streamlit as st

from bayesnet.demands import Wish, parse_demand
from bayesnet.design import Design, Proposal
from bayesnet.feasibility import Feasibility
from bayesnet.network import Network
from bayesnet.query import Answer
from bayesnet.ranking import WITHIN, chance, residuals, worst
from bayesnet.refine import Refinement
from bayesnet.samples import Sample
from core.images import encode_png
from dashboard import components, design_export, design_ranking, measured_back, pictures
from dashboard.design_request import DesignRequest, in_address
from dashboard.errors import escape
from dashboard.state import Model
from dashboard.wording import interval, listed, quantity, readers

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
    named = {n.column: n for n in network.outcomes}
    if found.ways_out:
        ways = [
            f"{escape(named[n].label)} could be {quantity(a, '')} to {quantity(b, named[n].unit)}"
            for n, (a, b) in found.ways_out.items()
        ]
        st.caption("If one requirement gives way and the rest is kept: " + ", or ".join(ways) + ".")
    if found.verdict == "infeasible" and found.nearest:
        nearest = listed(rounded(found.nearest), named)
        st.button(f"Use {nearest}", key="design_use_nearest", on_click=use_nearest)
        st.caption("Everything below is designed for this nearest feasible target.")


def stands_in(answer: Answer) -> bool:
    """Return whether the design is made for the nearest feasible target, not for that asked for."""
    found = answer.feasibility
    return found.verdict == "infeasible" and found.nearest is not None


def rounded(values: Mapping[str, Wish]) -> dict[str, Wish]:
    """Return values with four digits, as they are offered and asked for; the rest as it is."""
    return {n: float(f"{v:.4g}") if isinstance(v, float) else v for n, v in values.items()}


def designed_for(answer: Answer) -> dict[str, Wish]:
    """Return what the picture was made for: the targets, or the nearest feasible ones, rounded.

    As high as possible is the value that it came to.
    """
    return rounded(answer.conditioned_on) if stands_in(answer) else dict(answer.conditioned_on)


def field(proposal: Proposal, model: Model, network: Network) -> None:
    """Show the synthesised field with its scale bar."""
    asked = listed(designed_for(proposal.answer), {n.column: n for n in network.outcomes})
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
    found: tuple[tuple[Sample, ...], int],
    request: DesignRequest,
    model: Model,
    network: Network,
    refined: Refinement | None = None,
) -> None:
    """Offer the field as PNG, the whole design as JSON, further files, and to save it."""
    made_for, said = designed_for(design.answer), description(design, model)
    parts = [f"{name}{in_address(wish)}" for name, wish in made_for.items()]
    stem = "_".join(["design", *parts, f"seed{request.seed}"])
    whole = replace(design, samples=found[0], dropped=found[1])

    def as_png() -> bytes:
        return encode_png(design.main.pixels, design.um_per_px, {"Description": said})

    def as_json() -> str:
        content = {"description": said, **whole.to_json()}
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
    better = refined if refined is not None and refined.improved else None
    design_export.offer(whole, stem, model, network, better)


def description(design: Design, model: Model) -> str:
    """Say what a design is, for the files that hold its picture."""
    said = f"MicroDesign: {_plainly(designed_for(design.answer))}, seed {design.main.seed}"
    if stands_in(design.answer):
        said += f"; the nearest that is feasible to {_plainly(design.targets)}"
    if model.synthetic:
        said += f"; the model was trained on {model.synthetic_label}"
    return said


def _plainly(targets: Mapping[str, Wish]) -> str:
    return ", ".join(f"{name} {in_address(wish)}" for name, wish in targets.items())


def read_back(design: Design, network: Network) -> None:
    """Show targets beside what is predicted back from the picture."""
    named = {n.column: n for n in network.outcomes}
    st.subheader("Is it what was asked for?", anchor=False)
    components.estimates(
        design.main.predicted,
        named,
        "Read back from the picture",
        designed_for(design.answer),
        "Nearest feasible" if stands_in(design.answer) else "Target",
    )
    st.caption(_judged(design, network))
    if said := readers(design.main.reading, named):
        st.caption(escape(said))
    if said := measured_back.told(design, network):
        st.caption(escape(said))


def recipe(design: Design, network: Network) -> None:
    """Show the recommended process settings."""
    named = {n.column: n for n in network.process}
    if design.answer.process:
        st.subheader("How to make it", anchor=False)
        components.estimates(design.answer.process, named, "Process setting")
        if any(setting.low is not None for setting in design.answer.process.values()):
            st.caption(
                "Intervals: what specimens of such properties were made with, each setting by "
                "itself. Settings go together: moving one within its interval asks for others to "
                "follow."
            )


def _judged(design: Design, network: Network) -> str:
    """Say how near the picture reads to the target, and how sure limits and ranges are met."""
    wanted, predicted = design.answer.conditioned_on, design.main.predicted
    said = residual_words(worst(residuals(network, wanted, predicted)))
    for node in network.outcomes:
        if node.column in wanted and node.column in predicted:
            met = chance(parse_demand(wanted[node.column], ""), predicted[node.column])
            if met is not None:
                said += (
                    f" {escape(node.label)} meets its limits with a chance of {100 * met:.0f} %."
                )
    return said


def residual_words(residual: float) -> str:
    """Say what a residual means."""
    where = "inside" if residual <= WITHIN else "outside"
    return (
        f"Residual {residual:.2f}: the worst of the targets lies {where} the 90 % interval "
        "(1 is its end, 0 its middle)."
    )


def more(
    found: tuple[tuple[Sample, ...], int],
    design: Design,
    network: Network,
    refined: Refinement | None = None,
) -> None:
    """Show further samples, with what is read back from each, and rank all designs together.

    Args:
        found: the samples, the nearest to the target first, and how many were dropped.
        design: the most probable microstructure; network: of the model.
        refined: the refined design, where it was asked for.
    """
    samples, dropped = found
    if dropped:
        st.caption(
            f"{dropped} of {dropped + len(samples)} further samples read back too far from the "
            "target, even refined, and are left out."
        )
    if not samples:
        return
    design_ranking.show(samples, design, network, refined)
    _gallery(samples, dropped, design, network)


def _gallery(samples: Sequence[Sample], dropped: int, design: Design, network: Network) -> None:
    """Show the samples beside each other."""
    named = {n.column: n for n in network.outcomes}
    # As many columns as were drawn: what is left of them is not blown up.
    columns = st.columns(len(samples) + dropped)
    for place, (column, sample) in enumerate(zip(columns, samples, strict=False), start=1):
        back = ", ".join(
            f"{named[name].label.lower()} {quantity(value.value, named[name].unit)} "
            f"({interval(value, named[name].unit)})"
            for name, value in sample.picture.predicted.items()
            if name in named
        )
        refined = "; refined" if sample.refined else ""
        column.image(
            pictures.with_scale_bar(sample.picture.pixels, design.um_per_px),
            caption=f"Sample {place}; read back from it, 90 % interval in brackets: {back}; "
            f"residual {sample.residual:.2f}{refined}",
            width="stretch",
            output_format="PNG",  # no JPEG blur on micrographs
            alt=f"Sample {place} for the same target",
        )
