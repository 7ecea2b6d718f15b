"""How far apart the neighbourhoods of two pictures' pixels lie: noise, edges and thin lines."""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from core.errors import InputError

WINDOWS = ((1, 3), (1, 5), (2, 5), (4, 5))  # px averaged to one, then a side of the neighbourhood
DIRECTIONS = 24
CONTRASTS = 0.75  # of the distance's directions, those blind to the mean grey level
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
    parts = []
    for a, b in _projections(target, images, generator, CONTRASTS):
        spread = a.var(dim=2, correction=0).mean(dim=1)
        parts.append((a - b).square().mean(dim=(1, 2)) / (spread + FLOOR))
    return torch.stack(parts, dim=1)


def noise_error(target: Tensor, images: Tensor, generator: Generator) -> Tensor:
    """Compute how far the noise is from the originals', as a share of it, direction by direction.

    Over most of a micrograph nothing lies but noise, which so decides the middle half of the
    contrasts of neighbourhoods: the absolute logarithm of the two pictures' ratio of its width. A
    few hundredths, which hardly count in `neighbourhood_distance`, give a picture away.

    Arguments and errors as there.

    Returns:
        (B, windows) >= 0.
    """
    parts = []
    for a, b in _projections(target, images, generator, 1.0):
        widths = [_middle_width(x) + FLOOR for x in (a, b)]  # (B, directions) each
        parts.append((widths[0] / widths[1]).log().abs().mean(dim=1))
    return torch.stack(parts, dim=1)


def _projections(
    target: Tensor, images: Tensor, generator: Generator, contrasts: float
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield both pictures' sorted projections, (B, directions, n), window by window.

    ``contrasts`` is the share of the directions that are blind to the mean grey level.
    """
    if target.shape != images.shape or target.dim() != 4 or target.shape[1] != 1:
        raise InputError(
            f"images {tuple(images.shape)} and originals {tuple(target.shape)} must both be "
            "(B, 1, H, W)"
        )
    least = max(px * side for px, side in WINDOWS)
    if min(target.shape[2:]) < least:
        raise InputError(f"pictures of {tuple(target.shape[2:])} px are smaller than {least} px")
    for px, side in WINDOWS:
        directions = torch.randn((DIRECTIONS, 1, side, side), generator=generator)
        blind = directions[: int(contrasts * DIRECTIONS)]
        blind -= blind.mean(dim=(2, 3), keepdim=True)
        directions /= directions.flatten(1).norm(dim=1)[:, None, None, None]
        directions = directions.to(target.device)
        a, b = (_sorted(F.avg_pool2d(i.float(), px), directions) for i in (target, images))
        yield a, b


def _sorted(pictures: Tensor, directions: Tensor) -> Tensor:
    """Project the neighbourhoods of (B, 1, H, W), compress and sort, (B, directions, n)."""
    projected = torch.asinh(F.conv2d(pictures, directions) / NOISE)
    return projected.flatten(2).sort(dim=2).values


def _middle_width(ordered: Tensor) -> Tensor:
    """Return the mean distance from the mean of the middle half of (..., n), sorted."""
    count = ordered.shape[-1]
    middle = ordered[..., count // 4 : count - count // 4]
    return (middle - middle.mean(dim=-1, keepdim=True)).abs().mean(dim=-1)
