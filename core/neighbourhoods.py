"""How far apart the neighbourhoods of two pictures' pixels lie: noise, edges and thin lines."""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from core.errors import InputError

WINDOWS = ((1, 3), (1, 5), (2, 5), (4, 5))  # px averaged to one, then a side of the neighbourhood
DIRECTIONS = 24
CONTRASTS = 0.75  # of the directions, those blind to the mean grey level
NOISE = 0.02  # grey level beyond which differences count by their logarithm
FLOOR = 1e-3  # of the variance, for blank pictures


def neighbourhood_distance(target: Tensor, images: Tensor, generator: Generator) -> Tensor:
    """Compute the relative squared sliced Wasserstein-2 distance of pixels' neighbourhoods.

    As `core.sliced_wasserstein` does of features, after Heitz et al. 2021, arXiv:2006.07229: each
    neighbourhood is projected on random directions, and sorting both pictures' projections gives
    the exact distance in one dimension. Projections are compressed (inverse hyperbolic sine), so
    that a detector's noise counts beside edges that have thirty times its contrast.

    Args:
        target: (B, 1, H, W) originals, in [0, 1]; sides of 20 px or more.
        images: (B, 1, H, W), the same size.
        generator: of the directions, on the CPU; another draw every time makes a few enough.

    Returns:
        (B, windows) >= 0.

    Raises:
        InputError: the shapes differ, or are too small.
    """
    if target.shape != images.shape or target.dim() != 4 or target.shape[1] != 1:
        raise InputError(
            f"images {tuple(images.shape)} and originals {tuple(target.shape)} must both be "
            "(B, 1, H, W)"
        )
    least = max(px * side for px, side in WINDOWS)
    if min(target.shape[2:]) < least:
        raise InputError(f"pictures of {tuple(target.shape[2:])} px are smaller than {least} px")
    parts = []
    for px, side in WINDOWS:
        directions = torch.randn((DIRECTIONS, 1, side, side), generator=generator)
        contrasts = directions[: int(CONTRASTS * DIRECTIONS)]
        contrasts -= contrasts.mean(dim=(2, 3), keepdim=True)
        directions /= directions.flatten(1).norm(dim=1)[:, None, None, None]
        directions = directions.to(target.device)
        a, b = (_sorted(F.avg_pool2d(i.float(), px), directions) for i in (target, images))
        spread = a.var(dim=2, correction=0).mean(dim=1)
        parts.append((a - b).square().mean(dim=(1, 2)) / (spread + FLOOR))
    return torch.stack(parts, dim=1)


def _sorted(pictures: Tensor, directions: Tensor) -> Tensor:
    """Project the neighbourhoods of (B, 1, H, W), compress and sort, (B, directions, n)."""
    projected = torch.asinh(F.conv2d(pictures, directions) / NOISE)
    return projected.flatten(2).sort(dim=2).values
