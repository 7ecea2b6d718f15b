"""The closed loop as a picture: measured strengths against targets, an SVG without dependencies."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

SIDE, MARGIN, GAP = 300, 56, 70  # px
COLOURS = {"design": "#56B4E9", "refined": "#0072B2", "cast anew": "#D55E00"}


def loop_svg(
    panels: Mapping[str, tuple[Sequence[float], Mapping[str, Sequence[float]]]], title: str
) -> str:
    """Return an SVG with one panel a property.

    Args:
        panels: axis title -> (targets (n,), name of `COLOURS` -> found (n,)), NaN left out.
        title: what is shown, for readers who cannot see it.
    """
    width = MARGIN + len(panels) * (SIDE + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{SIDE + 2 * MARGIN}" '
        f'font-family="sans-serif" font-size="12" role="img"><title>{escape(title)}</title>',
        f'<rect width="{width}" height="{SIDE + 2 * MARGIN}" fill="white"/>',
    ]
    for i, (name, (targets, found)) in enumerate(panels.items()):
        parts += _panel(MARGIN + i * (SIDE + GAP), name, np.array(targets), found)
    x = MARGIN
    for name, colour in COLOURS.items():
        parts.append(f'<circle cx="{x}" cy="14" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 8}" y="18">{escape(name)}</text>')
        x += 100
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(
    left: int, name: str, targets: np.ndarray, found: Mapping[str, Sequence[float]]
) -> list[str]:
    values = np.concatenate([targets, *map(np.array, found.values())])
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    span = max(high - low, 1e-9)

    def at(value: float) -> float:
        return (value - low) / span * SIDE

    bottom = MARGIN + SIDE
    parts = [
        f'<rect x="{left}" y="{MARGIN}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#888"/>',
        f'<line x1="{left}" y1="{bottom}" x2="{left + SIDE}" y2="{MARGIN}" stroke="#888" '
        'stroke-dasharray="4"/>',
        f'<text x="{left + SIDE / 2:.0f}" y="{bottom + 40}" text-anchor="middle">'
        f"target {escape(name)}</text>",
        f'<text transform="translate({left - 38},{MARGIN + SIDE / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">measured</text>',
    ]
    for tick in np.linspace(low, high, 4):
        x, y = left + at(tick), bottom - at(tick)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{tick:.0f}</text>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.0f}</text>')
    for kind, values_found in found.items():
        for target, value in zip(targets, values_found, strict=True):
            if np.isfinite(value):
                parts.append(
                    f'<circle cx="{left + at(target):.1f}" cy="{bottom - at(value):.1f}" r="2.5" '
                    f'fill="{COLOURS[kind]}" fill-opacity="0.6"/>'
                )
    return parts
