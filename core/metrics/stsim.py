"""STSIM-2: structural texture similarity from the statistics of a steerable pyramid's subbands.

Zujovic, Pappas and Neuhoff 2013, "Structural texture similarity metrics for image analysis and
retrieval", IEEE Trans. Image Processing 22(7), 2545-2558; the terms across subbands come from
Zhao, Reyes, Pappas and Neuhoff 2008, "Structural texture similarity metrics for retrieval
applications", ICIP. It has no weights and knows nothing of VGG.

A complex steerable pyramid (Portilla and Simoncelli 2000) of 3 scales x 4 orientations with its
highpass and lowpass residuals gives 14 subbands x. In each, with E over positions:

- l = (2 m_x m_y + C) / (m_x^2 + m_y^2 + C), m = E|x|;
- c, the same of the standard deviations s, s^2 = E|x - E x|^2;
- c01, c10 = 1 - |r_x - r_y| / 2, r the correlation of x with x one place to the right or below;

and (l c c01 c10)^(1/4) is the similarity of the subband. Across subbands come 26 terms
1 - |r_x - r_y| / 2, r the correlation of two subbands' magnitudes: six pairs of orientations at
each scale, four orientations at each two adjacent scales. STSIM-2 is the mean of the 14 + 26.

Where publications and public codes differ (`perceptual`, github.com/andreydung/Steerable-filter,
the usual reference; github.com/KaixuanZ/STSIM, a port to torch), this module does as follows:

- Global: E is over the whole picture, as in KaixuanZ's; `perceptual` averages over windows of
  7 x 7. Only global statistics are blind to position, and only they compare pictures of two sizes.
- l takes means of magnitudes, in the residuals too. `perceptual` takes the magnitude of the mean,
  which over a whole picture is zero in all subbands but the lowpass.
- s, c01 and c10 are of the complex coefficients (x times the conjugate of its neighbour), as in
  `perceptual`; KaixuanZ's takes them of magnitudes and so loses the phase.
- C = 0.001 is `perceptual`'s, for grey levels 0..255: pictures in [0, 1] are scaled to 0..255
  first, or C would hide faint textures. Subbands keep the grey levels' unit at all scales; the
  codes' grow fourfold a scale. r = (covariance + C) / (product of deviations + C), so r is 1 where
  nothing varies: two constant pictures differ in the lowpass's l alone.
- Subbands keep the picture's size (`perceptual` does so across subbands only), so that cyclic
  shifts leave every statistic alone; magnitudes of decimated ones depend on where sampling
  starts. One place is still a pixel of the decimated grid: 1, 2, 4 px at the three scales, 8 px in
  the lowpass, 1 px in the highpass.
- The pyramid's edges wrap around, so places do too. In a picture that does not tile, the seam
  counts as texture.
"""

from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import torch
from plenoptic.process import SteerablePyramidFreq
from torch import Tensor, nn

from core.errors import InputError
from core.metrics.inputs import check_images

SCALES, ORIENTATIONS = 3, 4
GREY_LEVELS = 255
CONSTANT = 1e-3  # squared grey levels of 0..255
LEAST_PX = 2 ** (SCALES + 2)  # the pyramid's
MULTIPLE_PX = 2  # its filters are off by half a frequency step for odd sides
CROSS_PAIRS = tuple(
    (scale * ORIENTATIONS + j, scale * ORIENTATIONS + k)
    for scale in range(SCALES)
    for j, k in combinations(range(ORIENTATIONS), 2)
) + tuple((k, k + ORIENTATIONS) for k in range((SCALES - 1) * ORIENTATIONS))


class TextureStatistics(NamedTuple):
    """All that STSIM-2 knows of B pictures; it does not depend on their size.

    The 14 subbands go from fine to coarse: highpass, orientations of each scale, lowpass. The 26
    pairs are `CROSS_PAIRS` of the 12 oriented ones.
    """

    mean: Tensor  # (B, 14) of magnitudes, grey levels 0..255
    deviation: Tensor  # (B, 14) grey levels 0..255
    horizontal: Tensor  # (B, 14) complex, at most 1 in magnitude
    vertical: Tensor  # (B, 14) complex, at most 1 in magnitude
    cross: Tensor  # (B, 26) in [-1, 1]


def texture_statistics(images: Tensor) -> TextureStatistics:
    """Compute the statistics that `compare` needs.

    Args:
        images: (B, 1, H, W) in [0, 1]; sides even and at least `LEAST_PX`.

    Returns:
        Statistics in float64 for float64 pictures, else in float32.

    Raises:
        InputError: the pictures are not as needed.
    """
    check_images(images, LEAST_PX, MULTIPLE_PX)
    images = images if images.dtype == torch.float64 else images.float()
    bands = _subbands(images)
    steps = [1, *(2**s for s in range(SCALES) for _ in range(ORIENTATIONS)), 2**SCALES]
    within = [_band_statistics(*pair) for pair in zip(bands, steps, strict=True)]
    mean, deviation, horizontal, vertical = (torch.stack(v, 1) for v in zip(*within, strict=True))
    cross = _cross_correlations([band.abs() for band in bands[1:-1]])
    return TextureStatistics(mean, deviation, horizontal, vertical, cross)


def compare(x: TextureStatistics, y: TextureStatistics) -> Tensor:
    """Compute STSIM-2 from statistics; the pictures' sizes may differ.

    Args:
        x: of B pictures, or of one that is compared with all of ``y``.
        y: of B pictures, or of one that is compared with all of ``x``.

    Returns:
        (B,) in [0, 1], higher is better; 1 for equal statistics. It is symmetric.

    Raises:
        InputError: the numbers of pictures differ and neither is 1.
    """
    counts = len(x.mean), len(y.mean)
    if counts[0] != counts[1] and 1 not in counts:
        raise InputError(
            f"statistics of {counts[0]} and of {counts[1]} pictures cannot be compared; give as "
            "many of each, or one of either"
        )
    level = _ratio(x.mean, y.mean)
    contrast = _ratio(x.deviation, y.deviation)
    structure = _agreement(x.horizontal, y.horizontal) * _agreement(x.vertical, y.vertical)
    product = _above_zero(level * contrast * structure)
    terms = torch.cat([product.pow(0.25), _agreement(x.cross, y.cross)], dim=1)  # (B, 40)
    return terms.mean(dim=1).clamp(0, 1)


def stsim2(x: Tensor, y: Tensor) -> Tensor:
    """Compute STSIM-2 of pictures, wherever in them the texture lies.

    Args:
        x: (B, 1, H, W) in [0, 1]; sides even and at least `LEAST_PX`.
        y: the same for the pictures that are judged; H and W may be others.

    Returns:
        (B,) in [0, 1], higher is better; 1 for equal pictures. Even unlike textures share much:
        print it beside the score of two real pictures of one specimen. It is symmetric,
        differentiable, in float64 if a picture is, else in float32.

    Raises:
        InputError: the pictures are not as needed, or the batches differ in length.

    Example:
        >>> dark, light = (torch.full((1, 1, 32, 32), grey) for grey in (0.2, 0.6))
        >>> print(f"{stsim2(dark, light).item():.4f}")  # (39 + 0.6^(1/4)) / 40
        0.9970
    """
    statistics = texture_statistics(x), texture_statistics(y)
    if len(x) != len(y):
        raise InputError(
            f"{len(x)} pictures cannot be compared with {len(y)}; give as many of each, or use "
            "compare for one with many"
        )
    return compare(*statistics)


class STSIM2(nn.Module):
    """`stsim2` as a module."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """See `stsim2`."""
        return stsim2(x, y)


def _subbands(images: Tensor) -> list[Tensor]:
    """Return the 14 subbands, fine to coarse, each (B, H, W) in grey levels 0..255.

    The 12 oriented ones are complex, the residuals real.
    """
    height, width = images.shape[2:]
    pyramid = _pyramid(height, width, images.dtype, str(images.device))
    found = pyramid(GREY_LEVELS * images)
    bands = [found["residual_highpass"][:, 0]]
    for scale in range(SCALES):
        oriented = found[scale][:, 0] / 2**scale  # (B, 4, H, W); plenoptic doubles at each scale
        bands.extend(oriented.unbind(dim=1))
    return [*bands, found["residual_lowpass"][:, 0] / 2**SCALES]


@lru_cache(maxsize=2)
def _pyramid(height: int, width: int, dtype: torch.dtype, device: str) -> SteerablePyramidFreq:
    """Return the pyramid for one size of picture; it keeps some 30 arrays of that size."""
    pyramid = SteerablePyramidFreq(
        (height, width),
        height=SCALES,
        order=ORIENTATIONS - 1,
        is_complex=True,
        downsample=False,
    )
    return pyramid.to(device=device, dtype=dtype)


def _band_statistics(band: Tensor, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return mean magnitude, deviation, horizontal and vertical correlation of one subband.

    Args:
        band: (B, H, W) real or complex.
        step: distance of neighbours, px.

    Returns:
        Each (B,); the correlations complex.
    """
    centred = band - band.mean(dim=(1, 2), keepdim=True)
    variance = (centred * centred.conj()).real.mean(dim=(1, 2))
    correlations = []
    for dim in (2, 1):
        covariance = (centred * centred.roll(-step, dim).conj()).mean(dim=(1, 2))
        correlations.append(torch.complex(covariance.real, _imaginary(covariance)) + CONSTANT)
    right, below = (values / (variance + CONSTANT) for values in correlations)
    return band.abs().mean(dim=(1, 2)), _above_zero(variance).sqrt(), right, below


def _imaginary(values: Tensor) -> Tensor:
    return values.imag if values.is_complex() else torch.zeros_like(values)


def _cross_correlations(magnitudes: list[Tensor]) -> Tensor:
    """Return the correlations of `CROSS_PAIRS` of 12 magnitudes (B, H, W), (B, 26) in [-1, 1]."""
    centred = [m - m.mean(dim=(1, 2), keepdim=True) for m in magnitudes]
    deviations = [_above_zero(m.square().mean(dim=(1, 2))).sqrt() for m in centred]
    correlations = []
    for j, k in CROSS_PAIRS:
        covariance = (centred[j] * centred[k]).mean(dim=(1, 2))
        correlations.append((covariance + CONSTANT) / (deviations[j] * deviations[k] + CONSTANT))
    return torch.stack(correlations, dim=1)


def _ratio(x: Tensor, y: Tensor) -> Tensor:
    """Compare two means or deviations in (0, 1]; 1 for equal ones."""
    return (2 * x * y + CONSTANT) / (x * x + y * y + CONSTANT)


def _agreement(x: Tensor, y: Tensor) -> Tensor:
    """Compare two correlations in [0, 1]; 1 for equal ones."""
    return 1 - 0.5 * (x - y).abs()


def _above_zero(values: Tensor) -> Tensor:
    """Keep a root's slope finite, and out of reach of rounding below zero."""
    return values.clamp_min(torch.finfo(values.dtype).tiny)
