"""Distance of two pictures' Portilla-Simoncelli texture statistics; it knows nothing of VGG.

Portilla and Simoncelli 2000, "A parametric texture model based on joint statistics of complex
wavelet coefficients", IJCV 40(1), 49-71: about 700 statistics of a steerable pyramid (here of 4
scales and 4 orientations, neighbourhoods of 7 px, as computed by plenoptic) that were found
sufficient to make textures that people take for the same.

The statistics come in eleven groups of quite different units, so the distance is taken group by
group: ||s_x - s_y||^2 / (||s_x||^2 + ||s_y||^2), then averaged. The paper gives no distance.
"""

from functools import lru_cache

import torch
from plenoptic.models import PortillaSimoncelli
from torch import Tensor, nn

from core.metrics.inputs import check_images, check_pair

SCALES, ORIENTATIONS, NEIGHBOURHOOD_PX = 4, 4, 7
MULTIPLE_PX = 2**SCALES
LEAST_PX = MULTIPLE_PX * (NEIGHBOURHOOD_PX + 1)  # the coarsest band must hold a neighbourhood


def texture_statistics(images: Tensor) -> dict[str, Tensor]:
    """Compute the statistics of pictures (B, 1, H, W) in [0, 1], group -> (B, n) float64.

    Raises:
        InputError: a side is below `LEAST_PX` or no multiple of `MULTIPLE_PX`.
    """
    check_images(images, LEAST_PX, MULTIPLE_PX)
    model = _model(images.shape[2], images.shape[3], str(images.device))
    found = model.convert_to_dict(model(images.double()))
    # Redundant entries (symmetries) are NaN; zeros then count in no norm.
    return {name: torch.nan_to_num(values).flatten(1) for name, values in found.items()}


def portilla_simoncelli_distance(x: Tensor, y: Tensor) -> Tensor:
    """Compute the mean over groups of ||s_x - s_y||^2 / (||s_x||^2 + ||s_y||^2).

    Args:
        x: (B, 1, H, W) originals in [0, 1]; sides multiples of `MULTIPLE_PX`, at least `LEAST_PX`.
        y: the same for the pictures that are judged.

    Returns:
        (B,) in [0, 2] in the pictures' dtype, lower is better: 0 for equal statistics, 1 for
        unrelated ones. It is symmetric.

    Raises:
        InputError: the pictures cannot be compared.
    """
    check_pair(x, y, LEAST_PX, MULTIPLE_PX)
    first, second = texture_statistics(x), texture_statistics(y)
    parts = []
    for name, a in first.items():
        b = second[name]
        size = a.square().sum(dim=1) + b.square().sum(dim=1)
        parts.append((a - b).square().sum(dim=1) / size.clamp_min(1e-300))
    return torch.stack(parts, dim=1).mean(dim=1).to(x.dtype)


class PortillaSimoncelliDistance(nn.Module):
    """`portilla_simoncelli_distance` as a module."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """See `portilla_simoncelli_distance`."""
        return portilla_simoncelli_distance(x, y)


@lru_cache(maxsize=4)
def _model(height: int, width: int, device: str) -> PortillaSimoncelli:
    """Return plenoptic's model for one size of picture."""
    model = PortillaSimoncelli(
        (height, width),
        n_scales=SCALES,
        n_orientations=ORIENTATIONS,
        spatial_corr_width=NEIGHBOURHOOD_PX,
    )
    return model.double().eval().requires_grad_(False).to(device)
