"""Ferrite grain size by the intercept method (ASTM E112), where etching shows the boundaries."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.fft import irfft2, next_fast_len, rfft2
from skimage.filters import apply_hysteresis_threshold
from skimage.measure import label
from skimage.morphology import disk, skeletonize

DIRECTIONS = 12
LINE_SIGMA_PX = (1.2, 6.0)  # of the line detector, across and along
LINE_REACH_PX = 18  # of its kernel from the middle, three times the longer one
CLIP = 0.2  # of the matrix's level: pits and inclusions are darker than boundaries
STRONG_PERCENTILE = 99.0  # of the response: the strongest lines
LOW, HIGH = (1.7, 0.2), (3.0, 0.4)  # hysteresis: deviations of the noise, share of the strongest
GRAPHITE_RIM_PX = 5  # halo round dark phases, not searched
LEAST_LINE_PX = 15  # shorter lines are pits and scraps
SPUR_PX = 8
PINHOLE_PX = 40
LEAST_SEARCHED = 0.2  # of the picture
GAP_PX = 3  # gaps up to twice this close when cells are looked for
LARGEST_CELL = 0.5  # of the ferrite: boundaries that enclose nothing are no network
MOST_WORKERS = 4  # threads of a transform
LEAST_CROSSINGS = 50  # ASTM E112 asks for 50 intercepts a field

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Intercepts:
    """What test lines laid over one or more fields crossed.

    Attributes:
        crossings: grain boundaries crossed.
        length_um: length of the lines within the ferrite searched, um.
        reason: why there is nothing to count; None where boundaries were seen.
    """

    crossings: int
    length_um: float
    reason: str | None = None


def measure_intercepts(flat: NDArray[np.float32], dark: Mask, um_per_px: float) -> Intercepts:
    """Lay every row and column of a picture over its ferrite and count boundaries crossed.

    The rim of graphite and pearlite is neither searched nor counted, so the result holds for
    ferrite away from them. Boundaries count only where they form a network that parts the ferrite
    into cells: scratches, pits and noise of unetched irons do not.

    Args:
        flat: (H, W) picture with even light.
        dark: (H, W) graphite and pearlite.
        um_per_px: scale.
    """
    searched = ~ndimage.binary_dilation(dark, disk(GRAPHITE_RIM_PX))
    if searched.mean() < LEAST_SEARCHED:
        return Intercepts(0, 0.0, "too little ferrite between the dark phases")
    boundaries = find_boundaries(flat, dark, searched)
    cells = np.bincount(label(searched & ~ndimage.binary_dilation(boundaries, disk(GAP_PX))).flat)
    if len(cells) < 2 or cells[1:].max() > LARGEST_CELL * cells[1:].sum():
        return Intercepts(0, 0.0, "no network of grain boundaries can be seen; etch the specimen")
    crossings = count_crossings(boundaries)
    length = 2.0 * float(searched.sum()) * um_per_px
    if crossings < LEAST_CROSSINGS:
        reason = f"{crossings} grain boundaries crossed; {LEAST_CROSSINGS} are needed"
        return Intercepts(crossings, length, reason)
    return Intercepts(crossings, length)


def find_boundaries(flat: NDArray[np.float32], dark: Mask, searched: Mask) -> Mask:
    """Find grain boundaries: thin dark lines in the ferrite.

    Second derivatives of a Gaussian, long along the line, in twelve directions: the largest
    response less the mean over directions, which spares pits. Kept is what stands out of the noise
    and is not much fainter than the strongest lines, and what continues it more faintly.

    Args:
        flat: (H, W) picture with even light.
        dark: (H, W) graphite and pearlite.
        searched: (H, W) where to look.

    Returns:
        The boundaries, (H, W) bool, one pixel wide.
    """
    ferrite = _ferrite(flat, ~ndimage.binary_dilation(dark, disk(2)))
    largest = np.full(flat.shape, -np.inf, dtype=np.float32)
    total, noise = np.zeros_like(flat), 0.0
    for response in _responses(ferrite):
        np.maximum(largest, response, out=largest)
        total += response
        noise += 1.4826 * float(np.median(np.abs(response[searched]))) / DIRECTIONS
    line = np.where(searched, largest - total / DIRECTIONS, 0.0)
    strong = float(np.percentile(line[searched], STRONG_PERCENTILE))
    low, high = (max(n * noise, share * strong, 1e-6) for n, share in (LOW, HIGH))
    lines = skeletonize(_without_pinholes(apply_hysteresis_threshold(line, low, high)))
    for _ in range(2):
        lines = skeletonize(_without_spurs(lines))
    labels = label(lines, connectivity=2)
    keep = np.bincount(labels.ravel()) >= LEAST_LINE_PX
    keep[0] = False
    return keep[labels]


def _responses(ferrite: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield the response of each line detector, (H, W); the picture is transformed once."""
    reach = LINE_REACH_PX
    shape = tuple(next_fast_len(side + 2 * reach, real=True) for side in ferrite.shape)
    inner = tuple(slice(reach, reach + side) for side in ferrite.shape)
    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    picture = rfft2(ferrite, shape, workers=workers)
    for kernel in _line_detectors():
        product = picture * rfft2(kernel, shape, workers=workers)
        yield irfft2(product, shape, workers=workers)[inner]


def _without_pinholes(mask: Mask) -> Mask:
    """Fill holes below `PINHOLE_PX`, which a skeleton would go round."""
    holes = label(~mask, connectivity=1)
    small = np.bincount(holes.ravel()) < PINHOLE_PX
    small[0] = False
    return mask | small[holes]


def _without_spurs(lines: Mask) -> Mask:
    """Take off side branches shorter than `SPUR_PX`, which a rough edge leaves on a skeleton."""
    neighbours = ndimage.convolve(lines.astype(np.uint8), np.ones((3, 3), np.uint8)) - lines
    junctions = lines & (neighbours > 2)
    branches = label(lines & ~junctions, connectivity=2)
    length = np.bincount(branches.ravel())
    free, joined = (np.zeros(len(length), dtype=bool) for _ in range(2))
    free[branches[lines & (neighbours <= 1)]] = True
    joined[branches[ndimage.binary_dilation(junctions, np.ones((3, 3)))]] = True
    spur = free & joined & (length < SPUR_PX)
    spur[0] = False
    return lines & ~spur[branches]


def _ferrite(flat: NDArray[np.float32], known: Mask) -> NDArray[np.float32]:
    """Return the ferrite less its local mean, clipped; 0 where it is not known."""
    weight = ndimage.gaussian_filter(known.astype(np.float32), 8.0)
    mean = ndimage.gaussian_filter(np.where(known, flat, 0).astype(np.float32), 8.0)
    limit = CLIP * float(np.median(flat))
    contrast = np.clip(flat - mean / np.maximum(weight, 1e-3), -limit, limit)
    return np.where(known, contrast, 0).astype(np.float32)


def _line_detectors() -> list[NDArray[np.float32]]:
    """Return kernels that answer to dark lines, one for each direction; sum 0, norm 1."""
    across, along = LINE_SIGMA_PX
    reach = LINE_REACH_PX
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    kernels = []
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        u = (x * np.sin(angle) + y * np.cos(angle)) / across
        v = (x * np.cos(angle) - y * np.sin(angle)) / along
        kernel = (u**2 - 1) * np.exp(-(u**2 + v**2) / 2)
        kernel -= kernel.mean()
        kernels.append((kernel / np.linalg.norm(kernel)).astype(np.float32))
    return kernels


def count_crossings(boundaries: Mask) -> int:
    """Count where rows and columns cross boundaries (H, W), one for each run of pixels.

    Example:
        >>> lines = np.zeros((10, 10), dtype=bool)
        >>> lines[:, 4] = True
        >>> count_crossings(lines)  # ten rows and one column
        11
    """
    crossings = 0
    for lines in (boundaries, boundaries.T):
        before = np.pad(lines, ((0, 0), (1, 0)))[:, :-1]
        crossings += int((lines & ~before).sum())
    return crossings


def mean_intercept_um(intercepts: Intercepts) -> float | None:
    """Return the mean intercept length of ferrite grains, um; None without boundaries."""
    if intercepts.reason is not None or intercepts.crossings == 0:
        return None
    return intercepts.length_um / intercepts.crossings


def pool(fields: Sequence[Intercepts]) -> Intercepts:
    """Put the fields where boundaries were seen together; the first's reason if none."""
    seen = [found for found in fields if found.reason is None]
    if not seen:
        return fields[0]
    return Intercepts(sum(f.crossings for f in seen), sum(f.length_um for f in seen))


def grain_size_number(mean_intercept: float) -> float:
    """Return the ASTM E112 grain size number of a mean intercept in um.

    G = -6.643856 log10(l) - 3.288, l in mm (ASTM E112, equation for the intercept method).

    Example:
        >>> round(grain_size_number(113.1), 2)
        3.0
    """
    return float(-6.643856 * np.log10(mean_intercept / 1000) - 3.288)
