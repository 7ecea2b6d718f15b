"""Descriptors of cast irons by the metallographers' standards, in um, mm2 and %.

``describe(pixels, um_per_px)`` measures one micrograph, ``describe_fields`` several of one
specimen; ``python -m core.descriptors FILE`` prints a table and draws overlays.
"""

from core.descriptors.descriptors import CHOSEN, SCALARS, Descriptors, Distribution, Scalar
from core.descriptors.fields import Estimate, FieldsSummary, describe_fields, summarise_fields
from core.descriptors.measure import MeasuredField, describe, measure_field, measure_mask, sum_up
from core.descriptors.overlay import draw_overlay, encode_overlay
from core.descriptors.segmentation import Segmentation, segment_graphite

__all__ = [
    "CHOSEN",
    "SCALARS",
    "Descriptors",
    "Distribution",
    "Estimate",
    "FieldsSummary",
    "MeasuredField",
    "Scalar",
    "Segmentation",
    "describe",
    "describe_fields",
    "draw_overlay",
    "encode_overlay",
    "measure_field",
    "measure_mask",
    "segment_graphite",
    "sum_up",
    "summarise_fields",
]
