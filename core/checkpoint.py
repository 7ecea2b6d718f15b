"""Model folders: `manifest.json` and `model.safetensors`, nothing that could run code."""

import hashlib
import importlib.metadata
import logging
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from core.denoiser.store import ABOUT as DENOISER
from core.denoiser.store import LoadedDenoiser, denoiser_hash, has_denoiser, load_denoiser
from core.errors import CheckpointError, ConfigError
from core.files import read_json, settled, sha256_file, write_together
from core.json_values import number, text, texts, truth, whole
from core.model import ModelConfig, TextureVAE
from core.tensors import check_tensors, read_tensors, require_finite, stored_tensors
from core.vgg import CHANNELS, VGG19, load_vgg19

FORMAT = 1
MANIFEST, WEIGHTS = "manifest.json", "model.safetensors"
PICTURE_PARTS = (WEIGHTS, DENOISER)  # what the pictures that a model makes depend on
MAX_WEIGHT_BYTES = 2**30
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedModel:
    """A model ready for use, with what is known about it.

    Attributes:
        vae: the trained parts, frozen, in evaluation mode.
        config: the model's settings.
        manifest: content of `manifest.json`: versions, seed, data, metrics.
        path: the model folder.
        denoiser: what finishes the pictures that it decodes, where one was trained.
    """

    vae: TextureVAE
    config: ModelConfig
    manifest: dict[str, Any]
    path: Path
    denoiser: LoadedDenoiser | None = None

    @cached_property
    def vgg(self) -> VGG19:
        """The backbone that the model was trained with, same pooling; read at its first use.

        Raises:
            CheckpointError: other weights are installed than those trained with.
        """
        vgg = load_vgg19(self.config.backbone, self.config.pooling)
        if vgg.sha256 != self.config.backbone_sha256:
            raise CheckpointError(
                f"this model was trained on VGG19 weights {self.config.backbone_sha256[:12]}..., "
                f"but here are {vgg.sha256[:12]}...; it cannot encode with those"
            )
        return vgg.to(self.device).to(memory_format=torch.channels_last)

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return next(self.vae.parameters()).device

    @property
    def hash(self) -> str:
        """SHA-256 of the weights file: the model's identity."""
        return str(self.manifest["weights_sha256"])

    @property
    def denoiser_hash(self) -> str | None:
        """What tells how pictures are finished (`core.denoiser.store.identity`); None: not."""
        return None if self.denoiser is None else self.denoiser.hash

    @property
    def um_per_px(self) -> float | None:
        """Scale of the micrographs that it was trained on, and of those that it makes."""
        scale = self.manifest.get("um_per_px")
        return float(scale) if isinstance(scale, (int, float)) and scale > 0 else None


def save_model(folder: Path, vae: TextureVAE, manifest: Mapping[str, Any]) -> None:
    """Write a model folder: weights in float16, buffers in float32, both files or neither.

    Args:
        folder: created where it does not exist.
        vae: the model; its config must name the backbone's hash.
        manifest: what else to record (JSON content); "config", "versions" and hashes are added.

    Raises:
        CheckpointError: the config names no backbone hash, or a weight is not finite in float16.
        StorageError: the folder cannot be written; what was there is as it was.
    """
    folder = Path(folder)
    if not vae.config.backbone_sha256:
        raise CheckpointError("the model's config names no backbone: set backbone_sha256")
    tensors = stored_tensors(vae)
    require_finite(tensors, "model")
    weights = save(tensors)
    content = {
        "date": datetime.now(UTC).date().isoformat(),
        **manifest,
        "format": FORMAT,
        "config": vae.config.to_dict(),
        "versions": versions(),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "parameters": sum(p.numel() for p in vae.parameters()),
    }
    write_together(folder, {WEIGHTS: weights}, MANIFEST, content)


def load_model(folder: Path, device: str = "cpu", backbone: bool = True) -> LoadedModel:
    """Load and check a model folder and the backbone it needs.

    Args:
        folder: written by `save_model`.
        device: torch's name of the device to compute on.
        backbone: whether to read the backbone now, or only when something is first encoded:
            decoding does without it.

    Raises:
        CheckpointError: missing, damaged, of another format, or trained on another backbone.
    """
    folder = Path(folder)
    manifest, config = _read_manifest(folder)
    weights = settled(folder / WEIGHTS, manifest.get("weights_sha256"))
    stored = read_tensors(weights, MAX_WEIGHT_BYTES)
    if sha256_file(weights) != manifest.get("weights_sha256"):
        raise CheckpointError(
            f"{folder / WEIGHTS} is not the file that {MANIFEST} names: its sha256 differs"
        )
    _check_size(config, stored, folder)
    vae = TextureVAE(config)
    check_tensors(stored, stored_tensors(vae), folder / WEIGHTS)
    vae.load_state_dict({name: tensor.float() for name, tensor in stored.items()})
    vae.requires_grad_(False).eval()
    vae = vae.to(device).to(memory_format=torch.channels_last)
    denoiser = _its_denoiser(folder, str(manifest["weights_sha256"]), device)
    loaded = LoadedModel(vae, config, manifest, folder, denoiser)
    if backbone:
        _ = loaded.vgg
    return loaded


def _its_denoiser(folder: Path, model_hash: str, device: str) -> LoadedDenoiser | None:
    """Load the denoiser of a model; None where there is none for these weights."""
    if not has_denoiser(folder):
        return None
    if denoiser_hash(folder, model_hash) is None:
        logger.warning(
            "%s: the denoiser was trained with other weights of the model and is left out; "
            "run python -m core.denoiser again",
            folder,
        )
        return None
    return load_denoiser(folder, model_hash, device)


def read_config(folder: Path) -> ModelConfig:
    """Return the settings of the model in a folder, without its weights.

    Raises:
        CheckpointError: missing, damaged or of another format.
    """
    return _read_manifest(folder)[1]


def _read_manifest(folder: Path) -> tuple[dict[str, Any], ModelConfig]:
    manifest = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise CheckpointError(f"{folder / MANIFEST} is not a model of format {FORMAT}")
    try:
        config = ModelConfig.from_dict(manifest.get("config", {}))
    except ConfigError as error:
        raise CheckpointError(f"{folder / MANIFEST}: {error}") from error
    _check_manifest(manifest, folder / MANIFEST)
    return manifest, config


def _check_size(config: ModelConfig, stored: Mapping[str, Tensor], folder: Path) -> None:
    """Refuse a config whose model is larger than its file, before memory is taken for it.

    Raises:
        CheckpointError: its convolutions, head and first layer alone have more parameters.
    """
    widths, cells = config.channels, (config.patch_px // 32) ** 2
    least = 9 * sum(a * b for a, b in pairwise(widths))
    if config.decoder == "texture":
        least += 9 * sum(a * a for a in widths)
    else:
        least += config.latents * widths[0] * cells
    if config.head == "pool5":
        least += 2 * CHANNELS["pool5"] * cells * config.latents
    else:
        least += 2 * sum(CHANNELS.values()) * config.hidden
    held = sum(tensor.numel() for tensor in stored.values())
    if least > held:
        raise CheckpointError(
            f"{folder / MANIFEST} and {WEIGHTS} disagree on the tensors: the config asks for "
            f"{least} parameters at least, the file holds {held}; put the model there again"
        )


def _check_manifest(manifest: Mapping[str, Any], path: Path) -> None:
    """Check the types of what pages and reports show of a model; none of it need be there.

    Raises:
        CheckpointError: at the first entry of another type.
    """
    checks: dict[str, Callable[[Any, str], Any]] = {
        **dict.fromkeys(("name", "data_name", "data_hash", "weights_sha256", "date"), text),
        **dict.fromkeys(("images", "specimens", "parameters"), whole),
        "synthetic": truth,
        "training_specimens": texts,
        "um_per_px": lambda value, name: number(value, name, 0),
    }
    try:
        for name, check in checks.items():
            if manifest.get(name) is not None:
                check(manifest[name], name)
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: {error}; put the model there again") from error


def versions() -> dict[str, str]:
    """Return the versions that decide the numbers."""
    packages = ("torch", "torchvision", "numpy", "safetensors")
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"python": platform.python_version()} | found
