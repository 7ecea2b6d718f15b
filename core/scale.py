"""Bringing micrographs to one scale, so that a length in px means the same length in um."""

import numpy as np
from numpy.typing import NDArray
from skimage.transform import resize

from core.dataset import DataSet
from core.errors import InputError
from core.images import Micrograph

SCALE_TOLERANCE = 0.02  # relative difference of um_per_px below which nothing is resampled
SCALE_RANGE = (0.2, 5.0)  # resampling beyond this would invent or lose the structure
MAX_PIXELS = 40_000_000


def common_scale(data: DataSet) -> float | None:
    """Return the median um per px of a data set's micrographs, None where none is known."""
    known = data.scales[np.isfinite(data.scales)]
    return float(np.median(known)) if known.size else None


def scale_remarks(data: DataSet) -> tuple[str, ...]:
    """Say what is done with micrographs whose scale is unknown or differs; () where none is."""
    common, known = common_scale(data), np.isfinite(data.scales)
    if common is None:
        return ("no micrograph has a scale: all are taken to have the same, in px",)
    remarks = []
    if not known.all():
        first = data.table["file"].iloc[int(np.flatnonzero(~known)[0])]
        remarks.append(
            f"{(~known).sum()} of {len(known)} micrographs have no scale ({first} is the first): "
            f"taken to be {common:g} um per px"
        )
    other = known & (np.abs(data.scales / common - 1) > SCALE_TOLERANCE)
    if other.any():
        resampled = f"{other.sum()} of {len(known)} micrographs"
        remarks.append(f"{resampled} are resampled to {common:g} um per px")
    return tuple(remarks)


def read_to_scale(data: DataSet, row: int, um_per_px: float | None) -> NDArray[np.float32]:
    """Read a data set's micrograph and bring it to a scale; see `to_scale`."""
    return to_scale(data.read(row), um_per_px)[0]


def to_scale(
    micrograph: Micrograph, um_per_px: float | None
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Resample to a scale, the model's, where both are known.

    Args:
        micrograph: the image.
        um_per_px: the model's scale.

    Returns:
        Pixels (H, W) in [0, 1] and notes that say what was done.

    Raises:
        InputError: the scales are too far apart, or the image becomes too large.
    """
    if micrograph.um_per_px is None or um_per_px is None:
        assumed = f"scale not known: taken to be the model's, {um_per_px} um per px"
        return micrograph.pixels, (assumed,) if um_per_px else ()
    ratio = micrograph.um_per_px / um_per_px
    if abs(ratio - 1) <= SCALE_TOLERANCE:
        return micrograph.pixels, ()
    if not SCALE_RANGE[0] <= ratio <= SCALE_RANGE[1]:
        raise InputError(
            f"{micrograph.name} has {micrograph.um_per_px:g} um per px, the model {um_per_px:g}: "
            f"more than a factor of {SCALE_RANGE[1]:g} apart; use another magnification"
        )
    height, width = (max(round(n * ratio), 1) for n in micrograph.pixels.shape)
    if height * width > MAX_PIXELS:
        raise InputError(f"{micrograph.name} is too large at the model's scale; crop it first")
    scaled = resize(micrograph.pixels, (height, width), order=1, anti_aliasing=ratio < 1)
    note = f"resampled from {micrograph.um_per_px:g} to {um_per_px:g} um per px"
    return np.clip(scaled, 0, 1).astype(np.float32), (note,)
