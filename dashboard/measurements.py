"""Graphite measured in micrographs: cached, keyed by the picture, its scale and its name.

What is measured on an upload is kept for its session alone.
"""

import hashlib
import logging
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import logs
from core.descriptors import (
    Descriptors,
    FieldsSummary,
    MeasuredField,
    draw_overlay,
    measure_field,
    segment_graphite,
    sum_up,
    summarise_fields,
)
from core.descriptors.graphite_iron import looks_like_graphite_iron
from core.descriptors.particles import label_particles, measure_particles
from core.errors import InputError
from core.images import Micrograph
from core.stereology import Measurement, measure_in_um
from dashboard import pictures, state
from dashboard.caching import kept

logger = logging.getLogger(__name__)
LINES_ACROSS = 400  # of the overlay's outlines, thick enough to see when it is made smaller
OVERLAY_PX = 2048  # longer side of the overlay: it is kept for each micrograph of a session


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on one micrograph.

    Attributes:
        name: of the file.
        field: None where the scale is not known.
        graphite_pct: area of graphite, which needs no scale.
        overlay: PNG of the picture with graphite outlined, made smaller where it is large.
        graphite: whether the picture looks like a graphite iron.
        notes: of the segmentation.
    """

    name: str
    field: MeasuredField | None
    graphite_pct: float
    overlay: bytes
    graphite: bool
    notes: tuple[str, ...]

    def descriptors(self) -> Descriptors | None:
        """Return everything that is measured; None where the scale is not known."""
        return None if self.field is None else sum_up([self.field])


def measure(micrograph: Micrograph, own: bool) -> Measured:
    """Measure a micrograph, of an upload or not, at its own scale, not at the model's."""
    key = (fingerprint(micrograph.pixels), micrograph.um_per_px, micrograph.name)
    found, packed = _measure(key, micrograph, own=own)
    if found.field is None:
        return found
    graphite = _unpacked(packed, micrograph.pixels.shape)
    return replace(found, field=replace(found.field, graphite=graphite))


def fingerprint(pixels: np.ndarray) -> str:
    """Return a hash of all pixels: Streamlit's own of a large array looks at a sample."""
    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest() + str(pixels.shape)


@kept(16)
def _measure(key: tuple, _micrograph: Micrograph) -> tuple[Measured, bytes]:
    """Return what is measured with a mask of no pixels, and the mask packed."""
    with state.lock(), logs.timed(logger, "measurement", pixels=_micrograph.pixels.size):
        try:
            found = _measured(_micrograph.pixels, _micrograph.um_per_px, _micrograph.name)
        except InputError as error:
            name = _micrograph.name
            raise InputError(f"{name}: graphite cannot be measured: {error}") from error
    if found.field is None:
        return found, b""
    graphite = found.field.graphite
    bare = replace(found.field, graphite=np.zeros((0, 0), bool))
    return replace(found, field=bare), _packed(graphite)


def _packed(mask: NDArray[np.bool_]) -> bytes:
    """Return a mask in a small part of its memory: bits, most of them as their neighbours."""
    return zlib.compress(np.packbits(mask).tobytes(), 1)


def _unpacked(packed: bytes, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    bits = np.frombuffer(zlib.decompress(packed), np.uint8)
    return np.unpackbits(bits, count=math.prod(shape)).astype(bool).reshape(shape)


def _measured(pixels: np.ndarray, um_per_px: float | None, name: str) -> Measured:
    if um_per_px is None:
        found = segment_graphite(pixels)
        field, graphite, notes = None, found.graphite, found.notes
        particles = measure_particles(np.zeros_like(label_particles(graphite)), 1.0)
    else:
        field = measure_field(pixels, um_per_px)
        graphite, notes, particles = field.graphite, field.notes, field.particles
    line_px = max(1, round(max(pixels.shape) / LINES_ACROSS))
    outlined = Image.fromarray(draw_overlay(pixels, graphite, particles, line_px))
    outlined.thumbnail((OVERLAY_PX, OVERLAY_PX), Image.Resampling.LANCZOS)
    scale = um_per_px and um_per_px * pixels.shape[1] / outlined.width
    overlay = pictures.png(pictures.bar_below(outlined, scale))
    share = 100 * float(graphite.mean())
    return Measured(name, field, share, overlay, looks_like_graphite_iron(pixels), notes)


def structure(micrograph: Micrograph, own: bool) -> Measurement:
    """Measure what any material has on a micrograph, of an upload or not, at its own scale."""
    key = (fingerprint(micrograph.pixels), micrograph.um_per_px, micrograph.name)
    return _structure(key, micrograph, own=own)


@kept(32)
def _structure(key: tuple, _micrograph: Micrograph) -> Measurement:
    pixels = _micrograph.pixels.size
    with state.lock(), logs.timed(logger, "measurement", pixels=pixels, of="structure"):
        return measure_in_um(_micrograph.pixels, _micrograph.um_per_px)


def seen(
    micrograph: Micrograph, graphite: Measured | None, structure: Measurement | None
) -> tuple[dict[str, float | None], float] | None:
    """Return what was measured on a micrograph by name, and its area, mm2.

    None without a scale, or where nothing was measured.
    """
    if micrograph.um_per_px is None:
        return None
    described = None if graphite is None else graphite.descriptors()
    values: dict[str, float | None] = {} if described is None else described.scalars()
    values |= {} if structure is None else structure.values
    area_mm2 = micrograph.pixels.size * micrograph.um_per_px**2 * 1e-6
    return (values, area_mm2) if values else None


def together(measured: Sequence[Measured]) -> FieldsSummary:
    """Pool micrographs as fields of one specimen.

    Raises:
        InputError: a scale is not known, or they differ.
    """
    fields = []
    for one in measured:
        if one.field is None:
            raise InputError(
                f"{one.name} has no scale: fields of one specimen are pooled at a known scale; "
                "give it in the form"
            )
        fields.append(one.field)
    return summarise_fields(fields)
