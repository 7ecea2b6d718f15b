"""What is normal for a model: style references and the limit beyond which an image is unusual.

``python -m core.reference --model DIR --data DIR`` measures it on micrographs that the model was
not trained on (for the shipped model: fresh castings) and writes ``reference.json`` into the model
folder.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

from core.checkpoint import LoadedModel, load_model
from core.dataset import DataSet, load_dataset
from core.encode import load_latents
from core.errors import CheckpointError, InputError, MicroDesignError
from core.files import read_json, write_json
from core.metrics.catalogue import compare, load_metrics
from core.patch_pairs import sample_pairs
from core.patches import cut_at, spread_patches
from core.picture_style import pick, style_distance, style_of
from core.scale import read_to_scale
from core.summaries import mean_interval
from core.synthesis import reconstruct
from core.unseen import held_out_part

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
        metrics: metric (`core.metrics`) -> "reconstruction", "same_specimen", "other_specimen" ->
            mean, its 95 % interval ("low", "high"), median and number of pairs "n".
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
    metrics: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)

    @property
    def distance_threshold(self) -> float:
        """Distances are divided by their limits: beyond 1.0 an image is unusual."""
        return 1.0

    def distance(
        self, loaded: LoadedModel, patches: NDArray[np.float32], independent: int | None = None
    ) -> float:
        """Return how far patches (N, H, W) of one micrograph lie from the usual ones.

        The larger of the mean latent and the mean feature distance, each divided by its limit for
        this number of patches; beyond 1.0 the micrograph is unusual.

        Args:
            loaded: the model.
            patches: of one micrograph, in [0, 1].
            independent: how many of them do not overlap; all of them for None.
        """
        found = patch_distances(loaded, patches, self.latent_mean, self.latent_whitening)
        few = min(independent or len(patches), FIELD_PATCHES)
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


def _whitening(mu: NDArray[np.floating]) -> tuple[Array, Array]:
    """Return mean (D,) and W (D, D) with W cov W^T = 1, covariance shrunk after Ledoit and Wolf."""
    fitted = LedoitWolf().fit(mu.astype(float))
    return fitted.location_, np.linalg.cholesky(np.linalg.inv(fitted.covariance_)).T


def measure_reference(
    loaded: LoadedModel, data: DataSet, seed: int = 0, held_out: bool = False
) -> Reference:
    """Measure a reference on micrographs that the model was not trained on.

    Args:
        loaded: the model, with its cached latents.
        data: other data than the model's own; with ``held_out`` the model's own, of which the
            specimens are taken that it was not trained on.
        seed: of the patches.
        held_out: see ``data``.

    Raises:
        InputError: fewer than three specimens, or the data are the model's own.
        CheckpointError: the model's cached latents are missing.
    """
    if held_out:
        data = held_out_part(loaded, data)
    elif data.hash == loaded.manifest.get("data_hash"):
        raise InputError("the reference must be measured on other data than the model's own")
    if len(data.specimens) < 3:
        raise InputError(f"{len(data.specimens)} specimens: a reference needs at least three")
    table = load_latents(loaded.path / "latents")
    kept = ~np.isin(table.specimen, data.specimens.index) if held_out else slice(None)
    mean, whitening = _whitening(table.mu[kept])
    rng = np.random.default_rng(seed)
    fields, singles = _usual_distances(loaded, data, mean, whitening, rng)
    limits, patch_limits = _limits(fields, singles)
    return Reference(
        data_name=data.name,
        images=len(fields),
        latent_mean=mean,
        latent_whitening=whitening,
        limits=limits,
        patch_limits=patch_limits,
        **_usual_style(loaded, data, seed, rng),
    )


def _usual_distances(
    loaded: LoadedModel, data: DataSet, mean: Array, whitening: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return distances (S, 2) of one micrograph a specimen, and (S, 2) of one of its patches."""
    size = loaded.config.patch_px
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
    return np.array(fields), np.array(singles)


def _usual_style(
    loaded: LoadedModel, data: DataSet, seed: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Return style references and metrics by name, and from how many patches they come."""
    size = loaded.config.patch_px
    originals, partners = sample_pairs(data, size, rng, loaded.um_per_px)
    style = style_of(loaded, originals)
    others = np.roll(np.arange(len(originals)), 1)
    reconstructions = reconstruct(loaded, originals, seed)
    remade = style_distance(style, style_of(loaded, reconstructions))
    same = style_distance(style, style_of(loaded, partners))
    other = style_distance(style, pick(style, others))
    return {
        "patches": len(originals),
        "style_reconstruction_median": float(np.median(remade.mean(axis=1))),
        "style_reconstruction_p90": float(np.quantile(remade.mean(axis=1), 0.9)),
        "style_same_specimen": float(np.median(same.mean(axis=1))),
        "style_other_specimen": float(np.median(other.mean(axis=1))),
        "metrics": _usual_metrics(
            loaded,
            originals,
            {
                "reconstruction": reconstructions,
                "same_specimen": partners,
                "other_specimen": originals[others],
            },
        ),
    }


def _usual_metrics(
    loaded: LoadedModel, originals: NDArray[np.float32], arms: Mapping[str, NDArray[np.float32]]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return what every metric that can be had says of pictures against the originals."""
    metrics, missing = load_metrics(loaded.vgg, loaded.config.patch_px)
    for reason in missing.values():
        logger.info("%s", reason)
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in metrics}
    for arm, pictures in arms.items():
        for name, values in compare(metrics, originals, pictures).items():
            found[name][arm] = mean_interval(values)
    return found


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
    parser.add_argument(
        "--held-out", action="store_true", help="use the model's own data: what was held out of it"
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        loaded, data = load_model(arguments.model), load_dataset(arguments.data)
        found = measure_reference(loaded, data, held_out=arguments.held_out)
        save_reference(arguments.model, found)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
