"""Latents of every patch of a data set, cached in a folder.

    python -m core.encode --model DIR --data DIR [--out DIR] [--stride PX]

writes ``latents.safetensors`` (mu, logvar, corner, and the rows' file and specimen numbers),
``specimens.csv``, ``latents.json`` and ``descriptors.json``; by default into ``DIR/latents``.
"""

import argparse
import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from core.checkpoint import LoadedModel, load_model
from core.columns import Column
from core.dataset import DataSet, load_dataset
from core.errors import CheckpointError, InputError, MicroDesignError
from core.files import read_bytes, read_json, settled, sha256_file, write_together
from core.json_values import text, texts, truth
from core.patches import cut_at, patch_corners, spread_patches
from core.scale import read_to_scale, scale_remarks
from core.specimen_descriptors import measure_specimens, save_descriptors
from core.summaries import specimen_means
from core.synthesis import encode_patches
from core.tensors import read_tensors

TENSORS, SPECIMENS, ABOUT = "latents.safetensors", "specimens.csv", "latents.json"
FORMAT = 1
MAX_BYTES, MAX_SPECIMENS_BYTES = 2**31, 2**26
_FLOATS, _INTEGERS = (torch.float32, torch.float16), (torch.int32,)
TYPES = {
    "mu": _FLOATS,
    "logvar": _FLOATS,
    "corner": _INTEGERS,
    "file": _INTEGERS,
    "specimen": _INTEGERS,
}
DEFAULT_STRIDE = 160  # px between patches: without overlap every patch is new evidence
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LatentTable:
    """Latents of a data set's patches with what is known of their specimens.

    Attributes:
        mu, logvar: (N, D) float32.
        specimen, file: (N,) names.
        corner: (N, 2) int, row and column of each patch, px.
        specimens: frame indexed by specimen with the declared columns (NaN where unlabelled).
        columns: the declared process and property columns.
        data_name, data_hash: of the data set; model_hash: of the model's weights.
        synthetic: whether the images are simulated.
    """

    mu: NDArray[np.float32]
    logvar: NDArray[np.float32]
    specimen: NDArray[np.str_]
    file: NDArray[np.str_]
    corner: NDArray[np.int32]
    specimens: pd.DataFrame
    columns: tuple[Column, ...]
    data_name: str
    data_hash: str
    model_hash: str
    synthetic: bool


def patch_scatter(table: LatentTable, z: NDArray[np.floating], specimens: int = 3) -> NDArray:
    """Return how patches differ from their specimen's mean, in the specimens nearest to z.

    Args:
        table: latents of a data set.
        z: (D,) specimen-mean latents; nearness is in standard deviations of the specimen means.
        specimens: how many of the nearest.

    Returns:
        (N, D) differences of mu from its specimen's mean.
    """
    means, names = specimen_means(table.mu, table.specimen)
    index = np.searchsorted(names, table.specimen)
    spread = means.std(axis=0) + 1e-6
    near = np.argsort((((means - z) / spread) ** 2).sum(axis=1))[:specimens]
    chosen = np.isin(index, near)
    return table.mu[chosen] - means[index[chosen]]


def encode_dataset(
    loaded: LoadedModel, data: DataSet, stride: int = DEFAULT_STRIDE, spread: int | None = None
) -> LatentTable:
    """Encode the patches of every image of a data set.

    Args:
        loaded: the model.
        data: the data set.
        stride: px between patches.
        spread: at most so many patches of each image, on an even grid, instead.

    Raises:
        InputError: an image is smaller than a patch.
    """
    size, parts = loaded.config.patch_px, []
    for row, (file, specimen) in enumerate(
        zip(data.table["file"], data.table["specimen"], strict=True)
    ):
        pixels = read_to_scale(data, row, loaded.um_per_px)
        try:
            if spread is None:
                corners = patch_corners(pixels.shape[0], pixels.shape[1], size, stride)
            else:
                corners = spread_patches(pixels, size, spread)
        except InputError as error:
            raise InputError(f"{file}: {error}") from error
        mu, logvar = encode_patches(loaded, cut_at(pixels, corners, size))
        parts.append((mu, logvar, corners, [str(file)] * len(mu), [str(specimen)] * len(mu)))
        if (row + 1) % 20 == 0 or row + 1 == len(data):
            logger.info("%d of %d images", row + 1, len(data))
    mu, logvar, corner, file_names, specimen_names = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    declared = [column.name for column in data.columns]
    return LatentTable(
        mu=mu,
        logvar=logvar,
        specimen=specimen_names,
        file=file_names,
        corner=corner.astype(np.int32),
        specimens=data.specimens[declared],
        columns=data.columns,
        data_name=data.name,
        data_hash=data.hash,
        model_hash=loaded.hash,
        synthetic=data.synthetic,
    )


def save_latents(folder: Path, table: LatentTable, half: bool = False) -> None:
    """Write a latent table, all its files or none.

    Args:
        folder: of the table.
        table: what to write.
        half: mu and logvar as float16, half as large: to one part in two thousand.

    Raises:
        StorageError: the folder cannot be written; what was there is as it was.
    """
    folder = Path(folder)
    files, file_number = np.unique(table.file, return_inverse=True)
    specimens = [str(name) for name in table.specimens.index]
    number = {name: i for i, name in enumerate(specimens)}
    tensors = {
        "mu": table.mu.astype(np.float16) if half else table.mu,
        "logvar": table.logvar.astype(np.float16) if half else table.logvar,
        "corner": table.corner,
        "file": file_number.astype(np.int32),
        "specimen": np.array([number[name] for name in table.specimen], dtype=np.int32),
    }
    stored = {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in tensors.items()}
    content = save(stored)
    rows = table.specimens.to_csv(index_label="specimen", lineterminator="\n").encode("utf-8")
    about = {
        "format": FORMAT,
        "data_name": table.data_name,
        "data_hash": table.data_hash,
        "model_hash": table.model_hash,
        "synthetic": table.synthetic,
        "sha256": hashlib.sha256(content).hexdigest(),
        "specimens_sha256": hashlib.sha256(rows).hexdigest(),
        "columns": [asdict(column) for column in table.columns],
        "files": [str(name) for name in files],
        "specimens": specimens,
    }
    write_together(folder, {TENSORS: content, SPECIMENS: rows}, ABOUT, about)


def load_latents(folder: Path) -> LatentTable:
    """Read a latent table.

    Raises:
        CheckpointError: missing, damaged or of another format.
    """
    folder = Path(folder)
    about = read_json(folder / ABOUT)
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise CheckpointError(f"{folder / ABOUT} is not a latent table of format {FORMAT}")
    path = settled(folder / TENSORS, about.get("sha256"))
    stored = read_tensors(path, MAX_BYTES)
    if about.get("sha256") != sha256_file(path):
        raise CheckpointError(
            f"{folder / TENSORS} is not the file that {ABOUT} describes; run core.encode again"
        )
    try:
        for name, types in TYPES.items():
            if stored[name].dtype not in types:
                raise ValueError(f"{name} is {stored[name].dtype}, not {types[0]}")
        floats = {name: stored[name].float() for name in ("mu", "logvar")}
        tensors = {name: (stored | floats)[name].numpy() for name in TYPES}
        columns = tuple(Column(**column) for column in about["columns"])
        rows = settled(folder / SPECIMENS, about.get("specimens_sha256"))
        frame = read_specimens(rows, columns)
        specimens, files = (
            np.array(texts(about[name], name), dtype=np.str_) for name in ("specimens", "files")
        )
        named = sorted(c.name for c in columns)
        if list(frame.index) != list(specimens) or sorted(frame) != named:
            raise ValueError("specimens.csv does not fit latents.json")
        if len(set(specimens)) < len(specimens) or len(set(named)) < len(named):
            raise ValueError("a specimen or a column is there twice")
        mu, logvar, count = tensors["mu"], tensors["logvar"], len(tensors["mu"])
        finite = np.isfinite(mu).all() and np.isfinite(logvar).all()
        if mu.ndim != 2 or logvar.shape != mu.shape or not finite:
            raise ValueError("mu and logvar must be finite and (N, D)")
        if tensors["corner"].shape != (count, 2):
            raise ValueError("corners must be (N, 2)")
        for name, limit in (("specimen", len(specimens)), ("file", len(files))):
            numbers = tensors[name]
            if numbers.shape != (count,) or numbers.min() < 0 or numbers.max() >= limit:
                raise ValueError(f"{name} numbers are out of range")
        return LatentTable(
            mu=mu,
            logvar=logvar,
            specimen=specimens[tensors["specimen"]],
            file=files[tensors["file"]],
            corner=tensors["corner"],
            specimens=frame,
            columns=columns,
            data_name=text(about["data_name"], "data_name"),
            data_hash=text(about["data_hash"], "data_hash"),
            model_hash=text(about["model_hash"], "model_hash"),
            synthetic=truth(about["synthetic"], "synthetic"),
        )
    except (LookupError, TypeError, ValueError, OSError, InputError) as error:
        raise CheckpointError(
            f"the latents in {folder} are damaged: {error}; run core.encode again"
        ) from error


def read_specimens(path: Path, columns: Sequence[Column]) -> pd.DataFrame:
    """Read ``specimens.csv`` as it was written: numbers exactly, texts such as "None" as texts."""
    cells = read_bytes(path, MAX_SPECIMENS_BYTES).decode("utf-8")
    frame = pd.read_csv(io.StringIO(cells), dtype=str, keep_default_na=False, na_values=[""])
    for column in columns:
        if column.kind == "numeric":
            frame[column.name] = frame[column.name].map(float)  # exact, unlike pandas' own parser
            if np.isinf(frame[column.name]).any():
                raise ValueError(f"{column.name} is infinite for a specimen")
    return frame.set_index("specimen")


def main(argv: Sequence[str] | None = None) -> None:
    """Encode a data set's patches with a model and cache the latents."""
    parser = argparse.ArgumentParser(prog="python -m core.encode", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="default: MODEL/latents")
    parser.add_argument("--stride", type=int, default=DEFAULT_STRIDE, help="px between patches")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        loaded = load_model(arguments.model)
        data = load_dataset(arguments.data)
        for line in (*data.described, *scale_remarks(data)):
            logger.info("%s", line)
        table = encode_dataset(loaded, data, arguments.stride)
        folder = arguments.out or arguments.model / "latents"
        save_latents(folder, table)
        save_descriptors(folder, measure_specimens(data, loaded.um_per_px))
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%d patches of %d specimens", len(table.mu), len(table.specimens))


if __name__ == "__main__":
    main()
