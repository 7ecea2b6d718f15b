"""Synthesised fields of real specimens beside real fields of them: the pairs of the field test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.checkpoint import LoadedModel
from core.dataset import DataSet
from core.encode import load_latents, patch_scatter
from core.errors import InputError
from core.patches import cut_patches
from core.scale import read_to_scale
from core.synthesis import encode_patches, scatter_cells, synthesise

FIELD_PX = 512


@dataclass(frozen=True, slots=True)
class SpecimenFields:
    """Fields of one specimen, (512, 512) float32 in [0, 1] each.

    Attributes:
        specimen: its name.
        target: of its second micrograph; nothing of it went into the arms.
        arms: "same_specimen" is of its first micrograph. "generated": a synthesised field whose
            cells take the latents of the first one's 16 patches, in random order. "designed": only
            their mean is known, and the cells scatter round it as in a design
            (`core.encode.patch_scatter`).
    """

    specimen: str
    target: NDArray[np.float32]
    arms: dict[str, NDArray[np.float32]]


def specimen_fields(
    loaded: LoadedModel,
    data: DataSet,
    count: int,
    seed: int,
    synthesised: Sequence[str] = ("generated", "designed"),
) -> Iterator[SpecimenFields]:
    """Yield fields of ``count`` specimens spread over the data set.

    ``synthesised`` says which of the two synthesised arms are wanted.

    Raises:
        InputError: fewer than two specimens are asked for, or have two micrographs of 512 px.
    """
    if count < 2:
        raise InputError(f"{count} specimens are asked for; the field test needs two or more")
    pairs = _two_fields(data, loaded.um_per_px)
    chosen = pairs[:: max(len(pairs) // count, 1)][:count]
    if len(chosen) < 2:
        raise InputError("the field test needs two specimens with two micrographs of 512 px each")
    size, table = loaded.config.patch_px, load_latents(loaded.path / "latents")
    for index, (a, b) in enumerate(chosen):
        first, second = (
            read_to_scale(data, row, loaded.um_per_px)[:FIELD_PX, :FIELD_PX] for row in (a, b)
        )
        mu = encode_patches(loaded, cut_patches(first, size, size))[0]
        mean = mu.mean(axis=0)
        arms = {"same_specimen": first}
        for name in synthesised:
            scatter = mu - mean if name == "generated" else patch_scatter(table, mean)
            cells = scatter_cells(mean, scatter, FIELD_PX, FIELD_PX, size, seed + index)
            arms[name] = synthesise(loaded, cells, FIELD_PX, FIELD_PX, seed + index)
        yield SpecimenFields(str(data.table["specimen"].iloc[a]), second, arms)


def _two_fields(data: DataSet, um_per_px: float | None) -> list[tuple[int, int]]:
    """Return the rows of two micrographs of each specimen that has two large enough."""
    names = data.table["specimen"].to_numpy()
    pairs = []
    for specimen in data.specimens.index:
        rows = np.flatnonzero(names == specimen)[:2].tolist()
        sides = [min(read_to_scale(data, row, um_per_px).shape) for row in rows]
        if len(rows) == 2 and min(sides) >= FIELD_PX:
            pairs.append((rows[0], rows[1]))
    return pairs
