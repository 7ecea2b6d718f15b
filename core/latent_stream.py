"""Read cached latents in chunks, for tables that are too large to hold in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from core.columns import Column
from core.encode import ABOUT, FORMAT, SPECIMENS, TENSORS, read_specimens
from core.errors import CheckpointError, InputError
from core.files import read_json

CHUNK = 32_768  # rows; 64 latents in float64 take 16 MiB


@dataclass(frozen=True, slots=True)
class LatentChunk:
    """Some rows of a table of latents: mu (n, D), specimen and file (n,), corner (n, 2)."""

    mu: NDArray[np.float32]
    specimen: NDArray[np.str_]
    file: NDArray[np.str_]
    corner: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentStream:
    """A table of latents in its file; see `core.encode.LatentTable` for what is not said here.

    Attributes:
        path: of the tensors.
        specimen_names, file_names: what the rows' numbers mean.
        rows: how many patches there are.
    """

    path: Path
    specimen_names: NDArray[np.str_]
    file_names: NDArray[np.str_]
    rows: int
    specimens: pd.DataFrame
    columns: tuple[Column, ...]
    data_name: str
    data_hash: str
    model_hash: str
    synthetic: bool

    def chunks(self, size: int = CHUNK) -> Iterator[LatentChunk]:
        """Yield the rows in order, ``size`` at a time; only so many are in memory.

        Raises:
            CheckpointError: the file changed, or holds numbers that cannot be.
        """
        try:
            with safe_open(self.path, framework="np") as tensors:
                parts = {n: tensors.get_slice(n) for n in ("mu", "specimen", "file", "corner")}
                for start in range(0, self.rows, size):
                    part = {
                        n: found[start : min(start + size, self.rows)] for n, found in parts.items()
                    }
                    yield LatentChunk(
                        part["mu"].astype(np.float32),
                        _named(self.specimen_names, part["specimen"]),
                        _named(self.file_names, part["file"]),
                        part["corner"],
                    )
        except (SafetensorError, OSError, IndexError) as error:
            raise CheckpointError(f"{self.path} is damaged: {error}") from error


def _named(names: NDArray[np.str_], numbers: NDArray[np.integer]) -> NDArray[np.str_]:
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < len(names)):
        raise IndexError("a row's specimen or file number is out of range")
    return names[numbers]


def open_latents(folder: Path) -> LatentStream:
    """Open cached latents without reading the rows.

    The rows' checksum is not compared, which would read them all; `core.encode.load_latents` does.

    Raises:
        CheckpointError: missing, damaged or of another format.
    """
    folder = Path(folder)
    about = read_json(folder / ABOUT)
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise CheckpointError(f"{folder / ABOUT} is not a latent table of format {FORMAT}")
    try:
        columns = tuple(Column(**column) for column in about["columns"])
        with safe_open(folder / TENSORS, framework="np") as tensors:
            shapes = {n: tuple(tensors.get_slice(n).get_shape()) for n in tensors.keys()}  # noqa: SIM118
        rows = shapes["mu"][0]
        if len(shapes["mu"]) != 2 or shapes["corner"] != (rows, 2):
            raise ValueError("mu must be (N, D) and corner (N, 2)")
        if shapes["specimen"] != (rows,) or shapes["file"] != (rows,):
            raise ValueError("every row needs a specimen and a file")
        return LatentStream(
            path=folder / TENSORS,
            specimen_names=np.array(about["specimens"], dtype=np.str_),
            file_names=np.array(about["files"], dtype=np.str_),
            rows=rows,
            specimens=read_specimens(folder / SPECIMENS, columns),
            columns=columns,
            data_name=str(about["data_name"]),
            data_hash=str(about["data_hash"]),
            model_hash=str(about["model_hash"]),
            synthetic=bool(about["synthetic"]),
        )
    except (LookupError, TypeError, ValueError, OSError, SafetensorError, InputError) as error:
        raise CheckpointError(f"the latents in {folder} are damaged: {error}") from error
