"""Explain a design: the nearest known specimens, and which descriptors change from one to it.

What these changes go with in the properties is told by `bayesnet.association`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesnet.specimen_picture import SpecimenPicture
from core.descriptors import SCALARS, describe
from core.encode import LatentTable
from core.errors import InputError
from core.field_descriptors import measure_fields
from core.measured_columns import MARK, Kind, columns_of
from core.specimen_descriptors import SpecimenDescriptors
from core.stereology import measure_structure
from core.wording import Named

SMALL = 0.05  # relative change that one field to another makes too


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A specimen of the data near a design.

    Attributes:
        name: of the specimen.
        distance: between specimen means and the design's latents, each dimension in standard
            deviations of the specimens, root mean square.
    """

    name: str
    distance: float


@dataclass(frozen=True, slots=True)
class Change:
    """A descriptor, or a property, of the nearest specimen and of the design.

    Attributes:
        name, label, unit: of the descriptor.
        before, after: of the nearest specimen and in the design; None where there was nothing to
            measure it on.
        goes_with: property -> what the change goes with in it, in the property's unit
            (`bayesnet.association`); without properties that the network cannot tell it of.
    """

    name: str
    label: str
    unit: str
    before: float | None
    after: float | None
    goes_with: Mapping[str, float] = field(default_factory=dict)

    @property
    def gap(self) -> float | None:
        """Change in the unit; None if unknown."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before

    @property
    def share(self) -> float | None:
        """Relative change, of the mean of both so that neither is favoured; None if unknown."""
        if self.before is None or self.after is None or self.before + self.after == 0:
            return None
        return 2 * (self.after - self.before) / (abs(self.before) + abs(self.after))


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a design changes from the nearest known specimen.

    Attributes:
        nearest: specimen of the data.
        picture: of it, else of the nearest specimen that has one; None without any.
        changes: of descriptors; those that go with most come first, then the largest.
        pooled: whether they are from the nearest specimen itself, its micrographs pooled; otherwise
            they are from ``picture``.
        properties: of the specimen compared and, as the network expects them, of the design.
    """

    nearest: Neighbour
    picture: SpecimenPicture | None
    changes: tuple[Change, ...]
    pooled: bool
    properties: tuple[Change, ...] = ()

    @property
    def compared(self) -> str:
        """Name of the specimen that the design is compared with."""
        return self.nearest.name if self.pooled or not self.picture else self.picture.specimen


def nearest_specimens(
    table: LatentTable, z: NDArray[np.floating], among: Collection[str] | None = None
) -> tuple[Neighbour, ...]:
    """Return specimens by nearness to latents, the nearest first.

    Args:
        table: latents of a data set.
        z: (D,) latents of a design.
        among: specimens to choose from; None for all.

    Raises:
        InputError: none of these specimens is in the table.
    """
    frame = pd.DataFrame(table.mu).groupby(np.asarray(table.specimen).astype(str)).mean()
    scale = frame.std(axis=0).to_numpy() + 1e-6
    if among is not None:
        frame = frame.loc[[name for name in frame.index if name in set(among)]]
    if frame.empty:
        raise InputError("none of these specimens is among the latents")
    distance = np.sqrt((((frame.to_numpy() - z) / scale) ** 2).mean(axis=1))
    order = np.argsort(distance, kind="stable")
    return tuple(Neighbour(str(frame.index[i]), float(distance[i])) for i in order)


def descriptor_changes(
    named: Mapping[str, Named],
    before: Mapping[str, float | None],
    after: Mapping[str, float | None],
) -> tuple[Change, ...]:
    """Return what changes from one microstructure to another, the largest relative change first.

    Descriptors measured in neither are left out; those measured in one only come last.

    Args:
        named: name -> the descriptor's label and unit.
        before, after: name -> what was measured.
    """
    changes = [
        Change(name, one.label.removesuffix(MARK), one.unit, before.get(name), after.get(name))
        for name, one in named.items()
        if before.get(name) is not None or after.get(name) is not None
    ]
    return tuple(
        sorted(changes, key=lambda c: -np.inf if c.share is None else abs(c.share), reverse=True)
    )


def compare_with_kept(
    kept: SpecimenDescriptors,
    specimen: str,
    design: NDArray[np.floating],
    um_per_px: float | None,
) -> tuple[Change, ...]:
    """Measure a design as the data's specimens were, and return the changes from one of them.

    Only what is kept is compared. Its meaning is the same on both sides: the same routine, um, %
    and 1/mm2; the specimen's micrographs are pooled, the design is one field.

    Args:
        kept: descriptors of the specimens.
        specimen: the one to compare with.
        design: picture (H, W) of the design.
        um_per_px: its scale; without it, or where the data had none, what needs no scale.

    Returns:
        The changes; () where nothing is kept of this specimen.

    Raises:
        InputError: no grey picture, or an implausible scale.
    """
    if specimen not in kept.values.index:
        return ()
    known = {name: float(v) for name, v in kept.values.loc[specimen].items() if np.isfinite(v)}
    if not known:
        return ()
    after = measure_fields([design], um_per_px if kept.um_per_px else None, kept.kind)
    return descriptor_changes({s.name: s for s in kept.scalars if s.name in after}, known, after)


def compare(
    nearest: NDArray[np.floating],
    design: NDArray[np.floating],
    um_per_px: float | None,
    nearest_um_per_px: float | None = None,
    kind: Kind = "graphite",
) -> tuple[Change, ...]:
    """Measure both pictures (H, W) and return the changes.

    Args:
        nearest: picture of a specimen; design: of a design.
        um_per_px: scale of the design.
        nearest_um_per_px: scale of the specimen's picture; None for that of the design.
        kind: the standard descriptors of graphite irons, or those of any material, which are in px
            where the scale is unknown.

    Raises:
        InputError: the scale is unknown, so graphite cannot be measured in micrometres.
    """
    if kind == "phases":
        own = um_per_px and (nearest_um_per_px or um_per_px)
        old, new = measure_structure(nearest, own), measure_structure(design, um_per_px)
        columns = {c.name: c for c in columns_of(kind, um_per_px is not None)}
        return descriptor_changes(columns, old.values, new.values)
    if um_per_px is None:
        raise InputError("the scale of the model's micrographs is unknown: no descriptors")
    before, after = describe(nearest, nearest_um_per_px or um_per_px), describe(design, um_per_px)
    scalars = {s.name: s for s in SCALARS}
    return descriptor_changes(scalars, before.scalars(), after.scalars())
