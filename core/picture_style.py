"""The style of pictures as a model's backbone sees it, and how far two styles lie apart."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from core.checkpoint import LoadedModel
from core.gram import LayerStatistics, style_statistics
from core.losses import relative_style_error

CHUNK = 8  # patches through VGG19 at once

Array = NDArray[np.float64]


@torch.no_grad()
def style_of(loaded: LoadedModel, pictures: NDArray[np.float32]) -> dict[str, LayerStatistics]:
    """Return the style statistics of pictures (N, H, W); average pooling, as measures are defined.

    Memory: 1.4 MB a picture.
    """
    network = loaded.vgg.with_pooling("average")
    tensor = torch.from_numpy(np.ascontiguousarray(pictures)).unsqueeze(1)
    chunks = [
        style_statistics(network(chunk.to(loaded.device), last="pool4"))
        for chunk in tensor.split(CHUNK if tensor.shape[2] <= 256 else 1)
    ]
    return {
        layer: LayerStatistics(
            *(torch.cat(part) for part in zip(*(c[layer] for c in chunks), strict=True))
        )
        for layer in chunks[0]
    }


def pick(
    statistics: Mapping[str, LayerStatistics], index: NDArray[np.intp]
) -> dict[str, LayerStatistics]:
    """Return the statistics of the pictures at ``index``."""
    rows = torch.from_numpy(np.asarray(index))
    return {n: LayerStatistics(s.mean[rows], s.covariance[rows]) for n, s in statistics.items()}


def style_distance(
    target: Mapping[str, LayerStatistics], found: Mapping[str, LayerStatistics]
) -> Array:
    """Return the relative style error by layer, (N, 5), of pictures against their targets."""
    return relative_style_error(target, found).double().cpu().numpy()


def style_errors(
    loaded: LoadedModel, first: NDArray[np.float32], second: NDArray[np.float32]
) -> Array:
    """Return the relative style error by layer, (N, 5), of second against first, (N, H, W) each."""
    return style_distance(style_of(loaded, first), style_of(loaded, second))
