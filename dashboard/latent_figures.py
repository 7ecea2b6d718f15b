"""Charts of what latents do: pure functions from labels to Plotly figures."""

import plotly.graph_objects as go

from core.labels import Direction, Labels, Quantity
from dashboard.figures import BLUE, GREY, SKY


def traversal_curve(labels: Labels, direction: Direction, quantity: Quantity) -> go.Figure:
    """Show a descriptor along a traversal: the mean of the starts, and 80 % of them.

    Each start's own level is replaced by the level of all, so that the band shows how differently
    the starts answer to z.

    Args:
        labels: with the values of z.
        direction: with a curve of the quantity.
        quantity: what is shown.
    """
    curve, values = direction.curves[quantity.name], labels.plan["values"]
    figure = go.Figure()
    figure.add_scatter(
        x=[*values, *values[::-1]],
        y=[*curve.high, *curve.low[::-1]],
        fill="toself",
        fillcolor=SKY,
        opacity=0.35,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        name="80 % of the starts",
    )
    figure.add_scatter(
        x=values,
        y=curve.mean,
        mode="lines+markers",
        line={"color": BLUE},
        name="mean of the starts",
        hovertemplate="%{x:+.1f}: %{y:.3g} " + quantity.unit + "<extra></extra>",
    )
    for end in (direction.low, direction.high):
        figure.add_vline(x=end, line={"color": GREY, "dash": "dot"})
    figure.update_xaxes(title=f"{direction.name} (dotted: 5 and 95 % of the training patches)")
    figure.update_yaxes(title=f"{quantity.label} ({quantity.unit})")
    figure.update_layout(
        height=340,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
    )
    return figure
