"""The map on the design page: what the data support in two properties, target and designs."""

import numpy as np
import streamlit as st

from bayesnet.demands import parse_demand
from bayesnet.design import Design, Picture
from bayesnet.evidence import process_limits
from bayesnet.network import Network
from bayesnet.nodes import Node
from bayesnet.reachable import Region, design_range, feasible_region
from dashboard import address, figures, state, waiting
from dashboard.design_request import MAP_AXES, DesignRequest
from dashboard.region_figure import Marked, region_map
from dashboard.state import Model
from dashboard.wording import titled


def show(
    model: Model,
    network: Network,
    request: DesignRequest,
    design: Design,
    refined: Picture | None = None,
) -> None:
    """Show target and designs in what the data support, in two properties that can be chosen."""
    if len(network.properties) < 2:
        return
    st.subheader("What the data support", anchor=False)
    names = [n.column for n in network.properties]
    named = {n.column: n for n in network.properties}
    x, y = named[names[0]], named[names[1]]
    if len(names) > 2:
        left, right = st.columns(2)
        x = named[_axis(left, "Across", named, names, MAP_AXES[0])]
        rest = [name for name in names if name != x.column]
        y = named[_axis(right, "Upwards", named, rest, MAP_AXES[1])]
    with waiting.working("Working out what the data support…"):
        region = _region(model.key("network.json"), network, x.column, y.column, request)
    marks = _marks(request, design, refined, x, y)
    st.plotly_chart(
        region_map(
            np.asarray(network.support.properties)[:, network.outcome_places((x, y))],
            network.specimens,
            (titled(x), titled(y)),
            marks,
            region,
        ),
        key="design_map",
        config=figures.CONFIG,
        alt=f"{x.label} against {y.label}: what the data support, specimens, target and design",
    )
    asked = dict(request.targets)
    others = [n.label for n in network.outcomes if n.column in asked and n not in (x, y)]
    st.caption(
        "Shaded: feasible within the process limits asked for, by the same distance as the verdict"
        + (f", for these two alone: {', '.join(others)} may rule out more." if others else ".")
    )


def _axis(
    place: st.delta_generator.DeltaGenerator,
    label: str,
    named: dict[str, Node],
    names: list[str],
    parameter: str,
) -> str:
    """Ask for the property of an axis; the address keeps it."""
    with place:
        return address.selectbox(
            label,
            names,
            "inverse_design",
            parameter,
            f"design_{parameter}",
            format_func=lambda name: titled(named[name]),
        )


@st.cache_data(max_entries=16, show_spinner=False)
def _region(
    key: tuple[str, ...], _network: Network, x: str, y: str, request: DesignRequest
) -> Region:
    low, high = design_range(_network)
    asked = request.limits()
    for i, node in enumerate(_network.process):
        if node.column in asked:
            bottom, top, _ = process_limits(asked[node.column], node)
            low[i], high[i] = ((end - node.mean) / node.scale for end in (bottom, top))
    named = {n.column: n for n in _network.properties}
    with state.lock():
        return feasible_region(_network, named[x], named[y], low, high)


def _marks(
    request: DesignRequest, design: Design, refined: Picture | None, x: Node, y: Node
) -> list[Marked]:
    """Return the target, the nearest feasible one, and the designs as read back."""
    marks, targets = [], dict(request.targets)
    asked = [parse_demand(targets.get(n.column, (None, None)), n.column) for n in (x, y)]
    if {x.column, y.column} & set(targets):
        ends = [(demand.low, demand.high) for demand in asked]
        marks.append(Marked("target", *ends, figures.ORANGE, "x"))
    nearest = design.answer.feasibility.nearest or {}
    if {x.column, y.column} <= set(nearest):
        ends = [(nearest[n.column],) * 2 for n in (x, y)]
        marks.append(Marked("nearest feasible", *ends, figures.GREEN, "star"))
    for name, made, symbol in (
        ("this design", design.main, "diamond"),
        ("refined", refined, "diamond-open"),
    ):
        if made is not None and {x.column, y.column} <= set(made.predicted):
            ends = [(made.predicted[n.column].value,) * 2 for n in (x, y)]
            marks.append(Marked(name, *ends, figures.BLUE, symbol))
    return marks
