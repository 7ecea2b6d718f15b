"""Checks that every metric makes of its images."""

import torch
from torch import Tensor

from core.errors import InputError


def check_images(images: Tensor, least_px: int, multiple_px: int = 1) -> None:
    """Check a batch of grey pictures.

    Args:
        images: should be (B, 1, H, W), floating, in [0, 1].
        least_px: smallest side.
        multiple_px: what both sides must be a multiple of.

    Raises:
        InputError: it is not; the message says which value is wrong and what is needed.
    """
    shape = tuple(images.shape)
    if images.dim() != 4 or shape[1] != 1 or shape[0] == 0:
        raise InputError(f"pictures must be (B, 1, H, W) with B > 0, not {shape}")
    if not images.is_floating_point():
        raise InputError(f"pictures must be floating point in [0, 1], not {images.dtype}")
    if min(shape[2:]) < least_px or any(side % multiple_px for side in shape[2:]):
        needed = f"at least {least_px} px"
        if multiple_px > 1:
            needed += f" and a multiple of {multiple_px} px"
        raise InputError(f"sides of {shape[2]} x {shape[3]} px: each must be {needed}")
    low, high = (float(value) for value in torch.aminmax(images.detach()))
    if not (low >= -1e-6 and high <= 1 + 1e-6):  # NaN fails, too
        raise InputError(f"grey levels must be in [0, 1]; they go from {low:g} to {high:g}")


def check_pair(x: Tensor, y: Tensor, least_px: int, multiple_px: int = 1) -> None:
    """Check two batches of pictures of one shape; see `check_images`.

    Raises:
        InputError: a batch is not as needed, or the shapes differ.
    """
    check_images(x, least_px, multiple_px)
    check_images(y, least_px, multiple_px)
    if x.shape != y.shape:
        raise InputError(f"pictures {tuple(x.shape)} and {tuple(y.shape)} differ in shape")
