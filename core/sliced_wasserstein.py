"""Sliced Wasserstein distance of VGG19 features: whole distributions, not only their moments.

Heitz, Vanhoey, Chambon and Belcour 2021, "A Sliced Wasserstein Loss for Neural Texture Synthesis",
CVPR, arXiv:2006.07229. Gram matrices hold second moments: grey graphite of twice the area can have
those of black graphite, and does not have this distance's. Not in the paper.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from core.errors import InputError
from core.gram import Features

WASSERSTEIN_LAYERS = ("pool1", "pool2", "pool3", "pool4")  # sorting conv1_1 would cost too much
DIRECTIONS = 64


def sliced_wasserstein(
    target: Features,
    features: Features,
    generator: Generator,
    layers: Sequence[str] = WASSERSTEIN_LAYERS,
    directions: int = DIRECTIONS,
) -> Tensor:
    """Compute the relative squared sliced Wasserstein-2 distance of features, layer by layer.

    Features are projected on random directions; sorting both projections gives the exact distance
    in one dimension. The mean over directions is divided by the mean variance of the target's
    projections.

    Args:
        target: features of the originals, layer -> (B, C, H, W).
        features: of the images, the same sizes.
        generator: of the directions, on the CPU; another draw every time is what makes a few
            directions enough.
        layers: which layers.
        directions: how many.

    Returns:
        (B, layers) >= 0; nearly 1 for constant features, the target's mean.

    Raises:
        InputError: no layer is given, one is missing, or sizes differ.
    """
    if not layers:
        raise InputError("at least one layer is needed")
    parts = []
    for layer in layers:
        if layer not in target or layer not in features:
            raise InputError(f"features lack the layer {layer!r}")
        x, y = target[layer], features[layer]
        if x.shape != y.shape or x.dim() != 4:
            raise InputError(
                f"{layer}: features {tuple(y.shape)} and the originals' {tuple(x.shape)} must be "
                "of one size (B, C, H, W)"
            )
        vectors = torch.randn((directions, x.shape[1]), generator=generator)
        vectors = (vectors / vectors.norm(dim=1, keepdim=True)).to(x.device)
        a, b = (_sorted_projections(i, vectors) for i in (x, y))  # (B, n, H W)
        distance = (a - b).square().mean(dim=(1, 2))
        spread = a.var(dim=2, correction=0).mean(dim=1)
        # A blank original has no spread: then at least a thousandth of its mean square.
        floor = 1e-3 * a.square().mean(dim=(1, 2)) + torch.finfo(a.dtype).tiny
        parts.append(distance / (spread + floor))
    return torch.stack(parts, dim=1)


def _sorted_projections(features: Tensor, vectors: Tensor) -> Tensor:
    """Project (B, C, H, W) on vectors (n, C) and sort over positions, (B, n, H W) float32."""
    projected = vectors.to(features.dtype) @ features.flatten(2)  # (B, n, H W)
    return projected.float().sort(dim=2).values
