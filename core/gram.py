"""Gram matrices and moments of VGG19 features: how style is described (the paper's section 3.2).

Gatys, Ecker and Bethge 2015, arXiv:1505.07376.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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
    flat = widened(_flatten(features))  # (B, C, H W)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def style_statistics(features: Features, layers: Sequence[str] = STYLE_LAYERS) -> Statistics:
    """Compute mean and covariance over positions for each of the layers, float32 or wider.

    Of bfloat16 features the products are of bfloat16 numbers and rounded to bfloat16: 0.2 % an
    entry, as the features themselves.

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
        if flat.dtype == torch.bfloat16:
            mean, covariance = _RoundedMoments.apply(flat)
        else:
            flat = widened(flat)
            mean = flat.mean(dim=2)  # (B, C)
            centred = flat - mean.unsqueeze(2)
            covariance = centred @ centred.transpose(1, 2) / flat.shape[2]
        statistics[layer] = LayerStatistics(mean, covariance)
    return statistics


class _RoundedMoments(torch.autograd.Function):
    """Moments of (B, C, N) bfloat16 features: products of matrices and little else.

    In float32 they took a third of a training step on CPUs with matrix instructions for bfloat16.
    The gradient is bfloat16, too, in one product: the centring has none, since centred features
    sum to zero.
    """

    @staticmethod
    def forward(ctx: Any, flat: Tensor) -> tuple[Tensor, Tensor]:
        positions = flat.shape[2]
        # As a product several times faster than a sum where channels are last.
        ones = flat.new_ones((len(flat), positions, 1))
        rounded = flat @ ones / positions  # (B, C, 1)
        centred = flat - rounded
        rest = (centred @ ones).float() / positions  # what rounding has left of the mean
        ctx.save_for_backward(centred, rest)
        covariance = (centred @ centred.transpose(1, 2)).float() / positions
        covariance -= rest @ rest.transpose(1, 2)
        return (rounded.float() + rest).squeeze(2), covariance

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, of_mean: Tensor, of_covariance: Tensor) -> Tensor:  # type: ignore[override]
        centred, rest = ctx.saved_tensors
        scale = 1 / centred.shape[2]
        both = (of_covariance + of_covariance.transpose(1, 2)) * scale
        level = (of_mean * scale).unsqueeze(2) - both @ rest
        return torch.baddbmm(level.to(centred.dtype), both.to(centred.dtype), centred)


def _flatten(features: Tensor) -> Tensor:
    if features.dim() != 4 or 0 in features.shape:
        raise InputError(f"features must be (B, C, H, W), not {tuple(features.shape)}")
    return features.flatten(2)  # (B, C, H W)


def widened(flat: Tensor) -> Tensor:
    """Return half precision as float32: sums over 16,384 positions need the digits."""
    return flat.float() if flat.dtype in (torch.float16, torch.bfloat16) else flat
