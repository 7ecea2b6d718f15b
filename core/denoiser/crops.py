"""Crops of micrographs with the latents of the cells that they lie in, to learn from.

Every step's crops follow from the seed and the step alone, as in `core.patch_pool`.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save
from torch import Tensor

from core.cells import cell_weights
from core.checkpoint import LoadedModel
from core.dataset import DataSet
from core.denoiser.network import STRIDE, Shares
from core.errors import CheckpointError, InputError
from core.files import read_json, settled, sha256_file, write_together
from core.images import to_uint8
from core.patches import cut_patches
from core.scale import read_to_scale
from core.synthesis import encode_patches
from core.tensors import read_tensors

FORMAT = 2  # what was kept without a format may hold other numbers than the latents
ABOUT, CELLS = "cells.json", "cells.safetensors"
_MAX_BYTES = 2**32
_VALIDATION = 2**20  # a stream of crops beside those of the steps
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Micrograph:
    """What of a micrograph whole cells cover.

    Attributes:
        specimen: its name.
        pixels: (rows P, columns P) uint8 for cells of P px.
        cells: (rows, columns, D) float32, the latents of each cell.
    """

    specimen: str
    pixels: NDArray[np.uint8]
    cells: NDArray[np.float32]

    def turned(self, way: int) -> "Micrograph":
        """Return it turned and mirrored, in one of eight ways (0 to 7)."""
        mirrored = slice(None, None, -1 if way >= 4 else 1)
        return Micrograph(
            self.specimen,
            np.rot90(self.pixels[:, mirrored], way % 4),
            np.rot90(self.cells[:, mirrored], way % 4),
        )


def read_micrographs(
    loaded: LoadedModel, data: DataSet, folder: Path, said: Callable[[str], Any] = logger.info
) -> list[Micrograph]:
    """Read a data set's images at the model's scale, with the latents of their cells.

    The latents are kept in ``folder``: they take a few seconds an image.

    Raises:
        InputError: an image is smaller than a cell.
        StorageError: the folder cannot be written.
    """
    size = loaded.config.patch_px
    expected = {"format": FORMAT, "model_hash": loaded.hash, "data_hash": data.hash}
    expected["patch_px"] = size
    known = _kept(folder, expected)
    micrographs, found = [], dict[str, NDArray[np.float32]]()
    for row, specimen in enumerate(data.table["specimen"]):
        pixels = read_to_scale(data, row, loaded.um_per_px)
        rows, columns = (side // size for side in pixels.shape)
        if min(rows, columns) < 1:
            raise InputError(
                f"{data.table['file'].iloc[row]} has {pixels.shape} px, less than a patch of {size}"
            )
        pixels = pixels[: rows * size, : columns * size]
        name = f"{row:06d}"
        if name in known:
            cells = known[name]
        else:
            mu = encode_patches(loaded, cut_patches(pixels, size, size))[0]
            # A part of a larger array in memory: safetensors would write its neighbours.
            cells = np.ascontiguousarray(mu).reshape(rows, columns, -1)
            if (row + 1) % 20 == 0:
                said(f"latents of the cells of {row + 1} of {len(data)} images")
        found[name] = cells
        micrographs.append(Micrograph(str(specimen), to_uint8(pixels), cells))
    if not known:
        stored = save(found)
        about = expected | {"sha256": hashlib.sha256(stored).hexdigest()}
        write_together(folder, {CELLS: stored}, ABOUT, about)
    return micrographs


def _kept(folder: Path, expected: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
    """Return the latents that were kept for the same model and data; {} where there are none."""
    if not (folder / ABOUT).is_file():
        return {}
    try:
        about = read_json(folder / ABOUT)
        if not isinstance(about, dict) or not expected.items() <= about.items():
            return {}
        path = settled(folder / CELLS, about.get("sha256"))
        stored = read_tensors(path, _MAX_BYTES)
        if sha256_file(path) != about.get("sha256"):
            raise CheckpointError(f"{path} is not the file that {ABOUT} names")
    except CheckpointError as error:
        logger.warning("the latents of the cells are read anew: %s", error)
        return {}
    return {name: tensor.numpy() for name, tensor in stored.items()}


@dataclass(frozen=True, slots=True)
class Crops:
    """Crops and their cells.

    Attributes:
        pixels: (B, 1, S, S) float32 in [0, 1].
        cells: (B, R, C, D) latents of the micrographs' cells.
        shares: how these lie in the crops.
    """

    pixels: Tensor
    cells: Tensor
    shares: Shares


class CropPool:
    """Draws crops at random places of micrographs, specimens in equal shares."""

    def __init__(
        self, micrographs: Sequence[Micrograph], size_px: int, seed: int, turned: bool = True
    ) -> None:
        """Take micrographs and the side of the crops, less where a micrograph is smaller.

        Args:
            micrographs: to cut crops from.
            size_px: side of the crops.
            seed: of what is drawn.
            turned: whether crops are turned and mirrored at random; not for materials with a
                direction.

        Raises:
            InputError: there are no micrographs.
        """
        if not micrographs:
            raise InputError("no micrograph to cut crops from")
        self.by_specimen: dict[str, list[Micrograph]] = {}
        for one in micrographs:
            self.by_specimen.setdefault(one.specimen, []).append(one)
        self.specimens = sorted(self.by_specimen)
        smallest = min(min(one.pixels.shape) for one in micrographs)
        self.size_px, self.seed, self.turned = min(size_px, smallest), seed, turned
        # Crops of one batch need cells in equal numbers: those of a square of the largest side.
        self.cell_px = micrographs[0].pixels.shape[0] // micrographs[0].cells.shape[0]
        self.span = -(-self.size_px // self.cell_px) + 2

    def batch(self, step: int, count: int) -> Crops:
        """Return the crops of a step."""
        drawn = [self._draw(step * count + k) for k in range(count)]
        pixels, cells, rows, columns = (np.stack(x) for x in zip(*drawn, strict=True))
        return Crops(
            torch.from_numpy(pixels).unsqueeze(1).float() / 255,
            torch.from_numpy(cells),
            Shares(torch.from_numpy(rows), torch.from_numpy(columns)),
        )

    def sample(self, count: int) -> Crops:
        """Return ``count`` crops to validate on, always the same ones."""
        return self.batch(_VALIDATION, count)

    def _draw(self, k: int) -> tuple[NDArray[Any], ...]:
        visit, place = divmod(k, len(self.specimens))
        order = np.random.default_rng((self.seed, 0, visit)).permutation(len(self.specimens))
        rng = np.random.default_rng((self.seed, 1, k))
        micrographs = self.by_specimen[self.specimens[order[place]]]
        one, way = micrographs[rng.integers(len(micrographs))], int(rng.integers(8))
        one = one.turned(way) if self.turned else one
        top, left = (
            STRIDE * int(rng.integers((side - self.size_px) // STRIDE + 1))
            for side in one.pixels.shape
        )
        rows, columns, cells = self._cells(one, top, left)
        crop = one.pixels[top : top + self.size_px, left : left + self.size_px]
        return np.ascontiguousarray(crop), cells, rows, columns

    def _cells(self, one: Micrograph, top: int, left: int) -> tuple[NDArray[np.float32], ...]:
        """Return shares of rows and columns, (S / 4, span) each, and the cells (span, span, D)."""
        shares, kept = [], []
        for begin, side, count in zip((top, left), one.pixels.shape, one.cells.shape, strict=False):
            weights = _cell_weights(side, count)[begin : begin + self.size_px]
            by_position = weights.unflatten(0, (-1, STRIDE)).mean(dim=1).numpy()
            used = np.argsort(-by_position.sum(axis=0), kind="stable")[: self.span]
            padded = np.zeros((len(by_position), self.span), np.float32)
            padded[:, : len(used)] = by_position[:, used]
            shares.append(padded / padded.sum(axis=1, keepdims=True))
            kept.append(np.resize(used, self.span))
        return (*shares, np.ascontiguousarray(one.cells[np.ix_(*kept)]))


def _cell_weights(side: int, cells: int) -> Tensor:
    """Return (side, cells), as `core.cells.cell_weights`, for a picture that does not wrap around.

    A cell at the edge reaches beyond it.
    """
    px = side // cells
    weights = cell_weights(side + 2 * px, cells + 2, torch.zeros(1))[px:-px]
    weights[:, 1] += weights[:, 0]
    weights[:, -2] += weights[:, -1]
    return weights[:, 1:-1]
