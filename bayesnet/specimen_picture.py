"""A picture of a known specimen, to stand beside a design: which part of it, and what it is."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.encode import LatentTable
from core.errors import InputError
from core.images import Micrograph

FIELD_PX = 512  # at most; as the example micrographs of a model


@dataclass(frozen=True, slots=True)
class SpecimenPicture:
    """A picture of a specimen.

    Attributes:
        specimen: its name.
        micrograph: the picture.
        said: what it is, for its caption.
    """

    specimen: str
    micrograph: Micrograph = field(repr=False)
    said: str


def typical_patch(table: LatentTable, specimen: str) -> int:
    """Return the row of the patch whose latents are nearest to their specimen's mean.

    Args:
        table: latents of a data set.
        specimen: its name.

    Raises:
        InputError: the table has no patch of it.
    """
    rows = np.flatnonzero(table.specimen.astype(str) == specimen)
    if rows.size == 0:
        raise InputError(f"the latents hold no patch of specimen {specimen}")
    mu = table.mu[rows].astype(np.float64)  # (n, D)
    return int(rows[((mu - mu.mean(axis=0)) ** 2).sum(axis=1).argmin()])


def field_round(
    pixels: NDArray[np.float32], corner: tuple[int, int], patch_px: int, side_px: int = FIELD_PX
) -> NDArray[np.float32]:
    """Cut a field round a patch, moved inwards where it would reach over the edge.

    Args:
        pixels: (H, W), a micrograph.
        corner: row and column of the patch's upper left, px.
        patch_px: side of the patch; side_px: of the field.

    Returns:
        (min(H, side_px), min(W, side_px)), a copy.
    """
    top, left = (
        int(np.clip(at - (side_px - patch_px) // 2, 0, max(length - side_px, 0)))
        for at, length in zip(corner, pixels.shape, strict=True)
    )
    return pixels[top : top + side_px, left : left + side_px].copy()
