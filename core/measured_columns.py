"""Properties measured on the picture itself, for data without tests: what they are, measured how.

Two kinds: descriptors of graphite irons (`core.descriptors`), and descriptors of any material
(`core.stereology`). Their columns are ``derived``, and their labels say so wherever they are shown.
The same routines measure a design's picture again, which needs no learned model.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.columns import Column
from core.descriptors import CHOSEN, SCALARS, describe
from core.descriptors.graphite_iron import looks_like_graphite_iron
from core.errors import InputError
from core.stereology import QUANTITIES, Measurement, measure_structure

Kind = Literal["graphite", "phases"]
KINDS: dict[Kind, str] = {
    "graphite": "graphite irons: graphite by the standards",
    "phases": "any material: phase area, chords, spacing, texture length, anisotropy",
}
MARK = " (from the picture)"


class Named(Protocol):
    """A column, node or regressor: its name in the table, and its label."""

    @property
    def column(self) -> str: ...
    @property
    def label(self) -> str: ...


def columns_of(kind: Kind, scale_known: bool = True) -> tuple[Column, ...]:
    """Return the columns of a kind, in order; lengths are in px where no scale is known.

    Example:
        >>> columns_of("phases")[2].label
        'Mean spacing (from the picture)'
    """
    if kind == "graphite":
        found = [(s.name, s.label, s.unit) for s in SCALARS if s.name in CHOSEN]
    else:
        found = [(q.name, q.label, q.unit) for q in QUANTITIES]
    return tuple(
        Column(
            name,
            "px" if unit == "µm" and not scale_known else "" if unit == "1" else unit,
            label + MARK,
            "property",
            "numeric",
            True,
        )
        for name, label, unit in found
    )


_KIND_OF: dict[str, Kind] = {c.name: kind for kind in KINDS for c in columns_of(kind)}


def measured_names(columns: Iterable[Named]) -> tuple[str, ...]:
    """Return the names of those that were measured on pictures, told by name and label."""
    return tuple(c.column for c in columns if c.column in _KIND_OF and c.label.endswith(MARK))


def guess_kind(pictures: Sequence[NDArray[np.floating]]) -> Kind:
    """Return "graphite" where most of some pictures (H, W) look like graphite irons."""
    seen = [looks_like_graphite_iron(pixels) for pixels in pictures]
    return "graphite" if seen and np.mean(seen) > 0.5 else "phases"


def measure_picture(
    pixels: NDArray[np.floating], um_per_px: float | None, kind: Kind
) -> Measurement:
    """Measure one picture.

    Args:
        pixels: (H, W) float in [0, 1].
        um_per_px: scale; None where it is not known.
        kind: what to measure.

    Raises:
        InputError: not a grey picture, an implausible scale, or none, which graphite needs.
    """
    if kind == "phases":
        return measure_structure(pixels, um_per_px)
    if um_per_px is None:
        raise InputError("graphite is measured in µm, which needs the pictures' scale")
    described = describe(pixels, um_per_px)
    found = {name: described.scalars()[name] for name in CHOSEN}
    values = {name: float(value) for name, value in found.items() if value is not None}
    why = {"grain_intercept_um": described.grain_reason or "no boundaries"}
    why["flake_length_um"] = "all particles are nodules" if described.n_inner else "no graphite"
    reasons = {n: why.get(n, "no graphite particle to measure") for n in found if n not in values}
    return Measurement(values, {name: (value,) for name, value in values.items()}, {}, reasons)


def measure_again(
    pixels: NDArray[np.floating], um_per_px: float | None, names: Sequence[str]
) -> Measurement:
    """Measure a synthesised picture by the routine that measured the data's pictures.

    Args:
        pixels: (H, W) float in [0, 1].
        um_per_px: the model's scale.
        names: of measured columns.

    Raises:
        InputError: a name is of no measured column, or as `measure_picture`.
    """
    if odd := [name for name in names if name not in _KIND_OF]:
        raise InputError(f"{odd[0]!r} is no property that is measured on pictures")
    parts = [measure_picture(pixels, um_per_px, kind) for kind in {_KIND_OF[n] for n in names}]
    found = Measurement()
    for part in parts:
        found.values.update({n: v for n, v in part.values.items() if n in names})
        found.fields.update({n: v for n, v in part.fields.items() if n in names})
        found.doubts.update({n: v for n, v in part.doubts.items() if n in names})
        found.reasons.update({n: v for n, v in part.reasons.items() if n in names})
    return found
