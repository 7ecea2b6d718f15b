"""The map of two properties: what the data support, the specimens, target and designs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from bayesnet.feasibility import FEASIBLE, LIMIT
from bayesnet.reachable import Region
from dashboard.figures import GREEN, GREY, laid_out

FILL = "rgba(86, 180, 233, 0.3)"  # SKY, seen through


@dataclass(frozen=True, slots=True)
class Marked:
    """A point, or what is asked as an interval on each axis, to mark in the map.

    ``x`` and ``y`` are (low, high), equal for a point, infinite where open.
    """

    name: str
    x: tuple[float, float]
    y: tuple[float, float]
    colour: str
    symbol: str

    @property
    def point(self) -> bool:
        """Whether it is one point."""
        return self.x[0] == self.x[1] and self.y[0] == self.y[1]


def region_map(
    known: np.ndarray,
    names: Sequence[str],
    titles: tuple[str, str],
    marks: Sequence[Marked],
    region: Region,
) -> go.Figure:
    """Show where targets and designs lie in what the data support, in two properties.

    Args:
        known: (S, 2) properties of the specimens, NaN where unknown.
        names: (S,) specimen names, for the hover text.
        titles: labels with units of the two axes.
        marks: points and asked intervals, drawn over the specimens.
        region: the verdict over the two properties.
    """
    figure = go.Figure()
    _shade(figure, region)
    figure.add_scatter(
        x=known[:, 0],
        y=known[:, 1],
        mode="markers",
        name="specimens",
        text=list(names),
        marker={"color": GREY, "size": 6, "opacity": 0.6},
        hovertemplate="%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
    )
    for mark in marks:
        if mark.point:
            _point(figure, mark)
        else:
            _interval(figure, mark, region)
    figure.update_xaxes(title=titles[0], range=_range(region.x, [m.x for m in marks]))
    figure.update_yaxes(title=titles[1], range=_range(region.y, [m.y for m in marks]))
    return laid_out(figure, 380)


def _shade(figure: go.Figure, region: Region) -> None:
    """Fill what is feasible, and draw where support ends."""
    for level, fill, name in ((FEASIBLE, True, "feasible"), (LIMIT, False, "end of support")):
        for i, outline in enumerate(region.outlines(level)):
            figure.add_scatter(
                x=outline[:, 0],
                y=outline[:, 1],
                mode="lines",
                fill="toself" if fill else None,
                fillcolor=FILL,
                line={"color": GREEN, "width": 1.5, "dash": "solid" if fill else "dot"},
                name=name,
                legendgroup=name,
                showlegend=i == 0,
                hoverinfo="skip",
            )


def _point(figure: go.Figure, mark: Marked) -> None:
    figure.add_scatter(
        x=[mark.x[0]],
        y=[mark.y[0]],
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


def _interval(figure: go.Figure, mark: Marked, region: Region) -> None:
    """Draw what is asked as a frame, open ends at the edge of the map."""
    (left, right), (bottom, top) = (
        (max(low, float(values[0])), min(high, float(values[-1])))
        for (low, high), values in ((mark.x, region.x), (mark.y, region.y))
    )
    figure.add_scatter(
        x=[left, right, right, left, left],
        y=[bottom, bottom, top, top, bottom],
        mode="lines",
        name=mark.name,
        line={"color": mark.colour, "width": 2},
        hovertemplate=f"{mark.name}<extra></extra>",
    )


def _range(values: np.ndarray, marked: Sequence[tuple[float, float]]) -> list[float]:
    """Return the axis range: the map's, and every finite mark with a margin."""
    ends = [end for pair in marked for end in pair if math.isfinite(end)]
    low, high = min([values[0], *ends]), max([values[-1], *ends])
    margin = 0.04 * (high - low)
    return [float(low - margin), float(high + margin)]
