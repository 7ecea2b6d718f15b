"""The latent map as a chart: a pure function from points to a Plotly figure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from dashboard.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, SLATE

WEBGL_FROM = 10_000  # points; fewer are sharper as vectors
CATEGORIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, "#E69F00", "#F0E442")  # Okabe and Ito
OTHERS = "others"
OPACITY = 0.75


@dataclass(frozen=True, slots=True)
class Colouring:
    """What the points' colours say.

    Attributes:
        title: of the colours, with its unit.
        values: (N,) numbers, NaN where unknown, or texts.
        others: legend of the texts that are left when the colours are used up; ``{count}`` stands
            for how many texts these are.
    """

    title: str
    values: np.ndarray
    others: str = OTHERS


def latent_map(
    points: np.ndarray,
    titles: tuple[str, str],
    names: Sequence[str],
    colouring: Colouring | None,
    marks: Sequence[tuple[str, int]],
) -> go.Figure:
    """Draw every patch as a point.

    Args:
        points: (N, 2).
        titles: of the axes.
        names: (N,) of the specimens, for the hover text.
        colouring: what the colours say; None for grey.
        marks: (letter, row) of the points chosen.
    """
    scatter = go.Scattergl if len(points) > WEBGL_FROM else go.Scatter
    figure = go.Figure()
    for label, rows, marker in _groups(len(points), colouring):
        figure.add_trace(
            scatter(
                x=points[rows, 0],
                y=points[rows, 1],
                mode="markers",
                name=label,
                marker={"size": 6, "opacity": OPACITY, **marker},
                unselected={"marker": {"opacity": OPACITY}},  # a click dims nothing
                customdata=rows,
                text=[names[row] for row in rows],
                hovertemplate="%{text}, patch %{customdata}<extra></extra>",
                showlegend=bool(label),
            )
        )
    for place, (letter, row) in enumerate(marks):
        figure.add_trace(
            scatter(
                x=[points[row, 0]],
                y=[points[row, 1]],
                mode="markers+text",
                name=f"point {letter}",
                text=[letter],
                textposition="middle center",
                textfont={"size": 13, "color": "white", "weight": 700},
                customdata=[row],
                marker={
                    "size": 24,
                    "symbol": ("circle", "square")[place % 2],
                    "color": ("#000000", ORANGE)[place % 2],
                    "line": {"width": 2, "color": "white"},
                },
                hovertemplate=f"point {letter}<extra></extra>",
                showlegend=False,
            )
        )
    figure.update_xaxes(title=titles[0], zeroline=False)
    figure.update_yaxes(title=titles[1], zeroline=False, scaleanchor="x")
    figure.update_layout(
        height=520,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        clickmode="event+select",
    )
    return figure


def _groups(count: int, colouring: Colouring | None) -> list[tuple[str, np.ndarray, dict]]:
    """Return label, rows and marker of each trace."""
    every = np.arange(count)
    if colouring is None:
        return [("", every, {"color": SLATE})]
    values = colouring.values
    if np.issubdtype(values.dtype, np.number):
        known = np.isfinite(values.astype(float))
        marker = {
            "color": values[known].astype(float),
            "colorscale": "Cividis",
            "colorbar": {
                "title": {"text": colouring.title, "side": "top"},
                "orientation": "h",
                "y": -0.2,
                "yanchor": "top",
                "thickness": 12,
            },
        }
        groups = [("", every[known], marker)] if known.any() else []
        rest = [(f"{colouring.title}: not known", every[~known], {"color": GREY})]
        return groups + (rest if not known.all() else [])
    texts, counts = np.unique(values, return_counts=True)
    most_first = np.argsort(-counts, kind="stable")  # of equally many the first by name
    told = [str(t) for t in texts[most_first][: len(CATEGORIES)]]
    groups = [
        (text, every[values == text], {"color": colour})
        for text, colour in zip(told, CATEGORIES, strict=False)
    ]
    left = ~np.isin(values, told)
    rest = colouring.others.format(count=len(texts) - len(told))
    return groups + ([(rest, every[left], {"color": GREY})] if left.any() else [])
