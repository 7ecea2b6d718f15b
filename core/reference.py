"""What is normal for a model: style references and the limit beyond which an image is unusual.

``python -m core.reference --model DIR --data DIR`` measures it on micrographs that the model was
not trained on (for the shipped model: fresh castings) and writes ``reference.json`` into the model
folder.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

from core.checkpoint import LoadedModel, load_model
from core.dataset import DataSet, load_dataset, patch_corners
from core.encode import load_latents
from core.errors import CheckpointError, InputError, MicroDesignError
from core.files import read_json, write_json
from core.losses import LayerStatistics, relative_style_error, style_statistics
from core.scale import read_to_scale
from core.synthesis import reconstruct

FILE = "reference.json"
FIELD_PATCHES = 9  # patches of a micrograph that decide how unusual it is
CHUNK = 8  # patches through VGG19 at once
logger = logging.getLogger(__name__)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Style references and the distribution of usual patches.

    Attributes:
        data_name: what it was measured on; ``patches`` and ``images`` say how many.
        style_reconstruction_median, style_reconstruction_p90: relative style error of patches
            against their reconstructions.
        style_same_specimen, style_other_specimen: median relative style error between two
            non-overlapping patches of one specimen, and of two specimens.
        latent_mean: (D,), and latent_whitening (D, D): W with |W (mu - mean)| a Mahalanobis
            distance, from the training patches.
        limits: 95 % quantiles (latent, features) of a micrograph's mean distance over
            `FIELD_PATCHES` patches; patch_limits: of a single patch's.
    """

    data_name: str
    images: int
    patches: int
    style_reconstruction_median: float
    style_reconstruction_p90: float
    style_same_specimen: float
    style_other_specimen: float
    latent_mean: Array
    latent_whitening: Array
    limits: tuple[float, float]
    patch_limits: tuple[float, float]

    @property
    def distance_threshold(self) -> float:
        """Distances are divided by their limits: beyond 1.0 an image is unusual."""
        return 1.0

    def distance(self, loaded: LoadedModel, patches: NDArray[np.float32]) -> float:
        """Return how far patches (N, H, W) of one micrograph lie from the usual ones.

        The larger of the mean latent and the mean feature distance, each divided by its limit for
        this number of patches; beyond 1.0 the micrograph is unusual.
        """
        found = patch_distances(loaded, patches, self.latent_mean, self.latent_whitening)
        few = min(len(patches), FIELD_PATCHES)
        # A mean over few patches scatters more: between the two limits with 1 / sqrt(n).
        share = (few**-0.5 - FIELD_PATCHES**-0.5) / (1 - FIELD_PATCHES**-0.5)
        limits = np.array(self.limits) * (1 - share) + np.array(self.patch_limits) * share
        return float((found.mean(axis=0) / limits).max())


def save_reference(folder: Path, reference: Reference) -> None:
    """Write ``reference.json`` into a model folder."""
    content: dict[str, Any] = {}
    for name in Reference.__dataclass_fields__:
        value = getattr(reference, name)
        content[name] = value.tolist() if isinstance(value, np.ndarray) else value
    write_json(folder / FILE, content)


def load_reference(folder: Path) -> Reference:
    """Read ``reference.json`` of a model folder.

    Raises:
        CheckpointError: missing or damaged.
    """
    content = read_json(folder / FILE)
    try:
        for name in ("latent_mean", "latent_whitening"):
            content[name] = np.array(content[name], dtype=float)
            if not np.isfinite(content[name]).all():
                raise ValueError(f"{name} is not finite")
        for name in ("limits", "patch_limits"):
            content[name] = (float(content[name][0]), float(content[name][1]))
        return Reference(**content)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise CheckpointError(f"{folder / FILE} is damaged: {error}") from error


def spread_patches(pixels: NDArray[np.float32], size: int, count: int) -> NDArray[np.intp]:
    """Return corners (n, 2) of at most ``count`` patches on an even grid over a micrograph.

    Raises:
        InputError: the micrograph is smaller than a patch.
    """
    height, width = pixels.shape
    if min(height, width) < size:
        raise InputError(f"{width} x {height} px is smaller than a patch of {size} px")
    rows = min(max(round((count * height / width) ** 0.5), 1), count)
    columns = max(count // rows, 1)
    # More patches than fit side by side twice over would only repeat one another.
    rows, columns = min(rows, 2 * height // size - 1), min(columns, 2 * width // size - 1)
    y = np.linspace(0, height - size, rows).round().astype(np.intp)
    x = np.linspace(0, width - size, columns).round().astype(np.intp)
    return np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1).reshape(-1, 2)


def cut_at(
    pixels: NDArray[np.float32], corners: NDArray[np.intp], size: int
) -> NDArray[np.float32]:
    """Return the patches (n, size, size) at these corners."""
    return np.stack([pixels[y : y + size, x : x + size] for y, x in corners])


@torch.no_grad()
def patch_distances(
    loaded: LoadedModel, patches: NDArray[np.float32], mean: Array, whitening: Array
) -> Array:
    """Return (N, 2): Mahalanobis distance of mu, and root mean square of standardised features."""
    head, found = loaded.vae.head, []
    for chunk in torch.from_numpy(np.ascontiguousarray(patches)).unsqueeze(1).split(CHUNK):
        inputs = head.inputs(loaded.vgg(chunk.to(loaded.device)))
        mu = head(inputs)[0].double().cpu().numpy()
        standard = ((inputs - head.centre) / head.spread).clamp(-30, 30)
        rms = standard.square().mean(dim=1).sqrt().double().cpu().numpy()
        found.append(np.stack([np.linalg.norm((mu - mean) @ whitening.T, axis=1), rms], axis=1))
    return np.concatenate(found)


@torch.no_grad()
def style_of(loaded: LoadedModel, pictures: NDArray[np.float32]) -> dict[str, LayerStatistics]:
    """Return the style statistics of pictures (N, H, W); average pooling, as measures are defined.

    Memory: 1.4 MB a picture.
    """
    network = loaded.vgg.with_pooling("average")
    tensor = torch.from_numpy(np.ascontiguousarray(pictures)).unsqueeze(1)
    chunks = [
        style_statistics(network(chunk.to(loaded.device), last="pool4"))
        for chunk in tensor.split(CHUNK if tensor.shape[2] <= 256 else 1)
    ]
    return {
        layer: LayerStatistics(
            *(torch.cat(part) for part in zip(*(c[layer] for c in chunks), strict=True))
        )
        for layer in chunks[0]
    }


def pick(
    statistics: Mapping[str, LayerStatistics], index: NDArray[np.intp]
) -> dict[str, LayerStatistics]:
    """Return the statistics of the pictures at ``index``."""
    rows = torch.from_numpy(np.asarray(index))
    return {n: LayerStatistics(s.mean[rows], s.covariance[rows]) for n, s in statistics.items()}


def style_distance(
    target: Mapping[str, LayerStatistics], found: Mapping[str, LayerStatistics]
) -> Array:
    """Return the relative style error by layer, (N, 5), of pictures against their targets."""
    return relative_style_error(target, found).double().cpu().numpy()


def style_errors(
    loaded: LoadedModel, first: NDArray[np.float32], second: NDArray[np.float32]
) -> Array:
    """Return the relative style error by layer, (N, 5), of second against first, (N, H, W) each."""
    return style_distance(style_of(loaded, first), style_of(loaded, second))


def _whitening(mu: NDArray[np.floating]) -> tuple[Array, Array]:
    """Return mean (D,) and W (D, D) with W cov W^T = 1, covariance shrunk after Ledoit and Wolf."""
    fitted = LedoitWolf().fit(mu.astype(float))
    return fitted.location_, np.linalg.cholesky(np.linalg.inv(fitted.covariance_)).T


def sample_pairs(
    data: DataSet, size: int, rng: np.random.Generator, um_per_px: float | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw two patches of each specimen that do not overlap, (S, size, size) each.

    Raises:
        InputError: a specimen's first micrograph has no room for two patches.
    """
    first, second = [], []
    names = data.table["specimen"].to_numpy()
    for specimen in data.specimens.index:
        row = int(np.flatnonzero(names == specimen)[0])
        pixels = read_to_scale(data, row, um_per_px)
        corners = patch_corners(pixels.shape[0], pixels.shape[1], size, max(size // 4, 1))
        apart = np.abs(corners[:, None] - corners).max(axis=2) >= size  # (n, n)
        able = np.flatnonzero(apart.any(axis=1))
        if len(able) == 0:
            raise InputError(f"the micrograph of {specimen} has no room for two {size} px patches")
        one = rng.choice(able)
        another = rng.choice(np.flatnonzero(apart[one]))
        pair = cut_at(pixels, corners[[one, another]], size)
        first.append(pair[0])
        second.append(pair[1])
    return np.stack(first), np.stack(second)


def measure_reference(loaded: LoadedModel, data: DataSet, seed: int = 0) -> Reference:
    """Measure a reference on micrographs that the model was not trained on.

    Raises:
        InputError: fewer than three specimens, or the data are the model's own.
        CheckpointError: the model's cached latents are missing.
    """
    if data.hash == loaded.manifest.get("data_hash"):
        raise InputError("the reference must be measured on other data than the model's own")
    if len(data.specimens) < 3:
        raise InputError(f"{len(data.specimens)} specimens: a reference needs at least three")
    mean, whitening = _whitening(load_latents(loaded.path / "latents").mu)
    size, rng = loaded.config.patch_px, np.random.default_rng(seed)
    fields, singles = [], []
    names = data.table["specimen"].to_numpy()
    for number, specimen in enumerate(data.specimens.index, start=1):  # one micrograph each
        row = int(np.flatnonzero(names == specimen)[0])
        pixels = read_to_scale(data, row, loaded.um_per_px)
        patches = cut_at(pixels, spread_patches(pixels, size, FIELD_PATCHES), size)
        distances = patch_distances(loaded, patches, mean, whitening)
        fields.append(distances.mean(axis=0))
        singles.append(distances[rng.integers(len(distances))])
        if number % 50 == 0:
            logger.info("%d of %d specimens", number, len(data.specimens))
    originals, partners = sample_pairs(data, size, rng, loaded.um_per_px)
    style = style_of(loaded, originals)
    others = np.roll(np.arange(len(originals)), 1)
    remade = style_distance(style, style_of(loaded, reconstruct(loaded, originals, seed)))
    same = style_distance(style, style_of(loaded, partners))
    other = style_distance(style, pick(style, others))
    limits, patch_limits = _limits(np.array(fields), np.array(singles))
    return Reference(
        data_name=data.name,
        images=len(fields),
        patches=len(originals),
        style_reconstruction_median=float(np.median(remade.mean(axis=1))),
        style_reconstruction_p90=float(np.quantile(remade.mean(axis=1), 0.9)),
        style_same_specimen=float(np.median(same.mean(axis=1))),
        style_other_specimen=float(np.median(other.mean(axis=1))),
        latent_mean=mean,
        latent_whitening=whitening,
        limits=limits,
        patch_limits=patch_limits,
    )


def _limits(fields: Array, singles: Array) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return limits such that 5 % of fields, and of patches, exceed one of the two distances."""
    found = []
    for distances in (fields, singles):
        scale = np.quantile(distances, 0.95, axis=0)
        joint = np.quantile((distances / scale).max(axis=1), 0.95)
        limits = scale * joint
        found.append((float(limits[0]), float(limits[1])))
    return found[0], found[1]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure what is normal for a model and write it into the model folder."""
    parser = argparse.ArgumentParser(prog="python -m core.reference", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="data the model has not seen")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        loaded = load_model(arguments.model)
        save_reference(arguments.model, measure_reference(loaded, load_dataset(arguments.data)))
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
