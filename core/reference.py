"""Measure what is normal for a model: style references, and when a micrograph is unusual.

``python -m core.reference --model DIR --training DIR --data DIR`` learns where the training
patches lie (latents and style vectors), sets the limits on micrographs that the model was not
trained on (for the shipped model: castings used for nothing else) and writes ``reference.json`` and
``reference.safetensors`` into the model folder.
"""

import argparse
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.checkpoint import LoadedModel, load_model
from core.dataset import DataSet, load_dataset
from core.descriptors.graphite_iron import looks_like_graphite_iron
from core.encode import load_latents
from core.errors import InputError, MicroDesignError
from core.metrics.catalogue import compare, load_metrics
from core.patch_pairs import sample_pairs
from core.patches import cut_at, independent_patches, spread_patches
from core.picture_style import pick, style_distance, style_of
from core.properties import READ_PATCHES
from core.reference_file import (
    FILE,
    Reference,
    layer_distances,
    load_reference,
    micrograph_distances,
    save_reference,
)
from core.scale import read_to_scale
from core.summaries import mean_interval
from core.synthesis import encode_with_style, reconstruct
from core.unseen import split_own
from core.usual import UsualSpace, fit_usual

__all__ = [
    "FILE",
    "Reference",
    "load_reference",
    "measure_reference",
    "save_reference",
]

COMPONENTS = 32  # of style vectors
MOST_SPECIMENS = 300  # of the training data, to learn where style vectors lie
EXCEEDED = 0.05  # share of usual micrographs beyond the limit
GRAPHITE_SHARE = 0.9  # of usual micrographs that look like graphite irons, where the data are those
logger = logging.getLogger(__name__)

Array = NDArray[np.float64]


def measure_reference(
    loaded: LoadedModel, data: DataSet | None, training: DataSet, seed: int = 0
) -> Reference:
    """Measure a reference on micrographs that the model was not trained on.

    Args:
        loaded: the model, with its cached latents.
        data: micrographs that it has not seen, for the limits; None for those of ``training`` that
            were held out of its training.
        training: the data set that it was trained on.
        seed: of what is drawn.

    Raises:
        InputError: fewer than three specimens, or the data are the model's own, or ``training``
            are not.
        CheckpointError: the model's cached latents are missing.
    """
    _check_data(loaded, data, training)
    table = load_latents(loaded.path / "latents")
    if data is None:
        training, data = split_own(loaded, training)
        kept = np.isin(table.specimen, training.specimens.index)
        table = replace(table, mu=table.mu[kept], specimen=table.specimen[kept])
    if len(data.specimens) < 3:
        raise InputError(f"{len(data.specimens)} specimens: a reference needs at least three")
    style, latent = learn_style(loaded, training), fit_usual(table.mu, table.specimen)
    rng = np.random.default_rng(seed)
    usual = _usual_distances(loaded, data, (latent, style), rng)
    limits, patch_limits = joint_limits(usual["field"]), joint_limits(usual["single"])
    return Reference(
        model_hash=loaded.hash,
        data_name=data.name,
        data_hash=data.hash,
        images=len(usual["field"]),
        latent=latent,
        style=style,
        limits=limits,
        patch_limits=patch_limits,
        layer_limits=tuple(map(float, np.quantile(usual["layers"], 1 - EXCEEDED, axis=0))),
        distances=tuple(sorted((usual["field"] / np.array(limits)).max(axis=1).tolist())),
        graphite=bool(usual["graphite"].mean() >= GRAPHITE_SHARE),
        **_usual_style(loaded, data, seed, rng),
    )


def _check_data(loaded: LoadedModel, data: DataSet | None, training: DataSet) -> None:
    own = loaded.manifest.get("data_hash")
    if data is not None and data.hash == own:
        raise InputError("the reference must be measured on other data than the model's own")
    if training.hash != own:
        raise InputError(
            f"{training.name} ({training.root}) is not the data set that the model was trained on; "
            "give that one as --training"
        )


def learn_style(loaded: LoadedModel, training: DataSet) -> UsualSpace:
    """Learn where the style vectors of training patches lie, from a micrograph of each specimen."""
    names = training.specimens.index
    chosen = np.unique(np.linspace(0, len(names) - 1, MOST_SPECIMENS).round().astype(int))
    vectors, specimens = [], []
    for number, specimen in enumerate(names[chosen], start=1):
        found = encode_with_style(loaded, _first_patches(loaded, training, specimen)[0])[1]
        vectors.append(found)
        specimens += [specimen] * len(found)
        _log(number, len(chosen), "training specimens")
    return fit_usual(np.concatenate(vectors), np.array(specimens), COMPONENTS)


def _first_patches(
    loaded: LoadedModel, data: DataSet, specimen: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return patches of a specimen's first micrograph, and the micrograph."""
    row = int(np.flatnonzero(data.table["specimen"].to_numpy() == specimen)[0])
    pixels = read_to_scale(data, row, loaded.um_per_px)
    size = loaded.config.patch_px
    return cut_at(pixels, spread_patches(pixels, size, READ_PATCHES), size), pixels


def _usual_distances(
    loaded: LoadedModel,
    data: DataSet,
    spaces: tuple[UsualSpace, UsualSpace],
    rng: np.random.Generator,
) -> dict[str, Array]:
    """Return what is found on one micrograph of each specimen.

    Returns:
        "field" (S, 2) distances, "single" (S, 2) those of one of its patches, "layers" (S, 6),
        "graphite" (S,) whether it looks like a graphite iron.
    """
    found: dict[str, list] = {"field": [], "single": [], "layers": [], "graphite": []}
    for number, specimen in enumerate(data.specimens.index, start=1):
        patches, pixels = _first_patches(loaded, data, specimen)
        mu, style = encode_with_style(loaded, patches)
        apart = independent_patches(pixels, loaded.config.patch_px, len(patches))
        one = slice(place := int(rng.integers(len(patches))), place + 1)
        found["field"].append(micrograph_distances(*spaces, mu, style, apart))
        found["single"].append(micrograph_distances(*spaces, mu[one], style[one], 1))
        found["layers"].append(layer_distances(spaces[1], style))
        found["graphite"].append(looks_like_graphite_iron(pixels))
        _log(number, len(data.specimens), "specimens")
    return {name: np.array(values) for name, values in found.items()}


def joint_limits(distances: Array) -> tuple[float, float]:
    """Return limits such that 5 % of micrographs exceed one of their two distances.

    Each distance is scaled by its own quantile; the larger of the two scaled ones is then held
    against the ceil(0.95 (S + 1))-th smallest, as in split conformal prediction; with fewer than
    19 micrographs, against the largest.

    Args:
        distances: (S, 2).
    """
    scale = np.quantile(distances, 1 - EXCEEDED, axis=0)
    larger = np.sort((distances / scale).max(axis=1))
    rank = min(math.ceil((1 - EXCEEDED) * (len(larger) + 1) - 1e-9), len(larger))
    low, high = (float(limit) for limit in scale * larger[rank - 1])
    return low, high


def _log(number: int, count: int, what: str) -> None:
    if number % 50 == 0 or number == count:
        logger.info("%d of %d %s", number, count, what)


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


def main(argv: Sequence[str] | None = None) -> None:
    """Measure what is normal for a model and write it into the model folder."""
    parser = argparse.ArgumentParser(prog="python -m core.reference", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--training", type=Path, required=True, help="data it was trained on")
    unseen = parser.add_mutually_exclusive_group(required=True)
    unseen.add_argument("--data", type=Path, help="data the model has not seen")
    unseen.add_argument(
        "--held-out", action="store_true", help="instead: what was held out of its training"
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        loaded, training = load_model(arguments.model), load_dataset(arguments.training)
        data = None if arguments.held_out else load_dataset(arguments.data)
        save_reference(arguments.model, measure_reference(loaded, data, training))
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
