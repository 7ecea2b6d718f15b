"""Patches as features for property models: the encoder's latents and plain VGG19's.

All come from one pass through VGG19 over the same patches, so that what is compared is the
representation (the paper's section 4.4, Table 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from core.style_vector import layer_slices, style_vector
from core.synthesis import CHUNK
from core.validation import ACTIVE_VARIANCE

COMPONENTS = 64  # of pool5: as many as the paper's latents
VAE, FLAT, POOLED, STYLE = "vae", "vgg19_pool5", "vgg19_pool5_mean", "vgg19_style"
BOTH = "vae_and_vgg19_style"
STYLE_LAYERS = ("pool2", "pool3", "pool4")  # where particles are a few positions across
VAE_OWN = "vae_of_paper_design"  # latents of a VAE that has learned the paper's castings
REPRESENTATIONS = {
    VAE: "TextureVAE latents",
    FLAT: "plain VGG19, pool5",
    POOLED: "plain VGG19, pool5 averaged over positions",
    STYLE: "plain VGG19, means and deviations of pool2 to pool4",
    BOTH: "TextureVAE latents beside these means and deviations",
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
        style: (N, 1792) means and deviations (`core.style_vector`) of `STYLE_LAYERS`.
        channels: of pool5, the slowest axis of F.
    """

    specimen: Names
    mu: Array
    pool5: NDArray[np.float32]
    style: NDArray[np.float32]
    channels: int = 512

    def pooled(self) -> NDArray[np.float32]:
        """Return pool5 averaged over positions, (N, channels)."""
        mean: NDArray[np.float32] = self.pool5.reshape(len(self.pool5), self.channels, -1).mean(2)
        return mean

    def mean(self) -> "Features":
        """Return the mean over a specimen's patches, as one row."""
        mu, pool5, style = (
            part.mean(axis=0, keepdims=True) for part in (self.mu, self.pool5, self.style)
        )
        return Features(self.specimen[:1], mu, pool5, style)


@torch.no_grad()
def read_patches(loaded: LoadedModel, specimen: str, patches: NDArray[np.float32]) -> Features:
    """Return the features of a specimen's patches (N, H, W), from one pass."""
    mu, pool5, style = [], [], []
    kept = [layer_slices()[layer] for layer in STYLE_LAYERS]
    for chunk in torch.from_numpy(np.ascontiguousarray(patches)).unsqueeze(1).split(CHUNK):
        features = loaded.vgg(chunk.to(loaded.device))
        mu.append(loaded.vae.encode(features)[0].double().cpu().numpy())
        pool5.append(features["pool5"].float().flatten(1).cpu().numpy())
        whole = style_vector(features).cpu().numpy()
        style.append(np.concatenate([whole[:, one] for one in kept], axis=1))
    return Features(
        np.array([specimen] * len(patches)),
        np.concatenate(mu),
        np.concatenate(pool5),
        np.concatenate(style),
    )


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
    rows, found = [], []
    for place, file in enumerate(data.table["file"].astype(str)):
        some = rng.permutation(np.flatnonzero(table.file == file))[:each]
        if not some.size:
            continue
        pixels = read_to_scale(data, place, loaded.um_per_px)
        specimen = str(table.specimen[some[0]])
        found.append(read_patches(loaded, specimen, cut_at(pixels, table.corner[some], size)))
        rows.append(some)
    return replace(_joined(found), mu=table.mu[np.concatenate(rows)].astype(float))


def field_features(
    loaded: LoadedModel, data: DataSet, specimens: Names
) -> tuple[Features, list[int]]:
    """Read one micrograph of each specimen as an upload is read.

    Returns:
        Means over its patches, and how many of them fit side by side.
    """
    found, counts, size = [], [], loaded.config.patch_px
    for specimen in specimens:
        pixels = _first_micrograph(loaded, data, specimen)
        corners = spread_patches(pixels, size, READ_PATCHES)
        found.append(read_patches(loaded, specimen, cut_at(pixels, corners, size)).mean())
        counts.append(independent_patches(pixels, size, len(corners)))
    return _joined(found), counts


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
        found.append(read_patches(loaded, specimen, cut_patches(pixels, size, stride)))
    return _joined(found)


def _joined(parts: Sequence[Features]) -> Features:
    return Features(
        np.concatenate([part.specimen for part in parts]),
        np.concatenate([part.mu for part in parts]),
        np.concatenate([part.pool5 for part in parts]),
        np.concatenate([part.style for part in parts]),
    )


def _first_micrograph(loaded: LoadedModel, data: DataSet, specimen: str) -> NDArray[np.float32]:
    row = int(np.flatnonzero(data.table["specimen"].astype(str).to_numpy() == specimen)[0])
    return read_to_scale(data, row, loaded.um_per_px)


@dataclass(frozen=True, slots=True)
class Represent:
    """Features as regressors take them, by representation.

    Plain VGG19 is standardised and cut to 64 principal components, both measured on the patches of
    the data learned from: like the encoder, without labels. Where latents stand beside it, the
    active ones do, and both weigh alike: the mean square of an entry before the cut is one.
    """

    flat: Pipeline
    pooled: Pipeline
    style: Pipeline
    latents: StandardScaler
    active: NDArray[np.intp]

    @classmethod
    def fitted(cls, learned: Features) -> "Represent":
        """Measure standardisation and components on patches."""
        flat, pooled, style = (
            _projection(values).fit(values)
            for values in (learned.pool5, learned.pooled(), learned.style)
        )
        active = np.flatnonzero(learned.mu.var(axis=0) > ACTIVE_VARIANCE)
        latents = StandardScaler().fit(learned.mu[:, active]) if active.size else StandardScaler()
        return cls(flat, pooled, style, latents, active)

    def __call__(self, features: Features) -> dict[str, Array]:
        """Return representation -> (N, d)."""
        style = self.style.transform(features.style).astype(float)
        beside = [style / features.style.shape[1] ** 0.5]
        if self.active.size:
            latents = self.latents.transform(features.mu[:, self.active])
            beside.insert(0, latents / self.active.size**0.5)
        return {
            VAE: features.mu,
            FLAT: self.flat.transform(features.pool5).astype(float),
            POOLED: self.pooled.transform(features.pooled()).astype(float),
            STYLE: style,
            BOTH: np.hstack(beside),
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
