"""Random features for the tests of Gram matrices and losses."""

import torch

from core.vgg import STYLE_LAYERS


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def features(seed: int = 0, height: int = 6, width: int = 5) -> dict[str, torch.Tensor]:
    """Random features of two images at the five style layers, few channels each."""
    return {
        name: random(2, 2 + i, height, width, seed=10 * seed + i)
        for i, name in enumerate(STYLE_LAYERS)
    }


def row(*values: float) -> torch.Tensor:
    """One image, one channel, the values along a row."""
    return torch.tensor(values, dtype=torch.float64).view(1, 1, 1, -1)
