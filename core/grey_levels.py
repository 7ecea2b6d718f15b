"""How far apart the grey levels of two images lie, at several scales."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from core.errors import InputError

GREY_SCALES = (1, 2, 4, 8, 16, 32)  # px


def grey_level_distance(
    target: Tensor, images: Tensor, scales: Sequence[int] = GREY_SCALES, floor: float = 1e-3
) -> Tensor:
    """Compute the relative squared Wasserstein-2 distance of grey levels, at several scales.

    Images are averaged over windows of s x s px; sorting both gives the exact distance in one
    dimension. Large s tells large particles from many small ones of the same area. After the
    histogram loss of Risser et al. 2017, arXiv:1701.08893; not in the paper.

    Args:
        target: (B, 1, H, W) originals, in [0, 1].
        images: (B, 1, H, W), the same size.
        scales: s, px.
        floor: added to the target's variance in the denominator, for blank images; > 0.

    Returns:
        (B, scales) >= 0; nearly 1 for an image with one grey level, the target's mean.

    Raises:
        InputError: the shapes differ.
    """
    if target.shape != images.shape or target.dim() != 4:
        raise InputError(
            f"images {tuple(images.shape)} and originals {tuple(target.shape)} must both be "
            "(B, 1, H, W)"
        )
    parts = []
    for scale in scales:
        x, y = (_sorted_greys(i, scale) for i in (target, images))  # (B, n)
        distance = (x - y).square().mean(dim=1)
        parts.append(distance / (x.var(dim=1, correction=0) + floor))
    return torch.stack(parts, dim=1)


def _sorted_greys(images: Tensor, scale: int) -> Tensor:
    """Return the grey levels of (B, 1, H, W) averaged over scale x scale px, sorted, (B, n)."""
    pooled = F.avg_pool2d(images.float(), scale, stride=max(scale // 2, 1))
    return pooled.flatten(1).sort(dim=1).values
