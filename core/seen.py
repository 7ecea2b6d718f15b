"""What a metallographer would measure in a micrograph, as `core.structure_model` reads it.

Of the specimens that nothing was fitted to it is kept beside their latents (`core.calibrate`).
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from core.dataset import DataSet
from core.encode import LatentTable
from core.errors import CheckpointError
from core.field_descriptors import kind_of, measure_fields
from core.files import read_json, storing, write_json
from core.json_values import number, rounded, texts
from core.scale import read_to_scale
from core.structure_model import StructureModel

Seen = tuple[Mapping[str, float | None], float]  # descriptor -> value, and the area, mm2

FILE = "structure.json"
FORMAT = 1
DIGITS = 5  # that are kept


def seen_fields(structure: StructureModel | None, data: DataSet, um_per_px: float) -> list[Seen]:
    """Measure the first micrograph of every specimen of a data set, as an upload is measured.

    Args:
        structure: says what is measured; None: nothing is.
        data: the data set.
        um_per_px: scale that its micrographs are brought to.
    """
    if structure is None:
        return [({}, 0.0)] * len(data.specimens)
    names = data.table["specimen"].to_numpy()

    def measured(specimen: object) -> Seen:
        row = int(np.flatnonzero(names == specimen)[0])
        pixels = read_to_scale(data, row, um_per_px)
        values = measure_fields([pixels], um_per_px, kind_of(structure.inputs))
        return values, pixels.size * um_per_px**2 * 1e-6

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(measured, data.specimens.index))


def first_file(table: LatentTable, specimen: str) -> str:
    """Return the file of a specimen's first micrograph; IndexError where it has none."""
    return str(table.file[table.specimen == specimen][0])


def as_kept(seen: Mapping[str, Seen], inputs: tuple[str, ...]) -> dict[str, Seen]:
    """Return what the file keeps: the descriptors that are read, with `DIGITS` digits."""
    kept = {}
    for specimen, (values, area_mm2) in seen.items():
        told = {name: values.get(name) for name in inputs}
        kept[specimen] = rounded(told, DIGITS), area_mm2
    return kept


def forget_seen(folder: Path) -> None:
    """Remove what was measured, before the latents beside it are replaced.

    A crash between the two then leaves latents without it, which are read, and not those of other
    specimens with it, which are refused.

    Raises:
        StorageError: it cannot be removed.
    """
    path = folder / FILE
    with storing(path):
        path.unlink(missing_ok=True)


def save_seen(folder: Path, seen: Mapping[str, Seen], data_hash: str) -> None:
    """Write what was measured in specimens of a data set into a folder, atomically.

    Args:
        folder: of their latents.
        seen: specimen -> what `as_kept` returns.
        data_hash: of the data set.
    """
    inputs = list(next(iter(seen.values()))[0]) if seen else []
    rows = {name: [area, *values.values()] for name, (values, area) in seen.items()}
    content = {"format": FORMAT, "data_hash": data_hash, "inputs": inputs, "specimens": rows}
    write_json(folder / FILE, content, compact=True)


def load_seen(folder: Path, table: LatentTable) -> dict[str, Seen]:
    """Read what was measured in the specimens of a folder's latents; nothing where not kept.

    Raises:
        CheckpointError: it is damaged, or of other specimens.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    content = read_json(path)
    again = "run python -m core.calibrate again"
    try:
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}")
        inputs = texts(content["inputs"], "inputs")
        found: dict[str, Seen] = {}
        for name, (area, *values) in content["specimens"].items():
            told = [v if v is None else number(v, name) for v in values]
            found[str(name)] = dict(zip(inputs, told, strict=True)), number(area, "area", 0)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path} is damaged: {error}; {again}") from error
    if content.get("data_hash") != table.data_hash or not found.keys() <= set(table.specimen):
        raise CheckpointError(f"{path} is of other specimens than the latents beside it; {again}")
    return found
