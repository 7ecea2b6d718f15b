"""Charts: pure functions from data to Plotly figures. Colours by Okabe and Ito; no backgrounds."""

import textwrap
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from bayesnet.network import Arc
from bayesnet.nodes import OUTCOMES, Node

BLUE, ORANGE, GREEN, SKY, PURPLE, GREY, SLATE, BROWN = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#56B4E9",
    "#CC79A7",
    "#8C8C8C",
    "#5F6B73",
    "#B8860B",
)
CONFIG = {"displayModeBar": False, "scrollZoom": False}


def style_scale(error: float, references: Mapping[str, float]) -> go.Figure:
    """Show a style error on one scale with its references.

    Args:
        error: relative style error of the micrograph.
        references: name -> relative style error of what it is compared with.
    """
    rows = [("this micrograph", error), *references.items()][::-1]
    figure = go.Figure()
    figure.add_bar(
        y=[_broken(name, 18) for name, _ in rows],
        x=[value for _, value in rows],
        orientation="h",
        marker={"color": [*[GREY] * len(references), BLUE]},
        text=[f"{value:.2f}" for _, value in rows],
        textposition="auto",
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    figure.update_xaxes(title="relative style error", rangemode="tozero")
    figure.update_yaxes(automargin=True)
    return laid_out(figure, 80 + 44 * len(rows))


def strongest(nodes: Sequence[Node], arcs: Sequence[Arc], share: float) -> list[Arc]:
    """Return the arcs with at least a share (0 to 1) of the strength of their tier's strongest.

    The tiers are process to latents, latents to descriptors and latents to properties: a property
    hangs on many latents a little, a latent on few settings much.
    """
    role = {n.node: n.role for n in nodes}
    best: dict[str, float] = {}
    for arc in arcs:
        best[role[arc.child]] = max(best.get(role[arc.child], 0.0), abs(arc.weight))
    return [arc for arc in arcs if abs(arc.weight) >= share * best[role[arc.child]]]


def default_share(nodes: Sequence[Node], arcs: Sequence[Arc], most: int = 36) -> float:
    """Return the smallest share, in steps of 0.05, that leaves at most so many arcs."""
    shares = [step / 20 for step in range(21)]
    return next((s for s in shares if len(strongest(nodes, arcs, s)) <= most), 1.0)


def network_graph(nodes: Sequence[Node], shown: Sequence[Arc]) -> go.Figure:
    """Draw the network: settings, latents, and descriptors and properties from left to right.

    Args:
        nodes: of the network; latents without an arc are left out.
        shown: arcs to draw.
    """
    places = _places(nodes, shown)
    best = {tier: 0.0 for tier in (1.0, 2.0)}
    for arc in shown:
        tier = places[arc.child][0]
        best[tier] = max(best[tier], abs(arc.weight))
    figure = go.Figure()
    for name, colour, sign in (("rises with", BLUE, 1), ("falls with", ORANGE, -1)):
        some = [arc for arc in shown if arc.weight * sign > 0]
        for arc in some:
            width = 1 + 4 * abs(arc.weight) / best[places[arc.child][0]]
            figure.add_trace(_arc(arc, places, colour, width))
        if some:
            figure.add_scatter(
                x=[None], y=[None], mode="lines", line={"color": colour, "width": 3}, name=name
            )
    figure.add_trace(_hover(nodes, shown, places))
    roles = (("process", GREEN), ("latent", SLATE), ("descriptor", BROWN), ("property", PURPLE))
    for role, colour in roles:
        tier_nodes = [n for n in nodes if n.role == role and n.node in places]
        figure.add_trace(_tier(tier_nodes, places, colour))
    figure.update_xaxes(visible=False, range=[-0.6, 2.6], fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True, range=[-1.02, 0.07])
    described = any(n.role == "descriptor" for n in nodes)
    last = "<b>Structure and properties</b>" if described else "<b>Properties</b>"
    for tier, title in enumerate(("<b>Process</b>", "<b>Latents</b>", last)):
        figure.add_annotation(x=tier, y=0.05, text=title, showarrow=False)
    latents = sum(n.role == "latent" and n.node in places for n in nodes)
    return laid_out(figure, max(400, 110 + 28 * latents))


def _places(nodes: Sequence[Node], shown: Sequence[Arc]) -> dict[str, tuple[float, float]]:
    """Return (x, y) of every node that is drawn; latents stand near the setting they hang on."""
    process = [n.node for n in nodes if n.role == "process"]
    parent = {arc.child: arc for arc in sorted(shown, key=lambda a: abs(a.weight))}
    joined = {arc.parent for arc in shown} | {arc.child for arc in shown}

    def order(node: Node) -> tuple[float, float]:
        arc = parent.get(node.node)
        if arc is None or arc.parent not in process:
            return len(process) / 2, 0.0
        return process.index(arc.parent), -arc.weight

    latents = sorted((n for n in nodes if n.role == "latent" and n.node in joined), key=order)
    columns = (
        [n for n in nodes if n.role == "process"],
        latents,
        [n for n in nodes if n.role in OUTCOMES],
    )
    return {
        node.node: (float(tier), -(i + 0.5) / len(column))
        for tier, column in enumerate(columns)
        for i, node in enumerate(column)
    }


def _hover(
    nodes: Sequence[Node], shown: Sequence[Arc], places: Mapping[str, tuple[float, float]]
) -> go.Scatter:
    """Return invisible points in the middle of the arcs that say what the arcs are."""
    label = {n.node: n.label for n in nodes}
    ends = [(places[a.parent], places[a.child]) for a in shown]
    return go.Scatter(
        x=[(start[0] + end[0]) / 2 for start, end in ends],
        y=[(start[1] + end[1]) / 2 for start, end in ends],
        mode="markers",
        marker={"size": 9, "opacity": 0},
        text=[f"{label[a.parent]} → {label[a.child]}: {a.weight:+.2f} sd per sd" for a in shown],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
        name="arcs",
    )


def _arc(
    arc: Arc, places: Mapping[str, tuple[float, float]], colour: str, width: float
) -> go.Scatter:
    (x0, y0), (x1, y1) = places[arc.parent], places[arc.child]
    return go.Scatter(
        x=[x0, x1],
        y=[y0, y1],
        mode="lines",
        line={"color": colour, "width": width},
        opacity=0.75 if arc.significant else 0.3,
        showlegend=False,
        hoverinfo="skip",
    )


def _tier(
    nodes: Sequence[Node], places: Mapping[str, tuple[float, float]], colour: str
) -> go.Scatter:
    role = nodes[0].role if nodes else ""
    latent = role == "latent"
    sides = {"process": "middle left", "descriptor": "middle right", "property": "middle right"}
    position = sides.get(role, "middle center")
    return go.Scatter(
        x=[places[n.node][0] for n in nodes],
        y=[places[n.node][1] for n in nodes],
        mode="markers+text",
        text=[n.node if latent else _broken(n.label) for n in nodes],
        textposition=position,
        textfont={"color": "white", "size": 10} if latent else None,
        marker={
            "color": colour,
            "size": 24 if latent else 18,
            "line": {"width": 1, "color": "white"},
        },
        hovertext=[f"{n.label}, {n.low:.4g} to {n.high:.4g} {n.unit}".rstrip() for n in nodes],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
        name=role,
        cliponaxis=False,
    )


def _broken(label: str, width: int = 12) -> str:
    """Return a label in lines of at most this many letters where its words allow it."""
    return "<br>".join(textwrap.wrap(label, width, break_long_words=False)) or label


def laid_out(figure: go.Figure, height: int) -> go.Figure:
    """Set the height, margins and legend that all charts share."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hoverlabel={"namelength": -1},
    )
    return figure
