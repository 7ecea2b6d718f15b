"""What the descriptors say of each training specimen, kept beside the latents.

    python -m core.specimen_descriptors --data DIR --out MODEL/latents

measures all micrographs of each specimen, pooled, and writes ``descriptors.json``; `core.encode`
does it too. Only for graphite irons: elsewhere they mean nothing, and there is no file.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.dataset import DataSet, load_dataset
from core.descriptors import SCALARS, measure_field, sum_up
from core.descriptors.graphite_iron import looks_like_graphite_iron
from core.errors import CheckpointError, InputError, MicroDesignError
from core.files import read_json, write_json
from core.scale import common_scale, read_to_scale

FILE = "descriptors.json"
FORMAT = 1
LOOKED_AT = 8  # micrographs that decide whether the data show a graphite iron
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpecimenDescriptors:
    """Descriptors of the specimens of a data set.

    Attributes:
        data_hash: of the data set.
        values: name of a descriptor (`core.descriptors.SCALARS`) -> specimen -> value; None where
            the specimen does not have it.
    """

    data_hash: str
    values: Mapping[str, Mapping[str, float | None]]


def measure_specimens(data: DataSet) -> SpecimenDescriptors | None:
    """Measure every specimen's micrographs, pooled, at the data set's common scale.

    Returns:
        None where the scale is not known, or most micrographs show no graphite iron.

    Raises:
        InputError: a micrograph cannot be measured.
    """
    um_per_px = common_scale(data)
    if um_per_px is None or not _graphite_iron(data):
        return None
    names = data.table["specimen"].astype(str).to_numpy()
    values: dict[str, dict[str, float | None]] = {s.name: {} for s in SCALARS}
    for specimen in map(str, data.specimens.index):
        rows = np.flatnonzero(names == specimen)
        fields = [
            measure_field(read_to_scale(data, int(row), um_per_px), um_per_px) for row in rows
        ]
        for name, value in sum_up(fields).scalars().items():
            values[name][specimen] = None if value is None else float(value)
    return SpecimenDescriptors(data.hash, values)


def _graphite_iron(data: DataSet) -> bool:
    rows = np.unique(np.linspace(0, len(data) - 1, LOOKED_AT).round().astype(int))
    looks = [looks_like_graphite_iron(data.read(int(row)).pixels) for row in rows]
    return sum(looks) > len(looks) / 2


def save_descriptors(folder: Path, found: SpecimenDescriptors) -> None:
    """Write the descriptors into a folder of latents."""
    values = {name: dict(of) for name, of in found.values.items()}
    write_json(
        Path(folder) / FILE, {"format": FORMAT, "data_hash": found.data_hash, "values": values}
    )


def load_descriptors(folder: Path) -> SpecimenDescriptors | None:
    """Read the descriptors in a folder of latents, None where there are none.

    Raises:
        CheckpointError: the file is damaged.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return None
    content = read_json(path)
    try:
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']!r}")
        values = {
            str(name): {str(s): None if v is None else _finite(v) for s, v in of.items()}
            for name, of in content["values"].items()
        }
        if unknown := set(values) - {s.name for s in SCALARS}:
            raise ValueError(f"no descriptor is called {sorted(unknown)[0]!r}")
        return SpecimenDescriptors(str(content["data_hash"]), values)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged: {error}; run core.encode again") from error


def _finite(value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def measure_into(folder: Path, data: DataSet) -> bool:
    """Measure a data set's specimens into a folder of latents; tell whether there was anything.

    A file of other data that is there goes.
    """
    found = measure_specimens(data)
    if found is None:
        (Path(folder) / FILE).unlink(missing_ok=True)
        return False
    save_descriptors(folder, found)
    return True


def measure_if_possible(folder: Path, data: DataSet) -> None:
    """Measure a data set's specimens into a folder of latents; say why where it cannot be done."""
    try:
        measure_into(folder, data)
    except InputError as error:
        (Path(folder) / FILE).unlink(missing_ok=True)
        logger.warning("descriptors of the specimens are left out: %s", error)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the descriptors of every specimen of a data set."""
    parser = argparse.ArgumentParser(
        prog="python -m core.specimen_descriptors", description=main.__doc__
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a folder of latents")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        written = measure_into(arguments.out, load_dataset(arguments.data))
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s", arguments.out / FILE if written else "no graphite iron, or no known scale")


if __name__ == "__main__":
    main()
