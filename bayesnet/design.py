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

from bayesnet.demands import Limit, Wish
from bayesnet.network import Network
from bayesnet.pictures import Picture, described_by, read_back, synthesise_field
from bayesnet.query import Answer, most_probable
from bayesnet.samples import Sample, diverse_designs
from core.calibrate import intervals_from
from core.checkpoint import LoadedModel
from core.encode import load_latents
from core.errors import CheckpointError, InputError
from core.properties import PropertyModel
from core.regressor import Prediction

MAX_SIZE_PX = 4096


@dataclass(frozen=True, slots=True)
class Design:
    """An answer to target properties: the most probable microstructure and other samples.

    Attributes:
        targets, process: as asked.
        answer: of the network.
        main: the most probable microstructure.
        samples: others that read back as asked, the nearest first.
        dropped: how many others did not, even refined.
        um_per_px, model_hash: of the model.
        calibration: property -> what the intervals of its predictions come from, in words.
        seconds: by stage.
    """

    targets: dict[str, Wish]
    process: dict[str, Limit]
    answer: Answer
    main: Picture
    samples: tuple[Sample, ...]
    dropped: int
    um_per_px: float | None
    model_hash: str
    calibration: dict[str, str]
    seconds: dict[str, float]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The most probable microstructure, then the samples."""
        return (self.main, *(sample.picture for sample in self.samples))

    def to_json(self) -> dict[str, Any]:
        """Return everything but the pixels as JSON content; units are those of the columns."""
        answer = self.answer
        return {
            "targets": {k: _plain(v) for k, v in self.targets.items()},
            "process_limits": {k: _plain(v) for k, v in self.process.items()},
            "feasibility": asdict(answer.feasibility),
            "conditioned_on": {k: _plain(v) for k, v in answer.conditioned_on.items()},
            "recommended_process": {k: asdict(v) for k, v in answer.process.items()},
            "network_prediction": {k: asdict(v) for k, v in answer.properties.items()},
            "main": _picture_json(self.main),
            "samples": [
                _picture_json(s.picture) | {"residual": s.residual, "refined": s.refined}
                for s in self.samples
            ],
            "samples_dropped": self.dropped,
            "um_per_px": self.um_per_px,
            "model_sha256": self.model_hash,
        }


def _plain(limit: Wish) -> Any:
    return list(limit) if isinstance(limit, tuple) else limit


def _picture_json(picture: Picture) -> dict[str, Any]:
    reading = picture.reading
    return {
        "size_px": list(picture.pixels.shape),
        "seed": picture.seed,
        "latents": [float(v) for v in picture.z],
        "predicted_back": _predictions_json(picture.predicted),
        "predicted_by_latents": _predictions_json(reading.latents if reading else {}),
        "predicted_by_structure": _predictions_json(reading.structure if reading else {}),
    }


def _predictions_json(found: Mapping[str, Prediction]) -> dict[str, Any]:
    return {name: asdict(value) for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class Proposal:
    """The first half of a design: what is known before the picture is measured.

    Attributes:
        answer: of the network.
        pixels: (size_px, size_px) float32 in [0, 1], the most probable microstructure.
        seconds: taken by network and decoder.
    """

    answer: Answer
    pixels: NDArray[np.float32]
    seconds: dict[str, float]


def propose(
    loaded: LoadedModel,
    network: Network,
    targets: Mapping[str, Wish],
    process: Mapping[str, Limit] | None = None,
    *,
    size_px: int = 512,
    seed: int = 0,
) -> Proposal:
    """Find the most probable microstructure for target properties and synthesise it.

    Args, Raises: as `design`.
    """
    _check_size("size_px", size_px, loaded.config.patch_px)
    if network.model_hash != loaded.hash:
        raise CheckpointError("the network was fitted on another model's latents; fit it again")
    table = load_latents(loaded.path / "latents")
    start = time.perf_counter()
    answer = most_probable(network, targets, dict(process or {}))
    inferred = time.perf_counter()
    pixels = synthesise_field(loaded, table, answer.latents, size_px, seed)
    seconds = {"network": inferred - start, "decode": time.perf_counter() - inferred}
    return Proposal(answer, pixels, seconds)


def design(
    loaded: LoadedModel,
    network: Network,
    properties: PropertyModel,
    targets: Mapping[str, Wish],
    process: Mapping[str, Limit] | None = None,
    *,
    size_px: int = 512,
    n_samples: int = 3,
    sample_px: int = 256,
    seed: int = 0,
    proposal: Proposal | None = None,
) -> Design:
    """Design a microstructure for target properties.

    Args:
        loaded: the model that decodes and encodes.
        network: fitted on the model's latents.
        properties: predicts properties from mean latents; they are applied to the pictures.
        targets: property or descriptor -> what is wanted, in its unit: a value, (low, high) with
            None for an open end, "highest" or "lowest".
        process: setting -> value, or (low, high) with None for open ends.
        size_px: side of the main field, a multiple of 32, 128 to 4096.
        n_samples: how many other microstructures with the same properties.
        sample_px: their side.
        seed: of samples and decoder noise; the same seed gives the same design.
        proposal: what `propose` gave for the same arguments, to save doing it again.

    Raises:
        InputError: targets, limits or sizes cannot be used.
        CheckpointError: network or property models do not belong to the model.
    """
    _check_size("sample_px", sample_px, loaded.config.patch_px)
    properties.require_model(loaded.hash)
    limits = dict(process or {})
    proposal = proposal or propose(loaded, network, targets, limits, size_px=size_px, seed=seed)
    answer, seconds = proposal.answer, dict(proposal.seconds)
    start = time.perf_counter()
    described = described_by(network, answer.conditioned_on)
    found = read_back(loaded, properties, proposal.pixels, described=described)
    seconds["read_back"] = time.perf_counter() - start
    start = time.perf_counter()
    samples: tuple[Sample, ...] = ()
    dropped = 0
    if n_samples:
        table = load_latents(loaded.path / "latents")
        samples, dropped = diverse_designs(
            loaded,
            network,
            properties,
            table,
            targets,
            limits,
            answer,
            count=n_samples,
            size_px=sample_px,
            seed=seed,
        )
    seconds["samples"] = time.perf_counter() - start
    return Design(
        targets=dict(targets),
        process=limits,
        answer=answer,
        main=Picture(proposal.pixels, answer.latents, seed, found.predicted, found),
        samples=samples,
        dropped=dropped,
        um_per_px=loaded.um_per_px,
        model_hash=loaded.hash,
        calibration=intervals_from(properties),
        seconds=seconds | {"total": sum(seconds.values())},
    )


def _check_size(name: str, value: int, patch_px: int) -> None:
    if not patch_px <= value <= MAX_SIZE_PX or value % 32:
        raise InputError(
            f"{name} = {value} px: a multiple of 32 from {patch_px} to {MAX_SIZE_PX} is needed"
        )
