"""What VGG19 sees of a picture, as one vector blind to position: each channel's mean and spread.

The inputs of the head "statistics" (`core.model`), and the space in which pictures are compared
with what a model has learned from (`core.usual`), whatever its head.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from core.vgg import CHANNELS


def style_vector(features: Mapping[str, Tensor]) -> Tensor:
    """Return square roots (to tame long tails) of each channel's mean and deviation over positions.

    Args:
        features: of all six layers, (B, C, H, W) each.

    Returns:
        (B, 3072) float32, layer by layer: means, then deviations.
    """
    parts = []
    for layer in CHANNELS:
        flat = features[layer].float().flatten(2)  # (B, C, H W)
        mean = flat.mean(dim=2)
        # torch.var_mean takes thirteen times as long on maps with their channels last.
        variance = (flat - mean.unsqueeze(2)).square().mean(dim=2)
        parts += [mean, _root(variance)]
    return _root(torch.cat(parts, dim=1))


def _root(x: Tensor) -> Tensor:
    """Return square roots, 0 of what is not positive; the gradient there is 0, not infinite."""
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1.0).sqrt(), 0.0)


def layer_slices() -> dict[str, slice]:
    """Return where each layer's entries stand in a style vector.

    >>> layer_slices()["pool1"]
    slice(128, 256, None)
    """
    found, start = {}, 0
    for layer, channels in CHANNELS.items():
        found[layer] = slice(start, start + 2 * channels)
        start += 2 * channels
    return found
