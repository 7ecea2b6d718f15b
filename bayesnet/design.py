"""From targets to microstructures: infer latents, synthesise, encode again, predict back.

Only models learned from the data set are used here; the reference castings' own strength
relations (the oracle, `bayesnet.verify`) are never imported.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesnet.evidence import Limit
from bayesnet.network import Network
from bayesnet.query import Answer, most_probable, sample_latents
from core.checkpoint import LoadedModel
from core.encode import LatentTable, load_latents, patch_scatter
from core.errors import CheckpointError, InputError
from core.properties import Prediction, PropertyModel
from core.reference import cut_at, spread_patches
from core.synthesis import encode_patches, scatter_cells, synthesise

PREDICT_PATCHES = 9  # at most, of the synthesised field, for the prediction back
MAX_SIZE_PX = 4096


@dataclass(frozen=True, slots=True)
class Picture:
    """A synthesised microstructure, measured again.

    Attributes:
        pixels: (H, W) float32 in [0, 1]; opposite edges fit together.
        z: (D,) the specimen-mean latents that its cells scatter round.
        seed: of the decoder's noise.
        predicted: properties predicted from the picture itself (encoded again).
    """

    pixels: NDArray[np.float32]
    z: NDArray[np.float64]
    seed: int
    predicted: dict[str, Prediction]


@dataclass(frozen=True, slots=True)
class Design:
    """An answer to target properties: the most probable microstructure and other samples."""

    targets: dict[str, float]
    process: dict[str, Limit]
    answer: Answer
    main: Picture
    samples: tuple[Picture, ...]
    um_per_px: float | None
    model_hash: str
    seconds: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return everything but the pixels as JSON content; units are those of the columns."""
        answer = self.answer
        return {
            "targets": self.targets,
            "process_limits": {k: _plain(v) for k, v in self.process.items()},
            "feasibility": asdict(answer.feasibility),
            "conditioned_on": answer.conditioned_on,
            "recommended_process": {k: asdict(v) for k, v in answer.process.items()},
            "network_prediction": {k: asdict(v) for k, v in answer.properties.items()},
            "main": _picture_json(self.main),
            "samples": [_picture_json(picture) for picture in self.samples],
            "um_per_px": self.um_per_px,
            "model_sha256": self.model_hash,
        }


def _plain(limit: Limit) -> Any:
    return list(limit) if isinstance(limit, tuple) else limit


def _picture_json(picture: Picture) -> dict[str, Any]:
    return {
        "size_px": list(picture.pixels.shape),
        "seed": picture.seed,
        "latents": [float(v) for v in picture.z],
        "predicted_back": {k: asdict(v) for k, v in picture.predicted.items()},
    }


def picture(
    loaded: LoadedModel,
    properties: PropertyModel,
    table: LatentTable,
    z: NDArray[np.float64],
    size_px: int,
    seed: int,
) -> Picture:
    """Synthesise a square field round z (D,), encode it again and predict its properties.

    Its cells scatter round z as the patches of the nearest specimens in ``table`` do. The paper's
    decoder makes a single patch, whatever the size asked for.
    """
    patch_px = loaded.config.patch_px
    cells: NDArray[np.floating] = z
    if loaded.config.decoder == "paper":
        size_px = patch_px
    else:
        cells = scatter_cells(z, patch_scatter(table, z), size_px, size_px, patch_px, seed)
    pixels = synthesise(loaded, cells, size_px, size_px, seed, periodic=True)
    without_overlap = (size_px // patch_px) ** 2
    corners = spread_patches(pixels, patch_px, min(PREDICT_PATCHES, without_overlap))
    mean_latent = encode_patches(loaded, cut_at(pixels, corners, patch_px))[0].mean(axis=0)
    return Picture(pixels, z, seed, properties.predict(mean_latent, len(corners)))


def design(
    loaded: LoadedModel,
    network: Network,
    properties: PropertyModel,
    targets: Mapping[str, float],
    process: Mapping[str, Limit] | None = None,
    *,
    size_px: int = 512,
    n_samples: int = 3,
    sample_px: int = 256,
    seed: int = 0,
) -> Design:
    """Design a microstructure for target properties.

    Args:
        loaded: the model that decodes and encodes.
        network: fitted on the model's latents.
        properties: predicts properties from mean latents; they are applied to the pictures.
        targets: property -> wanted value, in the unit of its column.
        process: setting -> value, or (low, high) with None for open ends.
        size_px: side of the main field, a multiple of 32, 128 to 4096.
        n_samples: how many other microstructures with the same properties.
        sample_px: their side.
        seed: of samples and decoder noise; the same seed gives the same design.

    Raises:
        InputError: targets, limits or sizes cannot be used.
        CheckpointError: network or property models do not belong to the model.
    """
    patch_px = loaded.config.patch_px
    for name, value in (("size_px", size_px), ("sample_px", sample_px)):
        if not patch_px <= value <= MAX_SIZE_PX or value % 32:
            raise InputError(
                f"{name} = {value} px: a multiple of 32 from {patch_px} to {MAX_SIZE_PX} is needed"
            )
    if network.model_hash != loaded.hash:
        raise CheckpointError("the network was fitted on another model's latents; fit it again")
    properties.require_model(loaded.hash)
    limits = dict(process or {})
    table = load_latents(loaded.path / "latents")
    start = time.perf_counter()
    answer = most_probable(network, targets, limits)
    others = sample_latents(network, targets, limits, n_samples, seed) if n_samples else ()
    inferred = time.perf_counter()
    main = picture(loaded, properties, table, answer.latents, size_px, seed)
    first = time.perf_counter()
    samples = tuple(
        picture(loaded, properties, table, z, sample_px, seed + 1 + i) for i, z in enumerate(others)
    )
    done = time.perf_counter()
    return Design(
        targets=dict(targets),
        process=limits,
        answer=answer,
        main=main,
        samples=samples,
        um_per_px=loaded.manifest.get("um_per_px"),
        model_hash=loaded.hash,
        seconds={
            "network": inferred - start,
            "main": first - inferred,
            "samples": done - first,
            "total": done - start,
        },
    )
