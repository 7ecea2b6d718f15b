"""Patches as features for property models: the encoder's latents and plain VGG19's pool5.

Both come from one pass through VGG19 over the same patches, so that what is compared is the
representation (the paper's section 4.4, Table 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from core.checkpoint import LoadedModel
from core.dataset import DataSet
from core.encode import LatentTable
from core.errors import InputError
from core.patches import cut_at, cut_patches, independent_patches, spread_patches
from core.properties import READ_PATCHES
from core.scale import read_to_scale
from core.synthesis import CHUNK

COMPONENTS = 64  # of pool5: as many as the paper's latents
VAE, FLAT, POOLED = "vae", "vgg19_pool5", "vgg19_pool5_mean"
VAE_OWN = "vae_of_paper_design"  # latents of a VAE that has learned the paper's castings
REPRESENTATIONS = {
    VAE: "TextureVAE latents",
    FLAT: "plain VGG19, pool5",
    POOLED: "plain VGG19, pool5 averaged over positions",
}
LABELS = REPRESENTATIONS | {VAE_OWN: "latents of a TextureVAE trained on the paper's design"}

Array = NDArray[np.float64]
Names = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Features:
    """Raw features of patches, or their means over a micrograph.

    Attributes:
        specimen: (N,) names.
        mu: (N, D) latents.
        pool5: (N, F) flattened pool5, F = 512 places.
        channels: of pool5, the slowest axis of F.
    """

    specimen: Names
    mu: Array
    pool5: NDArray[np.float32]
    channels: int = 512

    def pooled(self) -> NDArray[np.float32]:
        """Return pool5 averaged over positions, (N, channels)."""
        mean: NDArray[np.float32] = self.pool5.reshape(len(self.pool5), self.channels, -1).mean(2)
        return mean


@torch.no_grad()
def read_patches(
    loaded: LoadedModel, patches: NDArray[np.float32]
) -> tuple[Array, NDArray[np.float32]]:
    """Return mu (N, D) and flattened pool5 (N, F) of patches (N, H, W), from one pass."""
    mu, pool5 = [], []
    for chunk in torch.from_numpy(np.ascontiguousarray(patches)).unsqueeze(1).split(CHUNK):
        features = loaded.vgg(chunk.to(loaded.device))
        mu.append(loaded.vae.encode(features)[0].double().cpu().numpy())
        pool5.append(features["pool5"].float().flatten(1).cpu().numpy())
    return np.concatenate(mu), np.concatenate(pool5)


def learned_features(
    loaded: LoadedModel, data: DataSet, table: LatentTable, each: int, seed: int = 0
) -> Features:
    """Read ``each`` of the stored patches of every micrograph that the model was trained on.

    Args:
        loaded: the model.
        data: its training data.
        table: their latents as stored, from which mu is taken.
        each: patches a micrograph, drawn at random.
        seed: of the draw.

    Raises:
        InputError: the latents are of other data or of another model.
    """
    if table.data_hash != data.hash or table.model_hash != loaded.hash:
        raise InputError("the model's stored latents are not of this data and model: encode anew")
    rng, size = np.random.default_rng(seed), loaded.config.patch_px
    rows, pool5 = [], []
    for place, file in enumerate(data.table["file"].astype(str)):
        some = rng.permutation(np.flatnonzero(table.file == file))[:each]
        if not some.size:
            continue
        pixels = read_to_scale(data, place, loaded.um_per_px)
        pool5.append(read_patches(loaded, cut_at(pixels, table.corner[some], size))[1])
        rows.append(some)
    kept = np.concatenate(rows)
    return Features(table.specimen[kept], table.mu[kept].astype(float), np.concatenate(pool5))


def field_features(
    loaded: LoadedModel, data: DataSet, specimens: Names
) -> tuple[Features, list[int]]:
    """Read one micrograph of each specimen as an upload is read.

    Returns:
        Means over its patches, and how many of them fit side by side.
    """
    parts, counts, size = [], [], loaded.config.patch_px
    for specimen in specimens:
        pixels = _first_micrograph(loaded, data, specimen)
        corners = spread_patches(pixels, size, READ_PATCHES)
        mu, pool5 = read_patches(loaded, cut_at(pixels, corners, size))
        parts.append((mu.mean(axis=0), pool5.mean(axis=0)))
        counts.append(independent_patches(pixels, size, len(corners)))
    mu, pool5 = (np.stack(column) for column in zip(*parts, strict=True))
    return Features(specimens, mu, pool5), counts


def patch_features(
    loaded: LoadedModel,
    data: DataSet,
    specimens: Sequence[str],
    stride: int,
    window_px: int | None = None,
) -> Features:
    """Read the patches of each specimen's first micrograph.

    Args:
        loaded: the model.
        data: the micrographs.
        specimens: which.
        stride: px between patches; less than a patch, and they overlap.
        window_px: side of the corner of the micrograph to read; all of it for None.
    """
    size, found = loaded.config.patch_px, []
    for specimen in specimens:
        pixels = _first_micrograph(loaded, data, specimen)[:window_px, :window_px]
        mu, pool5 = read_patches(loaded, cut_patches(pixels, size, stride))
        found.append(Features(np.array([specimen] * len(mu)), mu, pool5))
    return Features(
        np.concatenate([one.specimen for one in found]),
        np.concatenate([one.mu for one in found]),
        np.concatenate([one.pool5 for one in found]),
    )


def _first_micrograph(loaded: LoadedModel, data: DataSet, specimen: str) -> NDArray[np.float32]:
    row = int(np.flatnonzero(data.table["specimen"].astype(str).to_numpy() == specimen)[0])
    return read_to_scale(data, row, loaded.um_per_px)


@dataclass(frozen=True, slots=True)
class Represent:
    """Features as regressors take them, by representation.

    Plain VGG19 is standardised and cut to 64 principal components, both measured on the patches of
    the data learned from: like the encoder, without labels.
    """

    flat: Pipeline
    pooled: Pipeline

    @classmethod
    def fitted(cls, learned: Features) -> "Represent":
        """Measure standardisation and components on patches."""
        flat, pooled = _projection(learned.pool5), _projection(learned.pooled())
        return cls(flat.fit(learned.pool5), pooled.fit(learned.pooled()))

    def __call__(self, features: Features) -> dict[str, Array]:
        """Return representation -> (N, d)."""
        return {
            VAE: features.mu,
            FLAT: self.flat.transform(features.pool5).astype(float),
            POOLED: self.pooled.transform(features.pooled()).astype(float),
        }


def _projection(values: NDArray[np.float32]) -> Pipeline:
    count = min(COMPONENTS, *values.shape)
    return make_pipeline(StandardScaler(), PCA(count, svd_solver="randomized", random_state=0))


def labels(data: DataSet, column: str, specimen: Names) -> Array:
    """Return a property of specimens, NaN where it is not known, or not in the data."""
    if column not in data.specimens:
        return np.full(len(specimen), np.nan)
    values = pd.to_numeric(data.specimens[column], errors="coerce").astype(float)
    values.index = values.index.astype(str)
    found: Array = values.loc[specimen].to_numpy()
    return found
