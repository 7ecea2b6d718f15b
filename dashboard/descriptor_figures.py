"""Charts of descriptors: pure functions from data to Plotly figures."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.figures import BLUE, GREY


def two_point_chart(lag_um: Sequence[float], s2: Sequence[float]) -> go.Figure:
    """Show two-point statistics over distance, with the level of chance.

    Args:
        lag_um: distances, µm, from 0.
        s2: S2 there; the first is the area fraction.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=list(lag_um),
        y=list(s2),
        mode="lines",
        name="S2",
        line={"color": BLUE, "width": 2},
        hovertemplate="%{x:.3g} µm: %{y:.4f}<extra></extra>",
    )
    figure.add_hline(y=s2[0] ** 2, line={"color": GREY, "dash": "dot"}, annotation_text="chance")
    figure.update_xaxes(title="Distance (µm)")
    figure.update_yaxes(title="S2 (1)", rangemode="tozero")
    figure.update_layout(height=260, margin={"l": 10, "r": 10, "t": 10, "b": 10}, showlegend=False)
    return figure
