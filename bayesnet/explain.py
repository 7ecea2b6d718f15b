"""Explain a design: the nearest known specimens, and which descriptors change from one to it."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.descriptors import SCALARS, Descriptors, describe
from core.encode import LatentTable
from core.errors import InputError

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
    """A descriptor of the nearest specimen and of the design.

    Attributes:
        label, unit: of the descriptor.
        before, after: in the nearest specimen's micrograph and in the design; None where there
            was nothing to measure it on.
    """

    label: str
    unit: str
    before: float | None
    after: float | None

    @property
    def share(self) -> float | None:
        """Relative change, of the mean of both so that neither is favoured; None if unknown."""
        if self.before is None or self.after is None or self.before + self.after == 0:
            return None
        return 2 * (self.after - self.before) / (abs(self.before) + abs(self.after))


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


def descriptor_changes(before: Descriptors, after: Descriptors) -> tuple[Change, ...]:
    """Return what changes from one microstructure to another, the largest relative change first.

    Descriptors measured in neither are left out; those measured in one only come last.
    """
    old, new = before.scalars(), after.scalars()
    changes = [
        Change(s.label, s.unit, old[s.name], new[s.name])
        for s in SCALARS
        if old[s.name] is not None or new[s.name] is not None
    ]
    return tuple(
        sorted(changes, key=lambda c: -np.inf if c.share is None else abs(c.share), reverse=True)
    )


def compare(
    nearest: NDArray[np.floating],
    design: NDArray[np.floating],
    um_per_px: float | None,
    nearest_um_per_px: float | None = None,
) -> tuple[Change, ...]:
    """Measure both pictures (H, W) with the standard descriptors and return the changes.

    Raises:
        InputError: the scale is unknown, so nothing can be measured in micrometres.
    """
    if um_per_px is None:
        raise InputError("the scale of the model's micrographs is unknown: no descriptors")
    before = describe(nearest, nearest_um_per_px or um_per_px)
    return descriptor_changes(before, describe(design, um_per_px))
