"""Data sets: a folder with micrographs, ``manifest.csv`` and, optionally, ``dataset.json``.

``manifest.csv`` has one row an image: ``file`` (relative, with forward slashes), ``specimen``,
optionally ``um_per_px``, then process and property columns. Any spreadsheet writes it: UTF-8, a
comma or a semicolon between cells, decimal commas allowed with semicolons. An empty cell means "not
known". Process settings and properties belong to the specimen, so the rows of one specimen agree.

``dataset.json`` declares the columns; those it does not name are kept in the table only. Without it
the columns are told from their names (`core.columns`), and a process column that differs within a
specimen is kept in the table only, with a note, because it describes the image.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.columns import ANNOTATIONS, RESERVED, Column, declared_column, guessed_column
from core.errors import CheckpointError, InputError
from core.files import read_json, sha256_file, write_json, write_text
from core.images import DEFAULT_LIMITS, ImageLimits, Micrograph, read_image
from core.manifest import (
    MAX_MANIFEST_BYTES,
    check_files,
    is_number_column,
    numbers,
    parse_cells,
    texts,
)
from core.patches import cut_patches, patch_corners

__all__ = [
    "Column",
    "DataSet",
    "cut_patches",
    "load_dataset",
    "patch_corners",
    "split_specimens",
    "write_manifest",
]


@dataclass(frozen=True, eq=False)
class DataSet:
    """A checked data set. Treat the frames as read-only.

    Attributes:
        root: the folder.
        name: for people.
        synthetic: the micrographs are simulated.
        columns: the declared (or guessed) process and property columns.
        table: one row an image: file, specimen, um_per_px (float, NaN unknown), the columns
            (float with NaN, or text with None or NaN for "not known"), then annotations as text.
        manifest_sha256: of the manifest's bytes as read.
        generator: what made a synthetic set, None otherwise.
        notes: what the user should know about how the manifest was read.
    """

    root: Path
    name: str
    synthetic: bool
    columns: tuple[Column, ...]
    table: pd.DataFrame
    manifest_sha256: str
    generator: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)

    @property
    def process(self) -> tuple[Column, ...]:
        """The process columns in the table's order."""
        return tuple(column for column in self.columns if column.role == "process")

    @property
    def properties(self) -> tuple[Column, ...]:
        """The property columns in the table's order."""
        return tuple(column for column in self.columns if column.role == "property")

    @cached_property
    def specimens(self) -> pd.DataFrame:
        """The declared columns, one row a specimen (index), in order of first appearance.

        A value given in only some rows of a specimen holds for the specimen.
        """
        names = [column.name for column in self.columns]
        grouped = self.table[["specimen", *names]].groupby("specimen", sort=False)
        return grouped.first()

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the manifest's bytes and each image's name and bytes, in hex.

        The images are read on first use; ``dataset.json`` (roles, labels, units) is not part of it.

        Raises:
            InputError: an image has gone since the data set was loaded.
        """
        digest = sha256(self.manifest_sha256.encode())
        for file in self.table["file"]:
            try:
                image = sha256_file(self.root / file)
            except OSError as error:
                raise InputError(f"{file} cannot be read any more: {error.strerror}") from error
            digest.update(f"\n{file}\0{image}".encode())
        return digest.hexdigest()

    def read(self, index: int, limits: ImageLimits = DEFAULT_LIMITS) -> Micrograph:
        """Read the image of one row; the manifest's µm per px goes before the file's own.

        Raises:
            InputError: no such row, or the image cannot be read (see `core.images.read_image`).
        """
        if not 0 <= index < len(self):
            raise InputError(f"image {index} is asked for; the data set has 0 to {len(self) - 1}")
        file = str(self.table["file"].iloc[index])
        micrograph = read_image(self.root / file, file, limits)
        um_per_px = float(self.table["um_per_px"].iloc[index])
        return micrograph if math.isnan(um_per_px) else replace(micrograph, um_per_px=um_per_px)


def load_dataset(root: Path) -> DataSet:
    """Load and check the data set in a folder; no image is decoded.

    Raises:
        InputError: no manifest, a manifest or declaration that is damaged or contradicts itself,
            or a file that is missing or lies outside the folder. The message names the row
            (2 is the first below the header), the column and the value.
    """
    root = Path(root)
    data = _read_manifest(root)
    declaration = _read_declaration(root / "dataset.json")
    columns, table, notes = _build(data, declaration.get("columns"))
    check_files(root.resolve(), table["file"].tolist())
    return DataSet(
        root=root,
        name=declaration.get("name", root.resolve().name or "data"),
        synthetic=declaration.get("synthetic", False),
        columns=columns,
        table=table,
        manifest_sha256=sha256(data).hexdigest(),
        generator=declaration.get("generator"),
        notes=notes,
    )


def write_manifest(
    root: Path,
    table: pd.DataFrame,
    columns: Sequence[Column],
    name: str,
    synthetic: bool,
    generator: dict[str, Any] | None = None,
) -> None:
    """Write ``dataset.json`` and ``manifest.csv`` in the form that `load_dataset` reads.

    Each file is written atomically, the manifest last: until it is there the folder is not a data
    set. The images may be written before or after.

    Args:
        root: the folder, made if missing.
        table: one row an image: file, specimen, um_per_px (optional), columns; NaN for "not known".
        columns: which of them are process and property.
        name: of the data set, for people.
        synthetic: the images are simulated.
        generator: what made them, as JSON values.

    Raises:
        InputError: the table would not be read back (see `load_dataset`).
    """
    text = table.to_csv(index=False, lineterminator="\n")
    entries = [asdict(column) for column in columns]
    _build(text.encode("utf-8"), entries)
    declaration: dict[str, Any] = {"name": name, "synthetic": synthetic, "columns": entries}
    if generator is not None:
        declaration["generator"] = generator
    _check_declaration(declaration)
    try:
        write_json(Path(root) / "dataset.json", declaration)
    except (TypeError, ValueError) as error:
        raise InputError(f"the generator's settings are not plain JSON: {error}") from error
    write_text(Path(root) / "manifest.csv", text)


def split_specimens(
    names: Iterable[str], fraction: float, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split specimens, never patches or images, into training and held-out ones.

    Args:
        names: specimens; repeats (one an image) count once, and their order does not matter.
        fraction: of the specimens to hold out, between 0 and 1; rounded to whole specimens with at
            least one on each side.
        seed: the same seed and specimens give the same split.

    Returns:
        (train, held_out), each sorted.

    Raises:
        InputError: fewer than two specimens, or a fraction outside 0 to 1.
    """
    unique = sorted(set(names))
    if len(unique) < 2:
        raise InputError(f"{len(unique)} specimen cannot be split; at least two are needed")
    if not 0 < fraction < 1:
        raise InputError(f"the held-out fraction is {fraction}; it must lie between 0 and 1")
    count = min(max(round(fraction * len(unique)), 1), len(unique) - 1)
    order = np.random.default_rng(seed).permutation(len(unique))
    held_out = {unique[i] for i in order[:count]}
    return tuple(n for n in unique if n not in held_out), tuple(sorted(held_out))


def _read_manifest(root: Path) -> bytes:
    """Return the manifest's bytes."""
    path = root / "manifest.csv"
    if not path.is_file():
        raise InputError(f"{root} has no manifest.csv; a data set needs one")
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"manifest.csv cannot be read: {error.strerror}") from error
    if len(data) > MAX_MANIFEST_BYTES:
        raise InputError(f"manifest.csv has more than {MAX_MANIFEST_BYTES} bytes; split the set")
    return data


def _read_declaration(path: Path) -> dict[str, Any]:
    """Return the content of ``dataset.json``, empty when there is none."""
    if not path.exists():
        return {}
    try:
        content = read_json(path)
    except (CheckpointError, RecursionError) as error:
        raise InputError(f"dataset.json: {error}") from error
    _check_declaration(content)
    return dict(content)


def _check_declaration(content: Any) -> None:
    """Refuse unknown keys and wrong types in ``dataset.json`` (columns: see `declared_column`)."""
    types = {"name": str, "synthetic": bool, "columns": list, "generator": dict}
    if not isinstance(content, dict):
        raise InputError("dataset.json must hold an object with name, synthetic and columns")
    for key, value in content.items():
        if key not in types:
            raise InputError(f"dataset.json has the unknown key {key!r}; known are {list(types)}")
        if not isinstance(value, types[key]) and not (key == "generator" and value is None):
            raise InputError(f"dataset.json: {key} is {value!r}; a {types[key].__name__} is needed")


def _build(
    data: bytes, declared: list[Any] | None
) -> tuple[tuple[Column, ...], pd.DataFrame, tuple[str, ...]]:
    """Return columns, table and notes from a manifest's bytes and the declared columns."""
    cells, decimal_comma = parse_cells(data)
    notes: list[str] = []
    if declared is None:
        columns = _guess(cells, decimal_comma, notes)
    else:
        columns = tuple(declared_column(entry) for entry in declared)
        _check_declared(columns, cells)
    table: dict[str, Any] = {name: texts(cells[name]) for name in ("file", "specimen")}
    table["um_per_px"] = _scales(cells, decimal_comma)
    for column in columns:
        values = cells[column.name]
        if column.kind == "numeric":
            table[column.name] = numbers(column.name, values, decimal_comma)
        else:
            table[column.name] = texts(values)
    for name in cells:
        if name not in table:
            table[name] = texts(cells[name])
    frame = pd.DataFrame(table)
    columns = _consistent(frame, columns, declared is not None, notes)
    return columns, frame, tuple(notes)


def _guess(
    cells: dict[str, list[str]], decimal_comma: bool, notes: list[str]
) -> tuple[Column, ...]:
    """Tell the columns of a manifest without declaration from their names and cells."""
    columns = []
    for name, values in cells.items():
        if name in RESERVED or name.lower() in ANNOTATIONS:
            continue
        if not any(values):
            notes.append(f"column {name} is empty and is not used")
            continue
        column = guessed_column(name, True)
        numeric = is_number_column(values, decimal_comma)
        if not numeric and (column.unit or column.role == "property"):
            numbers(name, values, decimal_comma)  # raises: its name says numbers
        columns.append(guessed_column(name, numeric))
    return tuple(columns)


def _check_declared(columns: tuple[Column, ...], cells: dict[str, list[str]]) -> None:
    """Refuse declared columns that are missing in the manifest or declared twice."""
    names = [column.name for column in columns]
    for name in names:
        if name not in cells:
            raise InputError(
                f"dataset.json declares the column {name!r}, which manifest.csv does not have; "
                f"it has {', '.join(cells)[:300]}"
            )
        if names.count(name) > 1:
            raise InputError(f"dataset.json declares the column {name!r} twice")


def _scales(cells: dict[str, list[str]], decimal_comma: bool) -> np.ndarray:
    """Return µm per px of each row (float64, NaN unknown)."""
    if "um_per_px" not in cells:
        return np.full(len(cells["file"]), np.nan)
    scales = numbers("um_per_px", cells["um_per_px"], decimal_comma)
    wrong = np.flatnonzero(scales <= 0)
    if wrong.size:
        raise InputError(
            f"manifest.csv row {wrong[0] + 2}: um_per_px is {scales[wrong[0]]:g}; it must be above "
            "0, or empty when unknown"
        )
    return scales


def _consistent(
    frame: pd.DataFrame, columns: tuple[Column, ...], declared: bool, notes: list[str]
) -> tuple[Column, ...]:
    """Return the columns that belong to the specimen; see the module's docstring.

    Raises:
        InputError: a declared column or a property differs between the rows of a specimen.
    """
    kept = []
    for column in columns:
        distinct = frame.groupby("specimen", sort=False)[column.name].nunique()
        if (distinct <= 1).all():
            kept.append(column)
            continue
        specimen = distinct.index[distinct > 1][0]
        values = frame.loc[frame["specimen"] == specimen, column.name].dropna().unique()[:3]
        what = f"{column.name} of specimen {specimen} is {' and '.join(str(v) for v in values)}"
        if declared or column.role == "property":
            raise InputError(
                f"{what} in different rows; it belongs to the specimen: correct it, or give the "
                "images two specimen names"
            )
        notes.append(f"{what}: it differs within specimens and is not used as a process column")
    return tuple(kept)
