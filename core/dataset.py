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
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.columns import Column, entry_of
from core.declaration import check_declaration, read_declaration
from core.errors import InputError
from core.files import sha256_file, write_json, write_text
from core.image_limits import DEFAULT_LIMITS, ImageLimits
from core.images import Micrograph, read_image
from core.manifest import MAX_MANIFEST_BYTES, check_files
from core.manifest_table import build_table


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

    @property
    def described(self) -> tuple[str, ...]:
        """Lines that say how the manifest was understood, for people to check."""
        lines = []
        for role, columns in (("process", self.process), ("property", self.properties)):
            named = [f"{c.name} ({c.unit or c.kind})" for c in columns]
            lines.append(f"{role} columns: {', '.join(named) or 'none'}")
        return (*lines, *(f"note: {note}" for note in self.notes))

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

    @cached_property
    def scales(self) -> np.ndarray:
        """µm per px of every image, (N,): the manifest's, else the file's own, NaN if unknown.

        Files are read on first use where the manifest does not say.

        Raises:
            InputError: such a file cannot be read.
        """
        scales: np.ndarray = self.table["um_per_px"].to_numpy(dtype=float).copy()
        for row in np.flatnonzero(np.isnan(scales)):
            scales[row] = self.read(int(row)).um_per_px or math.nan
        return scales

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
    declaration = read_declaration(root / "dataset.json")
    columns, table, notes = build_table(data, declaration.get("columns"))
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
    entries = [entry_of(column) for column in columns]
    build_table(text.encode("utf-8"), entries)
    declaration: dict[str, Any] = {"name": name, "synthetic": synthetic, "columns": entries}
    if generator is not None:
        declaration["generator"] = generator
    check_declaration(declaration)
    try:
        write_json(Path(root) / "dataset.json", declaration)
    except (TypeError, ValueError) as error:
        raise InputError(f"the generator's settings are not plain JSON: {error}") from error
    write_text(Path(root) / "manifest.csv", text)


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
