"""The latent map as a chart: a pure function from points to a Plotly figure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from dashboard.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, SLATE
from dashboard.wording import quantity, titled

WEBGL_FROM = 2000  # points; fewer are drawn as fast as vectors, and sharper
CATEGORIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, "#E69F00", "#F0E442")  # Okabe and Ito
OTHERS = "others"
OPACITY = 0.75
BAR_PX = 90  # that a bar of colours takes below the map


@dataclass(frozen=True, slots=True)
class Colouring:
    """What the points' colours say.

    Attributes:
        label: of what is coloured by.
        values: (N,) numbers, NaN where unknown, or texts.
        unit: of the numbers.
        others: legend of the texts that are left when the colours are used up; ``{count}`` stands
            for how many texts these are.
        told: whether the hover text gives the value; it gives the specimen's name anyway.
    """

    label: str
    values: np.ndarray
    unit: str = ""
    others: str = OTHERS
    told: bool = True

    @property
    def title(self) -> str:
        """Label and unit: ``Magnesium (wt%)``."""
        return titled(self)

    def said(self, row: int) -> str:
        """Return a point's value in words, with its unit: ``Magnesium: 0.034 wt%``."""
        value = self.values[row]
        if not np.issubdtype(self.values.dtype, np.number):
            return f"{self.label}: {value}"
        known = np.isfinite(value)
        return f"{self.label}: {quantity(float(value), self.unit) if known else 'not known'}"


def latent_map(
    points: np.ndarray,
    titles: tuple[str, str],
    names: Sequence[str],
    colouring: Colouring | None,
    marks: Sequence[tuple[str, int]],
) -> go.Figure:
    """Draw every patch as a point; ``customdata`` holds its row, from 0, for clicks.

    Args:
        points: (N, 2).
        titles: of the axes.
        names: (N,) of the specimens, for the hover text, which numbers patches from 1 as the
            page does.
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
                hovertext=[_hover(row, names, colouring) for row in rows],
                hovertemplate="%{hovertext}<extra></extra>",
                showlegend=bool(label),
            )
        )
    for place, (letter, row) in enumerate(marks):
        figure.add_trace(
            scatter(  # the same kind as the others: WebGL lies over vectors
                x=[points[row, 0]],
                y=[points[row, 1]],
                mode="markers+text",
                name=f"point {letter}",
                text=[letter],
                textposition="middle center",
                textfont={"size": 13, "color": "white", "weight": "bold"},
                customdata=[row],
                marker={
                    "size": 24,
                    "symbol": ("circle", "square")[place % 2],
                    "color": ("#000000", ORANGE)[place % 2],
                    "line": {"width": 2, "color": "white"},
                },
                hovertext=[f"point {letter}: {_hover(row, names, colouring)}"],
                hovertemplate="%{hovertext}<extra></extra>",
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
    if not any(trace.showlegend for trace in figure.data):
        _fix_margins(figure, bar=colouring is not None)
    return figure


def _fix_margins(figure: go.Figure, bar: bool) -> None:
    """Make the margins as wide as needed at once: where Plotly widens them, it draws all anew.

    Not where there is a legend, whose lines depend on the width of the window.

    Args:
        figure: the map.
        bar: whether a bar of colours stands below it.
    """
    below = BAR_PX if bar else 0
    margin = {"l": 65, "r": 15, "t": 30, "b": 60 + below, "autoexpand": False}
    figure.update_layout(height=470 + below, margin=margin)
    figure.update_xaxes(automargin=False)
    figure.update_yaxes(automargin=False)


def _hover(row: int, names: Sequence[str], colouring: Colouring | None) -> str:
    """Say which patch a point is, and the value that colours it."""
    patch = f"{names[row]}, patch {row + 1}"
    return patch if colouring is None or not colouring.told else f"{patch}<br>{colouring.said(row)}"


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
