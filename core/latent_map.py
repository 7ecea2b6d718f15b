"""Latents in two dimensions, and the way from one to another as pictures."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.checkpoint import LoadedModel
from core.encode import LatentTable
from core.errors import InputError
from core.examples import Example
from core.scale import SCALE_TOLERANCE
from core.summaries import specimen_means
from core.synthesis import decode_many

Axes = Literal["patches", "specimens"]
MOST_STEPS = 25


@dataclass(frozen=True, slots=True)
class Projection:
    """Latents seen along two perpendicular axes.

    Attributes:
        points: (N, 2), in the latents' own scale: distances are theirs, or shorter.
        shares: of the variance (of patches or of specimen means, as asked) along each axis, 0 to 1.
    """

    points: NDArray[np.float32]
    shares: tuple[float, float]


def project(table: LatentTable, axes: Axes = "patches") -> Projection:
    """Project every patch on two principal axes.

    Args:
        table: latents of a data set, two patches or more.
        axes: "patches": along which patches differ most; "specimens": along which the means of the
            specimens differ most, so that the scatter within a specimen counts for less.

    Raises:
        InputError: the axes are unknown, there are too few rows, or they are all alike.

    Pearson 1901, doi:10.1080/14786440109462720. Signs are fixed: the largest weight is positive.
    """
    if axes not in get_args(Axes):
        raise InputError(f"axes {axes!r} are unknown; use one of {', '.join(get_args(Axes))}")
    mu = np.asarray(table.mu, dtype=np.float64)
    rows = mu if axes == "patches" else specimen_means(mu, table.specimen)[0]
    if len(rows) < 2 or mu.shape[1] < 2:
        raise InputError(f"{len(rows)} {axes} of {mu.shape[1]} latents cannot be mapped")
    centre = rows.mean(axis=0)
    _, strengths, directions = np.linalg.svd(rows - centre, full_matrices=False)
    variances = strengths**2
    if variances.sum() <= 1e-12:
        raise InputError(f"all {axes} have the same latents: the model tells nothing apart")
    if variances[1] <= 1e-9 * variances[0]:
        raise InputError(f"the {len(rows)} {axes} lie on a line; choose other axes for the map")
    two = directions[:2]  # (2, D)
    largest = np.abs(two).argmax(axis=1)
    two = two * np.where(two[[0, 1], largest] < 0, -1.0, 1.0)[:, None]
    shares = variances[:2] / variances.sum()
    points = ((mu - centre) @ two.T).astype(np.float32)
    return Projection(points, (float(shares[0]), float(shares[1])))


def decode_path(
    loaded: LoadedModel,
    start: NDArray[np.floating],
    end: NDArray[np.floating],
    steps: int,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Decode latents at even steps along the straight line between two, ends included.

    Args:
        loaded: the model.
        start, end: (D,) latents.
        steps: how many pictures, 2 to 25.
        seed: of the decoder's noise, the same for all, so that only the latents change.

    Returns:
        (steps, side, side) in [0, 1], a patch wide.

    Raises:
        InputError: too few or too many steps, or latents of another length or not finite.
    """
    if not 2 <= steps <= MOST_STEPS:
        raise InputError(f"steps = {steps}: 2 to {MOST_STEPS} pictures")
    share = np.linspace(0, 1, steps)[:, None]
    line = (1 - share) * np.asarray(start, np.float64) + share * np.asarray(end, np.float64)
    side = loaded.config.patch_px
    return decode_many(loaded, line.astype(np.float32), side, side, seed)


def may_hold(
    table: LatentTable,
    row: int,
    examples: tuple[Example, ...],
    um_per_px: float | None,
    patch_px: int,
) -> tuple[Example, ...]:
    """Return the example micrographs of the model that a patch may be in.

    Examples are the upper left part of one micrograph of their specimen; it is not told of which
    (`core.examples` takes the first that is usual). So whoever shows a patch of one compares its
    latents first (`core.patch_origin.latents_differ_by`).

    Args:
        table: latents of the data set that the examples are from.
        row: of the patch in the table.
        examples: of the model.
        um_per_px: the model's scale, in which corners are given.
        patch_px: side of a patch.
    """
    bottom, right = (int(v) + patch_px for v in table.corner[row])
    found = []
    for example in examples:
        scale = example.micrograph.um_per_px
        unscaled = scale is None or um_per_px is None
        same_scale = unscaled or abs((scale or 1) / (um_per_px or 1) - 1) <= SCALE_TOLERANCE
        height, width = example.micrograph.pixels.shape
        large = bottom <= height and right <= width
        if example.specimen == str(table.specimen[row]) and same_scale and large:
            found.append(example)
    return tuple(found)
