"""The denoiser's two files in a model's folder: ``denoiser.json`` and ``denoiser.safetensors``."""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from core.denoiser.network import Denoiser, DenoiserConfig
from core.denoiser.sampling import WAY
from core.errors import CheckpointError, ConfigError
from core.files import json_bytes, read_json, settled, sha256_file, write_together
from core.json_values import number, text, whole
from core.tensors import check_tensors, read_tensors, require_finite, stored_tensors

FORMAT = 1
ABOUT, WEIGHTS = "denoiser.json", "denoiser.safetensors"
TRAINING = "denoiser-training"  # folder, in the model's, of what a run needs to go on
_MAX_BYTES = 2**28


@dataclass(frozen=True)
class LoadedDenoiser:
    """A denoiser ready for use.

    Attributes:
        network: frozen, in evaluation mode.
        about: content of `denoiser.json`: settings, model, data, training, figures.
    """

    network: Denoiser
    about: dict[str, Any]

    @property
    def hash(self) -> str:
        """Its identity (`identity`)."""
        return identity(self.about)

    def prepared(self, precision: str) -> Denoiser:
        """Return the network for `finish` in "float32" or "bfloat16": the same pictures, sooner."""
        return self._lower if precision == "bfloat16" else self.network

    @cached_property
    def _lower(self) -> Denoiser:
        """The network with bfloat16 weights, which otherwise every pass rounds anew."""
        lower = copy.deepcopy(self.network)
        for layer in lower.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                layer.to(torch.bfloat16)
        return lower


def identity(about: Mapping[str, Any]) -> str:
    """Return what tells how pictures are finished, a SHA-256 of weights, settings and `WAY`.

    Pictures of the same weights differ with the settings, and with how the sampling goes.

    Args:
        about: what is recorded of the denoiser, with all settings (`recorded_denoiser`).
    """
    parts = {"weights": about.get("weights_sha256"), "config": about["config"], "way": WAY}
    return hashlib.sha256(json_bytes(parts)).hexdigest()


def save_denoiser(folder: Path, network: Denoiser, about: Mapping[str, Any]) -> None:
    """Write a denoiser into its model's folder: weights in float16, both files or neither.

    ``about`` must hold "model_hash", of the weights of the model whose latents it has learned with.

    Raises:
        CheckpointError: a weight is not finite in float16.
        StorageError: the folder cannot be written; what was there is as it was.
    """
    tensors = stored_tensors(network)
    require_finite(tensors, "denoiser")
    weights = save(tensors)
    content = {
        **about,
        "format": FORMAT,
        "config": network.config.to_dict(),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "parameters": sum(p.numel() for p in network.parameters()),
    }
    write_together(Path(folder), {WEIGHTS: weights}, ABOUT, content)


def has_denoiser(folder: Path) -> bool:
    """Tell whether a model's folder holds a denoiser."""
    return (Path(folder) / ABOUT).is_file()


def denoiser_hash(folder: Path, model_hash: str) -> str | None:
    """Return the identity of the denoiser in a model's folder; None where there is none for it.

    One that was trained with other weights of the model does not count.

    Raises:
        CheckpointError: it is damaged.
    """
    about = about_denoiser(folder, model_hash)
    return None if about is None else identity(about)


def about_denoiser(folder: Path, model_hash: str | None) -> dict[str, Any] | None:
    """Return what is recorded of a model's denoiser; None where there is none for it.

    Raises:
        CheckpointError: it is damaged.
    """
    about = recorded_denoiser(folder)
    return None if about is None or about.get("model_hash") != model_hash else about


def recorded_denoiser(folder: Path) -> dict[str, Any] | None:
    """Return what is recorded of the denoiser in a model's folder, be it for other weights or not.

    Raises:
        CheckpointError: it is damaged.
    """
    return _read_about(folder) if has_denoiser(folder) else None


def _read_about(folder: Path) -> dict[str, Any]:
    """Read and check what is recorded, the settings with every one of them."""
    folder = Path(folder)
    about = read_json(folder / ABOUT)
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise CheckpointError(f"{folder / ABOUT} is not a denoiser of format {FORMAT}")
    try:
        _check_run(about)
        text(about.get("model_hash", ""), "model_hash")
        whole(about.get("parameters", 0), "parameters")
        earlier = about.get("earlier", {})
        if not isinstance(earlier, dict):
            raise ValueError(f"earlier must be an object, not {earlier!r:.80}")
        _check_run(earlier)
    except ValueError as error:
        raise CheckpointError(
            f"{folder / ABOUT} is damaged: {error}; put the denoiser there again"
        ) from error
    try:
        config = DenoiserConfig.from_dict(about.get("config", {}))
    except ConfigError as error:
        raise CheckpointError(f"{folder / ABOUT}: {error}") from error
    return about | {"config": config.to_dict()}


def _check_run(told: Mapping[str, Any]) -> None:
    """Refuse what cannot be of a training run, with ValueError."""
    for name in ("weights_sha256", "hardware"):
        text(told.get(name, ""), name)
    whole(told.get("steps", 0), "steps")
    number(told.get("seconds", 0.0), "seconds", 0)


def load_denoiser(folder: Path, model_hash: str, device: str = "cpu") -> LoadedDenoiser:
    """Load and check the denoiser in a model's folder.

    Raises:
        CheckpointError: missing, damaged, or of another model.
    """
    folder, about = Path(folder), _read_about(folder)
    if about.get("model_hash") != model_hash:
        raise CheckpointError(
            f"the denoiser in {folder} was trained with another model: run python -m core.denoiser "
            f"again, or remove {ABOUT} and {WEIGHTS}"
        )
    config = DenoiserConfig.from_dict(about["config"])
    path = settled(folder / WEIGHTS, about.get("weights_sha256"))
    found = read_tensors(path, _MAX_BYTES)
    if sha256_file(path) != about.get("weights_sha256"):
        raise CheckpointError(
            f"{folder / WEIGHTS} is not the file that {ABOUT} names: its sha256 differs"
        )
    _check_size(config, found, folder)
    network = Denoiser(config)
    check_tensors(found, stored_tensors(network), folder / WEIGHTS)
    network.load_state_dict({name: tensor.float() for name, tensor in found.items()})
    network.requires_grad_(False).eval()
    return LoadedDenoiser(network.to(device).to(memory_format=torch.channels_last), about)


def _check_size(config: DenoiserConfig, found: Mapping[str, Tensor], folder: Path) -> None:
    """Refuse settings whose network is larger than its file, before memory is taken for it."""
    least = sum(6 * 9 * c * c for c in config.channels) + config.width**2
    held = sum(tensor.numel() for tensor in found.values())
    if least > held:
        raise CheckpointError(
            f"{folder / ABOUT} and {WEIGHTS} disagree on the tensors: the settings ask for {least} "
            f"parameters at least, the file holds {held}; put the denoiser there again"
        )
