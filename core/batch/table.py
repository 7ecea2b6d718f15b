"""The rows of a batch as tables for spreadsheets."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.batch.rows import Row
from core.exports.spreadsheet import (
    DESCRIPTOR_HEADER,
    MODEL_HEADER,
    latents_csv,
    structure_cells,
    structure_header,
    to_csv,
)
from core.regressor import Regressor
from core.wording import titled

FIRST = ("Image", "Problem", "Width (px)", "Height (px)", "Scale (µm per px)")
USUAL = ("Unusual", "Distance (1 = limit)")
# The header's scale is that of FIRST.
DESCRIPTORS = DESCRIPTOR_HEADER[1:]


def batch_csv(
    rows: Sequence[Row], properties: Sequence[Regressor], origin: Sequence[object]
) -> str:
    """Return a batch as CSV, a file a row; what is not known is an empty cell.

    Args:
        rows: of the batch.
        properties: the model's property predictors, in the order of their columns.
        origin: cells under `MODEL_HEADER`.
    """
    header = [*FIRST, *USUAL]
    for one in properties:
        header += [titled(one), f"{one.label}, 90 % low", f"{one.label}, 90 % high"]
    any_material = any(row.structure is not None for row in rows)
    header += [*DESCRIPTORS, *(structure_header() if any_material else [])]
    cells = ([*_cells(row, properties, any_material), *origin] for row in rows)
    return to_csv([*header, "Remarks", *MODEL_HEADER], cells)


def batch_latents_csv(rows: Sequence[Row]) -> str:
    """Return the mean latents of the micrographs that could be evaluated."""
    return named_latents_csv([(row.name, row.mean_latent) for row in rows])


def named_latents_csv(found: Sequence[tuple[str, NDArray[np.float32] | None]]) -> str:
    """Return mean latents by file name; of a name that comes again the place is added."""
    latents: dict[str, NDArray[np.float32]] = {}
    for place, (name, latent) in enumerate(found, start=1):
        if latent is not None:
            latents[name if name not in latents else f"{name} ({place})"] = latent
    return latents_csv(latents)


def _cells(row: Row, properties: Sequence[Regressor], any_material: bool) -> list[object]:
    height, width = row.size_px or (None, None)
    cells: list[object] = [row.name, row.problem, width, height, row.um_per_px]
    cells += [row.unusual, row.distance]
    for one in properties:
        found = (row.predictions or {}).get(one.column)
        cells += [None] * 3 if found is None else [found.value, found.low, found.high]
    measured = row.descriptors[1:] if row.descriptors else [None] * len(DESCRIPTORS)
    of_structure = structure_cells(row.structure) if any_material else []
    return [*cells, *measured, *of_structure, "; ".join(row.remarks)]
