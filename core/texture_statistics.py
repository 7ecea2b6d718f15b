"""Statistics of a micrograph that know nothing of VGG19: what tells real from generated.

Families, each at several scales: grey levels, gradients, local binary patterns (Ojala, Pietikäinen
and Mäenpää 2002, IEEE TPAMI 24(7)), power spectrum, the dark phase's particles and two-point
correlation, and the joint statistics of Portilla and Simoncelli (`core.metrics.portilla`).
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage, stats
from skimage.feature import local_binary_pattern
from skimage.measure import block_reduce

from core.errors import InputError
from core.images import to_uint8
from core.isotropy import anisotropy
from core.metrics.portilla import LEAST_PX, MULTIPLE_PX, texture_statistics
from core.metrics.two_point import dark_phase, two_point_correlation

Array = NDArray[np.float64]
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
REDUCTIONS = (1, 2, 4, 8)  # px averaged to one
GRADIENT_PX = (0.7, 1.5, 3.0)  # standard deviations of the smoothing
PATTERNS = ((1, 8, 1), (1, 16, 2), (1, 24, 3), (2, 8, 1), (2, 16, 2), (4, 8, 1))
RINGS = 24
LAGS_PX = (1, 2, 4, 8, 16, 32, 64)
CHUNK = 8


def family(name: str) -> str:
    """Return the family of a statistic: what its name begins with."""
    return name.split(": ", 1)[0]


def describe_textures(pictures: NDArray[np.float32]) -> tuple[tuple[str, ...], Array]:
    """Compute the statistics of grey pictures.

    The pictures are rounded to 8 bits first, as micrographs are stored, so that no statistic can
    tell a computed picture by grey levels between those.

    Args:
        pictures: (N, H, W) in [0, 1]; sides multiples of 16 px, 128 or more.

    Returns:
        Names ("family: statistic"), and values (N, F), all finite.

    Raises:
        InputError: the pictures have another shape, or values that are not finite.
    """
    pictures = np.asarray(pictures, dtype=np.float32)
    if pictures.ndim != 3 or len(pictures) == 0 or not np.isfinite(pictures).all():
        raise InputError(f"pictures must be (N, H, W), finite, N >= 1, not {pictures.shape}")
    if min(pictures.shape[1:]) < LEAST_PX or any(n % MULTIPLE_PX for n in pictures.shape[1:]):
        raise InputError(
            f"sides of {pictures.shape[1]} x {pictures.shape[2]} px: each must be at least "
            f"{LEAST_PX} px and a multiple of {MULTIPLE_PX} px"
        )
    rounded = to_uint8(pictures)
    rows = [dict(_single(picture)) for picture in rounded]
    names = tuple(rows[0])
    values = np.array([[row[name] for name in names] for row in rows])
    joint_names, joint = _portilla((rounded / 255).astype(np.float32))
    return (*names, *joint_names), np.concatenate([values, joint], axis=1)


def _single(picture: NDArray[np.uint8]) -> Iterator[tuple[str, float]]:
    """Yield the statistics of one picture that are computed without torch's pyramid."""
    pixels = picture.astype(float) / 255
    for share, value in zip(QUANTILES, np.quantile(pixels, QUANTILES), strict=True):
        yield f"grey levels: {100 * share:g} % quantile", value
    for px in REDUCTIONS:
        flat = block_reduce(pixels, px, np.mean).ravel()
        spread = float(flat.std())
        standard = (flat - flat.mean()) / max(spread, 1e-6)
        yield f"grey levels: deviation, {px} px", spread
        yield f"grey levels: skewness, {px} px", float((standard**3).mean())
        yield f"grey levels: kurtosis, {px} px", float((standard**4).mean())
    yield from _gradients(pixels)
    yield from _patterns(picture)
    yield from _spectrum(pixels)
    yield from _dark_phase(picture)


def _gradients(pixels: Array) -> Iterator[tuple[str, float]]:
    for px in GRADIENT_PX:
        size = ndimage.gaussian_gradient_magnitude(pixels, px)
        for share, value in zip(QUANTILES, np.quantile(size, QUANTILES), strict=True):
            name = f"gradients: {100 * share:g} % quantile of the logarithm, {px:g} px"
            yield name, float(np.log(value + 1e-4))
    yield "gradients: anisotropy", anisotropy(pixels)


def _patterns(picture: NDArray[np.uint8]) -> Iterator[tuple[str, float]]:
    """Yield square roots of the frequencies of rotation-invariant uniform binary patterns."""
    for reduction, points, radius in PATTERNS:
        reduced = block_reduce(picture, reduction, np.mean).round().astype(np.uint8)
        codes = local_binary_pattern(reduced, points, radius, method="uniform").astype(int)
        share = np.bincount(codes.ravel(), minlength=points + 2) / codes.size
        for code, value in enumerate(np.sqrt(share)):
            kind = f"{code} of {points}" if code <= points else f"not uniform, of {points}"
            yield f"local binary patterns: {kind} brighter, {radius * reduction} px", float(value)


def _spectrum(pixels: Array) -> Iterator[tuple[str, float]]:
    """Yield the logarithm of the mean power in rings of equal width in log frequency."""
    height, width = pixels.shape
    window = np.outer(np.hanning(height), np.hanning(width))
    power = np.abs(np.fft.rfft2((pixels - pixels.mean()) * window)) ** 2 / window.size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    edges = np.geomspace(2 / min(height, width), 0.5, RINGS + 1)
    ring = np.digitize(frequency, edges) - 1
    for number in range(RINGS):
        inside = power[ring == number]
        period = 1 / np.sqrt(edges[number] * edges[number + 1])
        if inside.size:  # the lowest rings of a small picture may hold no frequency
            yield f"power spectrum: period {period:.1f} px", float(np.log(inside.mean() + 1e-9))


def _dark_phase(picture: NDArray[np.uint8]) -> Iterator[tuple[str, float]]:
    tensor = torch.from_numpy(picture.astype(np.float32) / 255)[None, None]
    phase = dark_phase(tensor)
    correlation = two_point_correlation(phase)[0].numpy()
    yield "dark phase: area fraction", float(correlation[0])
    for lag in LAGS_PX:
        share = correlation[lag] / max(correlation[0], 1e-6)
        yield f"dark phase: two-point correlation at {lag} px, of its area", float(share)
    labels, count = ndimage.label(phase[0, 0].numpy(), np.ones((3, 3)))
    areas = np.bincount(labels.ravel())[1:].astype(float)
    yield "dark phase: logarithm of the number of particles", float(np.log1p(count))
    sizes = 2 * np.sqrt(areas / np.pi) if count else np.zeros(1)
    for share, value in zip(QUANTILES[2:], np.quantile(sizes, QUANTILES[2:]), strict=True):
        yield f"dark phase: {100 * share:g} % quantile of the diameter, px", float(value)
    yield "dark phase: skewness of the diameter", float(np.nan_to_num(stats.skew(sizes)))


def _portilla(pictures: NDArray[np.float32]) -> tuple[tuple[str, ...], Array]:
    """Return the joint statistics without those that symmetry leaves empty or makes equal."""
    names: tuple[str, ...] = ()
    rows = []
    for chunk in torch.from_numpy(pictures).unsqueeze(1).split(CHUNK):
        found = texture_statistics(chunk)
        names = tuple(
            f"Portilla-Simoncelli: {group.replace('_', ' ')} {i}"
            for group, values in found.items()
            for i in range(values.shape[1])
        )
        rows.append(torch.cat(list(found.values()), dim=1).numpy())
    return names, np.concatenate(rows)
