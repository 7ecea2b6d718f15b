"""Gram matrices and moments of VGG19 features: how style is described (the paper's section 3.2).

Gatys, Ecker and Bethge 2015, arXiv:1505.07376.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.errors import InputError
from core.vgg import STYLE_LAYERS

Features = Mapping[str, Tensor]


class LayerStatistics(NamedTuple):
    """First and second moments of one layer's features over positions.

    The Gram matrix is covariance + mean mean^T; keeping the two apart loses no digits.
    """

    mean: Tensor  # (B, C)
    covariance: Tensor  # (B, C, C)

    @property
    def gram(self) -> Tensor:
        """F F^T / (H W), (B, C, C)."""
        return self.covariance + self.mean.unsqueeze(2) * self.mean.unsqueeze(1)


Statistics = Mapping[str, LayerStatistics]


def gram(features: Tensor) -> Tensor:
    """Compute the Gram matrix G = F F^T / (H W) of each image's features.

    Args:
        features: (B, C, H, W).

    Returns:
        (B, C, C), symmetric, positive semi-definite.

    Raises:
        InputError: the features have another number of dimensions.

    Example:
        >>> gram(torch.tensor([[[[1.0, 3.0]]]]))
        tensor([[[5.]]])
    """
    flat = _flatten(features)  # (B, C, H W)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def style_statistics(features: Features, layers: Sequence[str] = STYLE_LAYERS) -> Statistics:
    """Compute mean and covariance over positions for each of the layers, in float32 or wider.

    Args:
        features: layer -> (B, C, H, W).
        layers: which layers; each must be in ``features``.

    Raises:
        InputError: a layer is missing or has another number of dimensions.
    """
    statistics = {}
    for layer in layers:
        if layer not in features:
            raise InputError(f"features lack the layer {layer!r}; there are {tuple(features)}")
        flat = _flatten(features[layer])  # (B, C, H W)
        mean = flat.mean(dim=2)  # (B, C)
        centred = flat - mean.unsqueeze(2)
        covariance = centred @ centred.transpose(1, 2) / flat.shape[2]
        statistics[layer] = LayerStatistics(mean, covariance)
    return statistics


def _flatten(features: Tensor) -> Tensor:
    if features.dim() != 4 or 0 in features.shape:
        raise InputError(f"features must be (B, C, H, W), not {tuple(features.shape)}")
    if features.dtype in (torch.float16, torch.bfloat16):
        features = features.float()  # sums over 16,384 positions need the digits
    return features.flatten(2)  # (B, C, H W)
