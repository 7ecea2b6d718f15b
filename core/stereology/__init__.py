"""Descriptors of any microstructure: phase areas, chords, spacing, texture length, anisotropy.

``measure_structure(pixels, um_per_px)`` measures one picture, with 95 % half widths and the reason
for what cannot be measured. For graphite irons `core.descriptors` knows more.
"""

from core.stereology.phases import Phases, find_phases
from core.stereology.structure import (
    QUANTITIES,
    Measurement,
    Quantity,
    half_width,
    measure_in_um,
    measure_structure,
)

__all__ = [
    "QUANTITIES",
    "Measurement",
    "Phases",
    "Quantity",
    "find_phases",
    "half_width",
    "measure_in_um",
    "measure_structure",
]
