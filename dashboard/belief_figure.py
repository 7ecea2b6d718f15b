"""The chart of posteriors: every quantity on one scale, with and without evidence."""

from collections.abc import Sequence

import plotly.graph_objects as go

from bayesnet.query import Belief
from dashboard.figures import BLUE, GREY, ORANGE, laid_out
from dashboard.wording import quantity


def beliefs_chart(found: Sequence[Belief], before: Sequence[Belief]) -> go.Figure:
    """Show posteriors of several quantities with their 90 % intervals.

    Args:
        found: with evidence; what was given is drawn in another colour.
        before: the same quantities without any.
    """
    figure = go.Figure()
    rows = list(zip(found, before, strict=True))[::-1]
    labels = [_label(belief) for belief, _ in rows]
    _bars(figure, "without evidence", labels, [b for _, b in rows], GREY, 9, 0.45)
    free = [(label, b) for label, (b, _) in zip(labels, rows, strict=True) if b.given is None]
    known = [(label, b) for label, (b, _) in zip(labels, rows, strict=True) if b.given is not None]
    for name, some, colour in (("follows", free, BLUE), ("known", known, ORANGE)):
        if some:
            _bars(figure, name, [s[0] for s in some], [s[1] for s in some], colour, 3, 1.0)
    figure.update_xaxes(title="standard deviations from the mean of the specimens", zeroline=True)
    figure.update_yaxes(
        automargin=True, categoryorder="array", categoryarray=labels, fixedrange=True
    )
    return laid_out(figure, 110 + 30 * len(rows))


def _label(belief: Belief) -> str:
    """Return a node's label; of what a latent does only the first, which leaves the chart room."""
    node = belief.node
    first, more, _ = node.label.partition(", ")
    return f"{first}, …" if node.role == "latent" and more else node.label


def _bars(
    figure: go.Figure,
    name: str,
    labels: Sequence[str],
    beliefs: Sequence[Belief],
    colour: str,
    width: int,
    opacity: float,
) -> None:
    """Draw means as points and intervals as lines, in z-scores; a word's probability has none."""
    means, lows, highs = (
        [(_end(b, end) - b.node.mean) / b.node.scale for b in beliefs]
        for end in ("mean", "low", "high")
    )
    figure.add_scatter(
        x=means,
        y=list(labels),
        mode="markers",
        name=name,
        marker={"color": colour, "size": 9},
        opacity=opacity,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [h - m for h, m in zip(highs, means, strict=True)],
            "arrayminus": [m - w for m, w in zip(means, lows, strict=True)],
            "color": colour,
            "thickness": width,
            "width": 0,
        },
        text=[_told(b) for b in beliefs],
        hovertemplate="%{text}<extra></extra>",
    )


def _end(belief: Belief, end: str) -> float:
    return belief.probability_pct if belief.node.group else float(getattr(belief, end))


def _told(belief: Belief) -> str:
    label, unit = belief.node.label, belief.node.unit
    if belief.node.group:
        return f"{label}: {quantity(belief.probability_pct, unit)}"
    ends = f"{quantity(belief.low, '')} to {quantity(belief.high, unit)}"
    return f"{label}: {quantity(belief.mean, unit)}, 90 %: {ends}"
