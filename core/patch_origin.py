"""A patch of the latent map as it was photographed: cut again from its micrograph.

A table of latents names each patch's micrograph and corner, but holds no picture. Where the
micrograph is at hand the patch can be cut again; that it is the very one is known from the hash of
its data set, or from its latents.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from core.checkpoint import LoadedModel
from core.dataset import DataSet
from core.encode import LatentTable
from core.errors import InputError
from core.scale import read_to_scale
from core.synthesis import encode_patches

# Largest difference of any latent, in units of z. The same patch encoded again differs by some
# 1e-6, whatever the number of threads; one cut a px beside it by 0.05 or more.
SAME_LATENTS = 1e-2
MOST_HASHED_BYTES = 8 * 2**30  # half a minute of reading


def cut_patch(
    pixels: NDArray[np.float32], table: LatentTable, row: int, patch_px: int
) -> NDArray[np.float32]:
    """Cut a patch out of its micrograph.

    Args:
        pixels: (H, W), the micrograph at the model's scale.
        table: latents; row: of the patch in the table.
        patch_px: side of a patch.

    Returns:
        (patch_px, patch_px), a copy.

    Raises:
        InputError: the patch reaches over the micrograph's edge.
    """
    top, left = (int(v) for v in table.corner[row])
    height, width = pixels.shape
    if top < 0 or left < 0 or top + patch_px > height or left + patch_px > width:
        raise InputError(
            f"the patch from row {top} px and column {left} px does not lie in "
            f"{table.file[row]}, which has {height} x {width} px; encode the data set again"
        )
    return pixels[top : top + patch_px, left : left + patch_px].copy()


def names_same_pictures(data: DataSet, table: LatentTable) -> bool:
    """Tell whether a data set names the pictures and specimens that a table was encoded from.

    It costs no reading of pictures, and says which data sets are worth comparing by their hash.
    """
    if len(data) != len(set(data.table["file"])) or len(data.specimens) != len(table.specimens):
        return False
    named = set(
        zip(data.table["file"].astype(str), data.table["specimen"].astype(str), strict=True)
    )
    return named == set(zip(table.file.tolist(), table.specimen.tolist(), strict=True))


def stamp(data: DataSet) -> str:
    """Return what changes where the manifest, or the size or time of any picture, changes.

    Raises:
        InputError: a picture has gone, or all of them together are too large to be hashed while
            somebody waits.
    """
    digest, total = hashlib.sha256(data.manifest_sha256.encode()), 0
    for file in data.table["file"]:
        try:
            status = (data.root / file).stat()
        except OSError as error:
            raise InputError(f"{file} cannot be read any more: {error.strerror}") from error
        total += status.st_size
        digest.update(f"\n{file}\0{status.st_size}\0{status.st_mtime_ns}".encode())
    if total > MOST_HASHED_BYTES:
        raise InputError(
            f"{data.name} has {total / 2**30:.0f} GiB of pictures; up to "
            f"{MOST_HASHED_BYTES / 2**30:.0f} GiB are compared with a model's"
        )
    return digest.hexdigest()


def read_micrograph(
    data: DataSet, table: LatentTable, row: int, um_per_px: float | None
) -> NDArray[np.float32]:
    """Read the micrograph of a patch at the scale that it was encoded at.

    Args:
        data: the data set that the table was encoded from.
        table: latents; row: of the patch in the table.
        um_per_px: the model's scale.

    Returns:
        (H, W) in [0, 1].

    Raises:
        InputError: the data set has no such picture, or it cannot be read.
    """
    found = np.flatnonzero(data.table["file"].astype(str).to_numpy() == str(table.file[row]))
    if len(found) == 0:
        raise InputError(f"{data.name} has no picture {table.file[row]}")
    return read_to_scale(data, int(found[0]), um_per_px)


def latents_differ_by(
    loaded: LoadedModel, patch: NDArray[np.float32], mu: NDArray[np.floating]
) -> float:
    """Return how far a patch's latents are off the ones that are known: the largest difference.

    Args:
        loaded: the model.
        patch: (side, side) in [0, 1].
        mu: (D,) latents that the very patch has.

    Returns:
        In units of z; the patch is the very one up to `SAME_LATENTS`.
    """
    return float(np.abs(encode_patches(loaded, patch[None])[0][0] - mu).max())
