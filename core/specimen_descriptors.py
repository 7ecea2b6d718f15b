"""Descriptors of every specimen of a data set, measured once and kept beside its latents.

    python -m core.specimen_descriptors --model DIR --data DIR [--out DIR]

writes ``descriptors.json`` into the model's ``latents/`` by default; `core.encode` does it too. A
small, chosen set: of graphite irons what metallographers report first (`core.descriptors`), of any
other material its phases and texture (`core.stereology`). Without a scale only what needs none.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.checkpoint import load_model
from core.dataset import DataSet, load_dataset
from core.descriptors import Scalar
from core.descriptors.graphite_iron import looks_like_graphite_iron
from core.errors import CheckpointError, InputError, MicroDesignError
from core.field_descriptors import CHOSEN_OF, KNOWN, WITHOUT_SCALE, Values, kind_of, measure_each
from core.files import read_json, write_json
from core.json_values import rounded
from core.measured_columns import Kind
from core.scale import common_scale, read_to_scale

FILE = "descriptors.json"
FORMAT = 1
MAX_BYTES = 2**26
AREA = "area_mm2"
FIELD_DIGITS = 5  # of fields' values that are kept
LOOKED_AT = 12  # micrographs, spread over the data set, that say whether there is graphite
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecimenDescriptors:
    """Descriptors of the specimens of one data set.

    Attributes:
        scalars: what was measured, with labels and units.
        values: frame indexed by specimen, a column for each of ``scalars``; NaN where there was
            nothing to measure it on.
        um_per_px: scale at which it was measured, None where unknown.
        data_hash: of the data set.
        note: why there are none, fewer than usual or other ones; empty otherwise.
        fields: frame of every field alone, indexed by specimen, with a column for each of
            ``scalars`` and its ``area_mm2``; None without a scale and in files of before.
    """

    scalars: tuple[Scalar, ...]
    values: pd.DataFrame
    um_per_px: float | None
    data_hash: str
    note: str
    fields: pd.DataFrame | None = None

    @property
    def kind(self) -> Kind:
        """What they were measured as: graphite, or the phases of any material."""
        return kind_of(scalar.name for scalar in self.scalars)


def measure_specimens(data: DataSet, um_per_px: float | None = None) -> SpecimenDescriptors:
    """Measure every specimen of a data set, its micrographs pooled.

    Args:
        data: the data set.
        um_per_px: scale to bring the micrographs to; their common one where None.
    """
    known = np.isfinite(data.scales).any()
    scale = (um_per_px or common_scale(data)) if known else None
    owner = data.table["specimen"].astype(str).to_numpy()
    names = list(dict.fromkeys(owner))
    kind: Kind = "graphite" if _shows_graphite(data, scale) else "phases"
    chosen = (CHOSEN_OF if scale is not None else WITHOUT_SCALE)[kind]
    rows, each = [], []
    for number, name in enumerate(names, start=1):
        fields = [read_to_scale(data, int(i), scale) for i in np.flatnonzero(owner == name)]
        pooled, alone = _measured(name, fields, scale, kind)
        rows.append(pooled)
        each += [(name, field.size, one) for field, one in zip(fields, alone, strict=False)]
        if number % 20 == 0 or number == len(names):
            logger.info("descriptors of %d of %d specimens", number, len(names))
    scalars = tuple(s for s in KNOWN if s.name in chosen)
    return SpecimenDescriptors(
        scalars=scalars,
        values=_frame(names, rows, scalars),
        um_per_px=scale,
        data_hash=data.hash,
        note=_note(kind, scale),
        fields=None if scale is None else _fields(each, scalars, scale),
    )


def _note(kind: Kind, scale: float | None) -> str:
    """Say what is measured where it is not the graphite of irons with a scale."""
    notes = []
    if kind == "phases":
        notes.append(
            "the micrographs do not look like those of a graphite iron: dark phase and texture "
            "are measured"
        )
    if scale is None:
        notes.append("the scale is not known: only what needs none")
    return "; ".join(notes)


def _shows_graphite(data: DataSet, scale: float | None) -> bool:
    """Tell by the majority of a few micrographs."""
    rows = np.unique(np.linspace(0, len(data) - 1, min(LOOKED_AT, len(data))).astype(int))
    found = [looks_like_graphite_iron(read_to_scale(data, int(row), scale)) for row in rows]
    return bool(np.mean(found) > 0.5)


def measure_specimen(
    name: str,
    fields: Sequence[NDArray[np.float32]],
    scale: float | None,
    kind: Kind = "graphite",
) -> dict[str, float | None]:
    """Measure the fields (H, W) of one specimen together; nothing where they are too small.

    Args:
        name: of the specimen, for the log.
        fields: in [0, 1].
        scale: um per px; without it only what needs none is measured.
        kind: what to measure.
    """
    return _measured(name, fields, scale, kind)[0]


def _measured(
    name: str, fields: Sequence[NDArray[np.float32]], scale: float | None, kind: Kind
) -> tuple[Values, tuple[Values, ...]]:
    """Measure the fields of a specimen together and each alone; nothing where they are small."""
    try:
        return measure_each(fields, scale, kind)
    except InputError as error:
        logger.warning("%s is not measured: %s", name, error)
        return {}, ()


def _frame(names: Sequence[str], rows: Sequence[Values], scalars: Sequence[Scalar]) -> pd.DataFrame:
    """Return a frame indexed by specimen, a column a descriptor, NaN where there is no value."""
    found = {
        s.name: [np.nan if r.get(s.name) is None else r[s.name] for r in rows] for s in scalars
    }
    return pd.DataFrame(found, index=pd.Index(names, name="specimen", dtype=object), dtype=float)


def _fields(
    each: Sequence[tuple[str, int, Values]], scalars: Sequence[Scalar], scale: float
) -> pd.DataFrame:
    """Return the frame of fields: specimen, number of pixels and values of each."""
    frame = _frame([name for name, _, _ in each], [values for _, _, values in each], scalars)
    return frame.assign(**{AREA: [size * scale**2 * 1e-6 for _, size, _ in each]})


def save_descriptors(folder: Path, found: SpecimenDescriptors) -> None:
    """Write ``descriptors.json``; floats survive exactly, NaN becomes null."""
    rows = {
        str(name): _plain(row)
        for name, row in zip(found.values.index, found.values.to_numpy(), strict=True)
    }
    content = {
        "format": FORMAT,
        "data_hash": found.data_hash,
        "um_per_px": found.um_per_px,
        "note": found.note,
        "columns": [asdict(scalar) for scalar in found.scalars],
        "specimens": rows,
    }
    if found.fields is not None:
        owners, cells = found.fields.index.astype(str), found.fields.to_numpy()
        each = [[name, *_plain(row)] for name, row in zip(owners, cells, strict=True)]
        content["fields"] = rounded(each, FIELD_DIGITS)
    write_json(Path(folder) / FILE, content, compact=True)


def _plain(row: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in row]


def load_descriptors(folder: Path) -> SpecimenDescriptors | None:
    """Read ``descriptors.json``; None where the folder has none.

    Raises:
        CheckpointError: damaged or of another format.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return None
    content = read_json(path, MAX_BYTES)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a table of descriptors of format {FORMAT}")
    try:
        return _read(content)
    except (LookupError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged ({error}); run python -m core.specimen_descriptors again"
        ) from error


def _read(content: dict[str, Any]) -> SpecimenDescriptors:
    known = {scalar.name: scalar for scalar in KNOWN}
    scalars = tuple(known[str(column["name"])] for column in content["columns"])
    rows = content["specimens"]
    table = np.array([[np.nan if v is None else v for v in row] for row in rows.values()], float)
    table = table.reshape(len(rows), len(scalars))
    if np.isinf(table).any() or len(set(scalars)) < len(scalars):
        raise ValueError("values are infinite, or a column is there twice")
    scale = content["um_per_px"]
    each = content.get("fields")
    return SpecimenDescriptors(
        scalars=scalars,
        values=pd.DataFrame(
            table,
            index=pd.Index(list(rows), name="specimen", dtype=object),
            columns=[s.name for s in scalars],
        ),
        um_per_px=None if scale is None else float(scale),
        data_hash=str(content["data_hash"]),
        note=str(content["note"]),
        fields=None if each is None else _read_fields(each, [*(s.name for s in scalars), AREA]),
    )


def _read_fields(rows: Any, names: Sequence[str]) -> pd.DataFrame:
    """Return the frame of fields; damage raises one of the usual errors."""
    table = np.array([[np.nan if v is None else v for v in row[1:]] for row in rows], float)
    table = table.reshape(len(rows), len(names))
    if np.isinf(table).any() or not (table[:, -1] > 0).all():
        raise ValueError("a field has an infinite value, or no area")
    index = pd.Index([str(row[0]) for row in rows], name="specimen", dtype=object)
    return pd.DataFrame(table, index=index, columns=list(names))


def main(argv: Sequence[str] | None = None) -> None:
    """Measure a data set's specimens and keep their descriptors beside the latents."""
    parser = argparse.ArgumentParser(prog="python -m core.specimen_descriptors")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="default: MODEL/latents")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        scale = load_model(arguments.model).um_per_px
        found = measure_specimens(load_dataset(arguments.data), scale)
        save_descriptors(arguments.out or arguments.model / "latents", found)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    if found.note:
        logger.info("%s", found.note)


if __name__ == "__main__":
    main()
