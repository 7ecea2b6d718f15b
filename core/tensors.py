"""Tensors in safetensors files: read with a limit, compared with what they should be."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from core.errors import CheckpointError
from core.files import read_bytes


def read_tensors(path: Path, max_bytes: int) -> dict[str, Tensor]:
    """Read a safetensors file of bounded size.

    Raises:
        CheckpointError: missing, too large or damaged.
    """
    data = read_bytes(path, max_bytes)
    try:
        return load(data)
    except (SafetensorError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is damaged: {error}; put the whole file there again"
        ) from error


def check_tensors(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path) -> None:
    """Compare names, shapes, dtypes and finiteness with what the config asks for.

    Raises:
        CheckpointError: at the first difference.
    """
    if odd := sorted(set(found) ^ set(expected)):
        raise CheckpointError(f"{path} and its config disagree on the tensors {odd[:5]}")
    for name, tensor in found.items():
        wanted = expected[name]
        if (tensor.shape, tensor.dtype) != (wanted.shape, wanted.dtype):
            raise CheckpointError(
                f"{path}: {name} is {tuple(tensor.shape)} {tensor.dtype}, not "
                f"{tuple(wanted.shape)} {wanted.dtype}"
            )
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} has values that are not finite")


def stored_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Return the tensors as they go to the disk: parameters in float16, buffers in float32."""
    kept = network.state_dict().keys()
    parameters = {name: p.detach().half() for name, p in network.named_parameters()}
    buffers = {name: b.detach().float() for name, b in network.named_buffers() if name in kept}
    return {n: t.cpu().contiguous() for n, t in (parameters | buffers).items()}


def require_finite(tensors: Mapping[str, Tensor], what: str) -> None:
    """Refuse to save tensors that hold what is no number.

    Raises:
        CheckpointError: one is not finite as it would go to the disk.
    """
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(
                f"{name} is not finite as {tensor.dtype}: the {what} is not saved"
            )
