"""Two-point correlation of the dark phase, and the distance of two pictures' correlations.

S2(r) is the probability that two points at distance r both lie in the phase (Torquato, "Random
Heterogeneous Materials", 2002, section 2.2): S2(0) is the phase's area fraction, the slope at 0
its boundary length, what follows sizes and spacings. It knows nothing of VGG.

The dark phase (graphite in an unetched iron) is what lies below Otsu's threshold of the picture,
smoothed by 1 px against noise. S2 is averaged over directions.

The distance is reported of fields of `REPORTED_FROM_PX` and more, never of patches: a 128 px patch
of a sparse casting holds almost no graphite, Otsu's threshold then splits noise, and the relative
distance divides by next to nothing. Of pairs of real pictures of one casting (60 castings of the
design "fresh"), 33 % were above 1 at 128 px, 18 % at 256 px, 8 % at 320 px, 2 % at 512 px.
"""

import numpy as np
import torch
from scipy.fft import next_fast_len
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu
from torch import Tensor, nn

from core.metrics.inputs import check_images, check_pair

SMOOTHING_PX = 1.0
MAX_LAG_PX = 64
LEAST_PX = 2 * MAX_LAG_PX  # below it, no pairs of points at the largest distance
REPORTED_FROM_PX = 512


def dark_phase(images: Tensor) -> Tensor:
    """Return the pixels below Otsu's threshold of each picture, (B, 1, H, W) bool.

    A picture with one grey level has no dark phase.
    """
    masks = []
    for image in images.detach().cpu().numpy()[:, 0]:
        smooth = gaussian_filter(image.astype(np.float64), SMOOTHING_PX)
        if smooth.max() - smooth.min() < 1e-6:
            masks.append(np.zeros_like(smooth, dtype=bool))
        else:
            masks.append(smooth < threshold_otsu(smooth))
    return torch.from_numpy(np.stack(masks)).unsqueeze(1).to(images.device)


def two_point_correlation(phase: Tensor) -> Tensor:
    """Compute S2(r) of masks at distances r = 0, 1, ..., `MAX_LAG_PX` px.

    Pairs of points never reach over the edge; distances are rounded to whole px.

    Args:
        phase: (B, 1, H, W) bool or 0/1, sides of at least `LEAST_PX`.

    Returns:
        (B, MAX_LAG_PX + 1) float64 in [0, 1].
    """
    mask = phase.double()
    height, width = mask.shape[2:]
    # Zeros beside and below, as far as pairs reach, so that none wraps around.
    size = [next_fast_len(side + MAX_LAG_PX, real=True) for side in (height, width)]
    spectrum = torch.fft.rfft2(mask, s=size)
    hits = torch.fft.irfft2(spectrum * spectrum.conj(), s=size)
    rows, columns = (torch.fft.fftfreq(n, 1 / n, device=mask.device) for n in size)
    left = [(n - at.abs()).clamp_min(0).double() for n, at in ((height, rows), (width, columns))]
    pairs = left[0][:, None] * left[1][None, :]  # so many pairs of places lie so far apart
    distance = torch.hypot(rows[:, None], columns[None, :]).round().long()
    near = distance <= MAX_LAG_PX
    bins = distance[near]
    total = torch.zeros(len(mask), MAX_LAG_PX + 1, dtype=torch.float64, device=mask.device)
    count = torch.zeros_like(total[:1])
    total.index_add_(1, bins, hits[:, 0, near])
    count.index_add_(1, bins, pairs[near][None])
    return (total / count).clamp(0, 1)


def two_point_distance(x: Tensor, y: Tensor) -> Tensor:
    """Compute ||S2_x - S2_y|| / ||S2_x|| over r = 0 .. `MAX_LAG_PX` px of the dark phases.

    Args:
        x: (B, 1, H, W) originals in [0, 1], sides of at least `LEAST_PX`.
        y: the same for the pictures that are judged.

    Returns:
        (B,) >= 0 in the pictures' dtype, lower is better; 0.1 is ten per cent. Where x has no dark
        phase it is 0 if y has none either, else 1.

    Raises:
        InputError: the pictures cannot be compared.
    """
    check_pair(x, y, LEAST_PX)
    target, made = (two_point_correlation(dark_phase(images)) for images in (x, y))
    difference, size = (target - made).norm(dim=1), target.norm(dim=1)
    other = (difference > 0).double()
    return torch.where(size > 0, difference / size.clamp_min(1e-300), other).to(x.dtype)


class TwoPointDistance(nn.Module):
    """`two_point_distance` as a module."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """See `two_point_distance`."""
        return two_point_distance(x, y)


def area_fraction(images: Tensor) -> Tensor:
    """Return the dark phase's area fraction of pictures (B, 1, H, W), (B,) in [0, 1]."""
    check_images(images, 1)
    return dark_phase(images).double().mean(dim=(1, 2, 3))
