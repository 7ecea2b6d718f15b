"""Charts: pure functions from data to Plotly figures. Colours by Okabe and Ito; no backgrounds."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from bayesnet.network import Arc
from bayesnet.nodes import Node

BLUE, ORANGE, GREEN, SKY, PURPLE, GREY, SLATE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#56B4E9",
    "#CC79A7",
    "#8C8C8C",
    "#5F6B73",
)
CONFIG = {"displayModeBar": False, "scrollZoom": False}


@dataclass(frozen=True, slots=True)
class Marked:
    """A point to mark in a chart: its name and its values on the two axes."""

    name: str
    x: float
    y: float
    colour: str
    symbol: str


def property_map(
    known: np.ndarray, names: Sequence[str], titles: tuple[str, str], marks: Sequence[Marked]
) -> go.Figure:
    """Show where targets and designs lie among the specimens, in two properties.

    Args:
        known: (S, 2) properties of the specimens, NaN where unknown.
        names: (S,) specimen names, for the hover text.
        titles: labels with units of the two axes.
        marks: points to mark, drawn over the specimens.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=known[:, 0],
        y=known[:, 1],
        mode="markers",
        name="specimens",
        text=list(names),
        marker={"color": GREY, "size": 7, "opacity": 0.55},
        hovertemplate="%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
    )
    for mark in marks:
        figure.add_scatter(
            x=[mark.x],
            y=[mark.y],
            mode="markers",
            name=mark.name,
            marker={
                "color": mark.colour,
                "size": 14,
                "symbol": mark.symbol,
                "line": {"width": 1, "color": "white"},
            },
            hovertemplate=f"{mark.name}<br>%{{x:.4g}}, %{{y:.4g}}<extra></extra>",
        )
    figure.update_xaxes(title=titles[0])
    figure.update_yaxes(title=titles[1])
    return _laid_out(figure, 340)


def style_scale(errors: Sequence[tuple[str, float]], references: Mapping[str, float]) -> go.Figure:
    """Show style errors of images on one scale with their references.

    Args:
        errors: (name, relative style error) an image.
        references: name -> relative style error of what it is compared with.
    """
    figure = go.Figure()
    rows = [*references.items()][::-1]
    figure.add_bar(
        y=[name for name, _ in rows],
        x=[value for _, value in rows],
        orientation="h",
        name="references",
        marker={"color": GREY, "opacity": 0.6},
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    figure.add_bar(
        y=[name for name, _ in errors][::-1],
        x=[value for _, value in errors][::-1],
        orientation="h",
        name="your images",
        marker={"color": BLUE},
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    figure.update_xaxes(title="relative style error (no unit; 0 = same style)", rangemode="tozero")
    figure.update_yaxes(automargin=True)
    return _laid_out(figure, 130 + 34 * (len(rows) + len(errors)))


def network_graph(nodes: Sequence[Node], arcs: Sequence[Arc], minimum: float) -> go.Figure:
    """Draw the network: process settings, latents and properties from left to right.

    Args:
        nodes: of the network; latents without a visible arc are left out.
        arcs: as the network gives them.
        minimum: arcs weaker than this are left out.
    """
    shown = [arc for arc in arcs if abs(arc.weight) >= minimum]
    joined = {arc.parent for arc in shown} | {arc.child for arc in shown}
    places = {}
    for tier, role in enumerate(("process", "latent", "property")):
        column = [n for n in nodes if n.role == role and (role != "latent" or n.node in joined)]
        for i, node in enumerate(column):
            places[node.node] = (float(tier), -(i + 0.5) / len(column))
    figure = go.Figure()
    for name, colour, sign in (("rises with", BLUE, 1), ("falls with", ORANGE, -1)):
        some = [arc for arc in shown if arc.weight * sign > 0]
        for arc in some:
            figure.add_trace(_arc(arc, places, colour))
        if some:
            figure.add_scatter(
                x=[None], y=[None], mode="lines", line={"color": colour, "width": 3}, name=name
            )
    labels = {n.node: n.label if n.role != "latent" else n.node for n in nodes}
    middle = [
        (labels[a.parent], labels[a.child], a.weight, *_between(places[a.parent], places[a.child]))
        for a in shown
    ]
    figure.add_scatter(
        x=[m[3] for m in middle],
        y=[m[4] for m in middle],
        mode="markers",
        marker={"size": 9, "opacity": 0},
        text=[f"{m[0]} → {m[1]}: {m[2]:+.2f} sd per sd" for m in middle],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
        name="arcs",
    )
    for role, colour in (("process", GREEN), ("latent", SLATE), ("property", PURPLE)):
        figure.add_trace(
            _tier([n for n in nodes if n.role == role and n.node in places], places, colour)
        )
    figure.update_xaxes(visible=False, range=[-0.35, 2.35], fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True, range=[-1.03, 0.06])
    latents = sum(n.role == "latent" and n.node in places for n in nodes)
    for tier, title in enumerate(("<b>Process</b>", "<b>Latents</b>", "<b>Properties</b>")):
        figure.add_annotation(x=tier, y=0.04, text=title, showarrow=False)
    return _laid_out(figure, max(380, 110 + 30 * latents))


def _between(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Return the middle of an arc, where its hover text sits."""
    return (start[0] + end[0]) / 2, (start[1] + end[1]) / 2


def _arc(arc: Arc, places: Mapping[str, tuple[float, float]], colour: str) -> go.Scatter:
    (x0, y0), (x1, y1) = places[arc.parent], places[arc.child]
    return go.Scatter(
        x=[x0, x1],
        y=[y0, y1],
        mode="lines",
        line={"color": colour, "width": 1 + 5 * min(abs(arc.weight), 1.0)},
        opacity=0.75 if arc.significant else 0.3,
        showlegend=False,
        hoverinfo="skip",
    )


def _tier(
    nodes: Sequence[Node], places: Mapping[str, tuple[float, float]], colour: str
) -> go.Scatter:
    role = nodes[0].role if nodes else ""
    return go.Scatter(
        x=[places[n.node][0] for n in nodes],
        y=[places[n.node][1] for n in nodes],
        mode="markers+text",
        text=[_broken(n.label) if n.role != "latent" else n.node for n in nodes],
        textposition="middle center" if role == "latent" else "top center",
        textfont={"color": "white", "size": 10} if role == "latent" else None,
        marker={
            "color": colour,
            "size": 24 if role == "latent" else 18,
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


def _laid_out(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hoverlabel={"namelength": -1},
    )
    return figure
