"""Synthesise a field round latents, encode it again, and predict its properties from it."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesnet.network import Network
from core.checkpoint import LoadedModel
from core.encode import LatentTable, patch_scatter
from core.field_descriptors import kind_of, measure_fields
from core.patches import cut_at, spread_patches
from core.properties import Prediction, PropertyModel
from core.synthesis import encode_patches, scatter_cells, synthesise

PREDICT_PATCHES = 9  # at most, of the synthesised field, for the prediction back


@dataclass(frozen=True, slots=True)
class Picture:
    """A synthesised microstructure, measured again.

    Attributes:
        pixels: (H, W) float32 in [0, 1]; opposite edges fit together.
        z: (D,) the specimen-mean latents that its cells scatter round.
        seed: of the decoder's noise.
        predicted: properties predicted from the picture itself (encoded again), and those
            descriptors that were asked for, measured in it.
    """

    pixels: NDArray[np.float32]
    z: NDArray[np.float64]
    seed: int
    predicted: dict[str, Prediction]


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
) -> dict[str, Prediction]:
    """Encode a synthesised field again, predict its properties, and measure descriptors.

    Args:
        loaded: the model; properties: predicts from mean latents.
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
    found = properties.predict(mean_latent, len(corners))
    if described and loaded.um_per_px is not None:
        values = measure_fields([pixels], loaded.um_per_px, kind_of(described))
        for name in described:
            value = values.get(name)
            if value is not None:
                found[name] = Prediction(value, None, None)
    return found


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
    return Picture(pixels, z, seed, found)
