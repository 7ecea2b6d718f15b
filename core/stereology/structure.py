"""The descriptors of any microstructure, as one measurement with uncertainties and reasons."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.descriptors.inputs import check_pixels, check_scale
from core.stereology.intercepts import spacing_px
from core.stereology.phases import find_phases
from core.stereology.texture import orientation, texture_length_px
from core.summaries import half_width_t

PARTS = 2  # a picture is cut into 2 x 2 fields for the scatter from field to field
LEAST_FIELD_PX = 96  # side of such a field
LEAST_FIELDS = 3
FEW_STRUCTURES = 5  # of spacings, that a picture's shorter side must hold


@dataclass(frozen=True, slots=True)
class Quantity:
    """A descriptor: its name in code, its label and its unit ("µm" is px without a scale)."""

    name: str
    label: str
    unit: str


QUANTITIES = (
    Quantity("dark_phase_pct", "Dark phase area", "%"),
    Quantity("dark_chord_um", "Mean chord of the dark phase", "µm"),
    Quantity("spacing_um", "Mean spacing", "µm"),  # of a phase that lines cells: their intercept
    Quantity("texture_length_um", "Texture length", "µm"),
    Quantity("anisotropy", "Anisotropy", ""),
)
PHASES = ("dark_phase_pct", "dark_chord_um", "spacing_um")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured on a picture.

    Attributes:
        values: quantity -> value; those that could not be measured are not there.
        fields: quantity -> its values in the fields that the picture was cut into.
        doubts: quantity -> how far it changes where the limit between the phases moves.
        reasons: quantity -> why it could not be measured.
    """

    values: dict[str, float] = field(default_factory=dict)
    fields: dict[str, tuple[float, ...]] = field(default_factory=dict)
    doubts: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def half_width(self, name: str) -> float | None:
        """Return a value's 95 % half width (`half_width`)."""
        return half_width(self.fields.get(name, ()), self.doubts.get(name, 0.0))


def half_width(fields: Sequence[float], doubt: float = 0.0) -> float | None:
    """Return the 95 % half width of a mean over fields: their scatter (Student's t) and a doubt.

    Returns:
        None for fewer than `LEAST_FIELDS`: their scatter says nothing.

    Example:
        >>> round(half_width([9.0, 10.0, 11.0]), 2)  # 4.303 / sqrt(3)
        2.48
    """
    if len(fields) < LEAST_FIELDS:
        return None
    return float(np.hypot(half_width_t(np.array(fields)), doubt))


def measure_structure(pixels: NDArray[np.floating], um_per_px: float | None) -> Measurement:
    """Measure a picture of any material.

    Args:
        pixels: (H, W) float in [0, 1].
        um_per_px: scale; None gives lengths in px.

    Returns:
        Values in the units of `QUANTITIES`, with uncertainties and reasons.

    Raises:
        InputError: not a grey picture, or an implausible scale.

    Example:
        >>> stripes = np.tile(np.repeat([0.2, 0.7, 0.7], 8), (192, 8))
        >>> found = measure_structure(stripes, um_per_px=0.5).values
        >>> round(found["dark_phase_pct"], 1), round(found["anisotropy"], 1)
        (33.3, 1.0)
    """
    pixels = check_pixels(pixels)
    scale = 1.0 if um_per_px is None else check_scale(um_per_px)
    phases = find_phases(pixels)
    side = min(pixels.shape)
    values, reasons = _of_field(pixels, phases.dark, phases.reason, scale, side)
    parts = [
        _of_field(pixels[part], phases.dark[part], phases.reason, scale, side)[0]
        for part in _parts(pixels.shape)
    ]
    fields = {name: tuple(one[name] for one in parts if name in one) for name in values}
    share = float(phases.dark.mean())
    doubts = {n: values[n] * phases.doubt / share for n in PHASES[:2] if n in values}
    return Measurement(values, fields, doubts, reasons)


def measure_in_um(pixels: NDArray[np.floating], um_per_px: float | None) -> Measurement:
    """Measure as `measure_structure`, but no lengths where there is no scale, and say so."""
    found = measure_structure(pixels, um_per_px)
    if um_per_px is None:
        for one in (q for q in QUANTITIES if q.unit == "µm" and q.name in found.values):
            del found.values[one.name]
            found.reasons[one.name] = "needs a scale"
    return found


def _of_field(
    pixels: NDArray[np.float32],
    dark: NDArray[np.bool_],
    no_phases: str,
    scale: float,
    side_px: int,
) -> tuple[dict[str, float], dict[str, str]]:
    """Measure a field of a picture of this shorter side: values, reasons where there are none."""
    values: dict[str, float] = {}
    reasons = dict.fromkeys(PHASES, no_phases) if no_phases else {}
    if not no_phases:
        values["dark_phase_pct"] = 100 * float(dark.mean())
        spacing = spacing_px(dark)
        if spacing is None or FEW_STRUCTURES * spacing > side_px:
            told = f"fewer than {FEW_STRUCTURES} spacings fit into the picture"
            reasons |= dict.fromkeys(PHASES[1:], told)
        else:
            values["spacing_um"] = spacing * scale
            values["dark_chord_um"] = spacing * scale * float(dark.mean())
    length = texture_length_px(pixels)
    if length is None:
        reasons["texture_length_um"] = "grey levels are alike over a quarter of the picture"
    else:
        values["texture_length_um"] = length * scale
    values["anisotropy"] = orientation(pixels)[0]
    return values, reasons


def _parts(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """Return the fields that a picture is cut into; none where they would be too small."""
    height, width = (n // PARTS for n in shape)
    if min(height, width) < LEAST_FIELD_PX:
        return []
    return [
        (slice(i * height, (i + 1) * height), slice(j * width, (j + 1) * width))
        for i in range(PARTS)
        for j in range(PARTS)
    ]
