"""Charts of a training run: pure functions from curves to Plotly figures."""

from collections.abc import Mapping

import plotly.graph_objects as go

from core.jobs.progress import Curve
from dashboard.figures import BLUE, ORANGE

HEIGHT_PX = 300


def error_curves(training: Mapping[str, Curve], validation: Mapping[str, Curve]) -> go.Figure:
    """Show the style error of training patches and of patches that are not trained on.

    Args:
        training: figures by name, of training batches.
        validation: of the fixed patches that the run is judged by.
    """
    figure = go.Figure()
    for curves, name, colour, mode in (
        (training, "training patches", BLUE, "lines"),
        (validation, "patches held out", ORANGE, "lines+markers"),
    ):
        if curve := curves.get("relative"):
            figure.add_scatter(
                x=curve.steps,
                y=curve.values,
                mode=mode,
                name=name,
                line={"color": colour, "width": 2},
                hovertemplate="step %{x}: %{y:.3f}<extra></extra>",
            )
    figure.update_yaxes(title="relative style error", rangemode="tozero")
    return _laid_out(figure)


def loss_curve(training: Mapping[str, Curve]) -> go.Figure:
    """Show what the training minimises."""
    figure = go.Figure()
    if curve := training.get("loss"):
        figure.add_scatter(
            x=curve.steps,
            y=curve.values,
            mode="lines",
            name="loss",
            line={"color": BLUE, "width": 2},
            hovertemplate="step %{x}: %{y:.4g}<extra></extra>",
        )
    figure.update_yaxes(title="loss (no unit)")
    return _laid_out(figure)


def _laid_out(figure: go.Figure) -> go.Figure:
    figure.update_xaxes(title="step of training")
    figure.update_layout(
        height=HEIGHT_PX,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        showlegend=True,
    )
    return figure
