"""A design's picture measured again, in its turn, by the routine that measured the data's pictures.

Where properties were measured on pictures, no learned model is needed to see whether a design is
what was asked for.
"""

import logging

import numpy as np
import streamlit as st

from bayesnet.design import Design
from bayesnet.network import Network
from core import logs
from core.measured_columns import MARK, measure_again, measured_names
from core.stereology import Measurement
from dashboard import state, waiting

logger = logging.getLogger(__name__)


def told(design: Design, network: Network) -> str:
    """Say what is measured on the picture, "" where no property is one that can be."""
    names = measured_names(network.properties)
    if not names:
        return ""
    with waiting.working("Measuring the picture…"):
        found = _measured(design.main.pixels, design.um_per_px, names)
    parts = []
    for node in network.properties:
        label = node.label.removesuffix(MARK).lower()
        if node.column in found.values:
            width = found.half_width(node.column)
            sure = "" if width is None else f" ± {width:.2g}"
            parts.append(f"{label} {found.values[node.column]:.4g}{sure} {node.unit}".rstrip())
        elif node.column in found.reasons:
            parts.append(f"{label} not measurable ({found.reasons[node.column]})")
    return (
        "Measured on this picture, without any model: "
        + ", ".join(parts)
        + ". ± is its 95 % half width from field to field."
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _measured(pixels: np.ndarray, um_per_px: float | None, names: tuple[str, ...]) -> Measurement:
    with state.lock(), logs.timed(logger, "design_measurement", pixels=pixels.size):
        return measure_again(pixels, um_per_px, names)
