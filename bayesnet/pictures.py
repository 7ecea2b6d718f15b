"""Synthesise a field round latents, encode it again, and predict its properties from it."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesnet.network import Network
from core.checkpoint import LoadedModel
from core.encode import LatentTable, patch_scatter
from core.field_descriptors import kind_of, measure_fields
from core.patches import cut_at, spread_patches
from core.properties import PropertyModel, Reading
from core.regressor import Prediction
from core.synthesis import encode_patches, scatter_cells, synthesise

PREDICT_PATCHES = 9  # at most, of the synthesised field, for the prediction back


@dataclass(frozen=True, slots=True)
class Picture:
    """A synthesised microstructure, measured again.

    Attributes:
        pixels: (H, W) float32 in [0, 1]; opposite edges fit together.
        z: (D,) the specimen-mean latents that its cells scatter round.
        seed: of the decoder's noise.
        predicted: properties predicted from the picture itself (`read_back`), and those
            descriptors that were asked for, measured in it.
        reading: what each of the two readers says alone; None where it was not kept.
    """

    pixels: NDArray[np.float32]
    z: NDArray[np.float64]
    seed: int
    predicted: dict[str, Prediction]
    reading: Reading | None = None


def synthesise_field(
    loaded: LoadedModel,
    table: LatentTable,
    z: NDArray[np.float64],
    size_px: int,
    seed: int,
    finished: bool = True,
) -> NDArray[np.float32]:
    """Synthesise a square field round z (D,), (size_px, size_px) in [0, 1].

    Its cells scatter round z as the patches of the nearest specimens in ``table`` do. The paper's
    decoder makes a single patch, whatever the size asked for. ``finished`` as in
    `core.synthesis.decode_many`.
    """
    patch_px = loaded.config.patch_px
    cells: NDArray[np.floating] = z
    if loaded.config.decoder == "paper":
        size_px = patch_px
    else:
        cells = scatter_cells(z, patch_scatter(table, z), size_px, size_px, patch_px, seed)
    return synthesise(loaded, cells, size_px, size_px, seed, periodic=True, finished=finished)


def read_back(
    loaded: LoadedModel,
    properties: PropertyModel,
    pixels: NDArray[np.float32],
    patches: int | None = None,
    described: Collection[str] = (),
) -> Reading:
    """Read a synthesised field: encode it again, measure it, and predict its properties.

    Two readers, weighed by how sure each is (`PropertyModel.read`): the latents that the encoder
    finds in it, and the descriptors measured in it. An encoder may take a picture of its own
    decoder for what was meant; a descriptor measures what is there.

    Args:
        loaded: the model; properties: predicts from mean latents, and from descriptors where the
            specimens' were measured.
        pixels: (H, W) field.
        patches: encoded at most, without overlap; None for `PREDICT_PATCHES`.
        described: descriptors to measure in the field, by the names of
            `core.field_descriptors`. They are measured, not predicted: without interval, and
            left out where there is nothing to measure them on.
    """
    patch_px = loaded.config.patch_px
    without_overlap = (len(pixels) // patch_px) ** 2
    corners = spread_patches(pixels, patch_px, min(patches or PREDICT_PATCHES, without_overlap))
    mean_latent = encode_patches(loaded, cut_at(pixels, corners, patch_px))[0].mean(axis=0)
    structure, scale, wanted = properties.structure, loaded.um_per_px, set(described)
    area_mm2 = 0.0 if scale is None else pixels.size * scale**2 * 1e-6
    if structure is not None and structure.can_read(area_mm2):
        wanted.update(structure.inputs)
    values: dict[str, float | None] = {}
    if wanted and scale is not None:
        values = measure_fields([pixels], scale, kind_of(wanted))
    reading = properties.read(mean_latent, len(corners), values, area_mm2)
    measured = {name: v for name in described if (v := values.get(name)) is not None}
    exact = {name: Prediction(value, None, None) for name, value in measured.items()}
    return replace(reading, predicted=reading.predicted | exact)


def described_by(network: Network, wanted: Collection[str]) -> tuple[str, ...]:
    """Return which of the quantities wanted are descriptors, to be measured in pictures."""
    return tuple(n.column for n in network.descriptors if n.column in wanted)


def picture(
    loaded: LoadedModel,
    properties: PropertyModel,
    table: LatentTable,
    z: NDArray[np.float64],
    size_px: int,
    seed: int,
    described: Collection[str] = (),
) -> Picture:
    """Synthesise a square field round z (D,), encode it again and predict its properties."""
    pixels = synthesise_field(loaded, table, z, size_px, seed)
    found = read_back(loaded, properties, pixels, described=described)
    return Picture(pixels, z, seed, found.predicted, found)
