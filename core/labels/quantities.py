"""What a traversal is measured by: descriptors of the structure, and looks of the picture."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.dataset import DataSet
from core.descriptors import SCALARS, measure_field, sum_up
from core.errors import InputError
from core.labels.picture_quantities import picture_quantities
from core.scale import read_to_scale

MATRIX_GREY = "matrix_grey_pct"
FIELD_PX = 512  # of a micrograph, its middle, that a specimen is measured by
LEAST_SPREAD = 0.01  # of the mean: a quantity that hardly differs is not known better than that
LEAST_SPECIMENS = 4  # that must have a descriptor for its spread to be known

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number measured on pictures.

    Attributes:
        name: in code; of `core.descriptors.SCALARS` or `core.labels.picture_quantities`.
        label, unit: for people.
        word: what labels call it.
        family: of several of one family a label names the strongest only.
        of_picture: it tells of the picture rather than of the structure: named after all that do.
    """

    name: str
    label: str
    unit: str
    word: str
    family: str
    of_picture: bool = False


_WORDS = {  # descriptor -> word in labels, family
    "graphite_pct": ("graphite area", "amount"),
    "particles_per_mm2": ("particle count", "count"),
    "diameter_um": ("particle size", "size"),
    "correlation_length_um": ("coarseness", "size"),
    "nodularity_iso_pct": ("nodularity", "shape"),
    "roundness": ("roundness", "shape"),
    "flake_length_um": ("flake length", "length"),
    "flake_thickness_um": ("flake thickness", "thickness"),
    "grain_intercept_um": ("grain size", "grains"),
}
QUANTITIES = (
    *(Quantity(s.name, s.label, s.unit, *_WORDS[s.name]) for s in SCALARS if s.name in _WORDS),
    Quantity("texture_length_um", "Texture length", "µm", "texture coarseness", "size", True),
    Quantity("matrix_texture_pct", "Matrix texture", "% of white", "matrix grain", "grain", True),
    Quantity("anisotropy", "Anisotropy", "1", "directionality", "direction", True),
    Quantity("contrast_pct", "Contrast of graphite", "% of white", "contrast", "contrast", True),
    Quantity("edge_width_um", "Width of edges", "µm", "edge softness", "edges", True),
    Quantity("noise_pct", "Noise of the matrix", "% of white", "noise", "noise", True),
    Quantity(
        "graphite_grey_pct",
        "Graphite grey level",
        "% of white",
        "graphite brightness",
        "graphite grey",
        True,
    ),
    Quantity(
        MATRIX_GREY, "Matrix grey level", "% of white", "matrix brightness", "matrix grey", True
    ),
)


def measure_picture(pixels: NDArray[np.floating], um_per_px: float) -> Array:
    """Measure one picture.

    Args:
        pixels: (H, W) in [0, 1]; graphite dark.
        um_per_px: scale.

    Returns:
        (Q,) in the order and units of `QUANTITIES`; NaN where there is nothing to measure it on.

    Raises:
        InputError: not a grey picture, or an implausible scale.
    """
    field = measure_field(pixels, um_per_px)
    found = sum_up([field]).scalars() | picture_quantities(pixels, field.graphite, um_per_px)
    values = (found[quantity.name] for quantity in QUANTITIES)
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def measure_specimens(data: DataSet, um_per_px: float, most: int) -> Array:
    """Measure the middle of one micrograph each of specimens spread over a data set.

    Args:
        data: the data set.
        um_per_px: scale to bring the micrographs to.
        most: specimens at most, evenly spaced in the data set's order.

    Returns:
        (S, Q).
    """
    names = data.table["specimen"].to_numpy()
    specimens = list(data.specimens.index)
    chosen = np.unique(np.linspace(0, len(specimens) - 1, min(most, len(specimens))).astype(int))
    rows = [int(np.flatnonzero(names == specimens[place])[0]) for place in chosen]

    def measured(row: int) -> Array:
        return measure_picture(_middle(read_to_scale(data, row, um_per_px)), um_per_px)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return np.stack(list(pool.map(measured, rows)))


def spreads(measured: Array) -> Array:
    """Return the standard deviation of each quantity over specimens (S, Q).

    Returns:
        (Q,), at least `LEAST_SPREAD` of the mean; NaN where it is zero or fewer than
        `LEAST_SPECIMENS` specimens have the quantity.

    Raises:
        InputError: no quantity has a spread.
    """
    found = np.full(measured.shape[1], np.nan)
    for place, column in enumerate(measured.T):
        known = column[np.isfinite(column)]
        if len(known) >= LEAST_SPECIMENS and np.ptp(known) > 0:
            floor = LEAST_SPREAD * abs(float(known.mean()))
            found[place] = max(float(known.std(ddof=1)), floor)
    if not np.isfinite(found).any():
        raise InputError(
            f"none of the descriptors differs between at least {LEAST_SPECIMENS} specimens of the "
            "data set: there is nothing to name latents by"
        )
    return found


def column_of(name: str, quantities: Sequence[Quantity] = QUANTITIES) -> int:
    """Return the place of a quantity."""
    return [quantity.name for quantity in quantities].index(name)


def _middle(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    top, left = (max((side - FIELD_PX) // 2, 0) for side in pixels.shape)
    return pixels[top : top + FIELD_PX, left : left + FIELD_PX]
