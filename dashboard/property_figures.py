"""Charts of the page *Structure-property*: pure functions from data to Plotly figures."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from core.property_points import Point
from dashboard.figures import BLUE, GREEN, ORANGE, PURPLE, SKY, SLATE, laid_out

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY)


def parity(points: Sequence[Point], title: str) -> go.Figure:
    """Show predicted against measured values, one point a specimen, with 90 % intervals.

    Args:
        points: at least one.
        title: the property with its unit.
    """
    true = [p.true for p in points]
    predicted = [p.predicted for p in points]
    figure = go.Figure()
    ends = [*true, *predicted]
    line = [min(ends), max(ends)]
    figure.add_scatter(
        x=line,
        y=line,
        mode="lines",
        name="predicted = measured",
        line={"color": SLATE, "dash": "dash", "width": 1},
        hoverinfo="skip",
    )
    error = None
    if all(p.low is not None and p.high is not None for p in points):
        error = {
            "type": "data",
            "array": [p.high - p.predicted for p in points if p.high is not None],
            "arrayminus": [p.predicted - p.low for p in points if p.low is not None],
            "color": SKY,
            "thickness": 1,
            "width": 0,
        }
    figure.add_scatter(
        x=true,
        y=predicted,
        error_y=error,
        mode="markers",
        name="specimen, 90 % interval" if error else "specimen",
        text=[p.specimen for p in points],
        marker={"color": BLUE, "size": 7},
        hovertemplate="%{text}<br>measured %{x:.4g}, predicted %{y:.4g}<extra></extra>",
    )
    figure.update_xaxes(title=f"Measured: {title}")
    figure.update_yaxes(title=f"Predicted: {title}")
    return laid_out(figure, 460)


def patch_histogram(
    predictions: Mapping[str, Sequence[float]], true: float, title: str
) -> go.Figure:
    """Show the predictions of a specimen's patches, their mean and the measured value.

    Args:
        predictions: what they are predicted from -> values, one a patch.
        true: the measured value.
        title: the property with its unit.
    """
    figure = go.Figure()
    every = np.concatenate([np.asarray(values, dtype=float) for values in predictions.values()])
    low, high = float(min(every.min(), true)), float(max(every.max(), true))
    size = max((high - low) / 24, 1e-9 * max(abs(high), 1.0))
    for place, (name, values) in enumerate(predictions.items()):
        colour = COLOURS[place % len(COLOURS)]
        figure.add_histogram(
            x=list(values),
            name=name,
            xbins={"start": low, "end": high + size, "size": size},
            marker={"color": colour},
            hovertemplate=f"{name}<br>%{{x}}: %{{y}} patches<extra></extra>",
        )
        _mark(figure, float(np.mean(values)), {"color": colour, "dash": "dot"})
    _mark(figure, true, {"color": SLATE, "width": 2})
    for name, line in (("mean", {"dash": "dot"}), ("measured", {"width": 2})):
        figure.add_scatter(
            x=[None], y=[None], mode="lines", name=name, line=line | {"color": SLATE}
        )
    figure.update_layout(barmode="group", bargap=0.1)
    figure.update_xaxes(title=f"Predicted from a patch:<br>{title}")
    figure.update_yaxes(title="Patches")
    return laid_out(figure, 340)


def _mark(figure: go.Figure, x: float, line: dict[str, object]) -> None:
    """Draw a vertical line; Plotly's own `add_vline` takes ten times as long."""
    figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="y domain", line=line)


def comparison(errors: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """Show the median error of every regressor, side by side by what it predicts from.

    Args:
        errors: representation -> regressor -> median error, %.
    """
    figure = go.Figure()
    for place, (name, values) in enumerate(errors.items()):
        figure.add_bar(
            x=list(values.values()),
            y=list(values),
            orientation="h",
            name=name,
            marker={"color": COLOURS[place % len(COLOURS)]},
            hovertemplate=f"{name}<br>%{{y}}: %{{x:.1f}} %<extra></extra>",
        )
    figure.update_layout(barmode="group")
    figure.update_xaxes(title="Median error (%)", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", automargin=True)
    return laid_out(figure, 440)
