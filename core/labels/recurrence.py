"""How many of a model's labels recur in a model trained anew.

``python -m core.labels.recurrence --model DIR --against DIR`` pairs the dimensions of two labelled
models by their latents of the same patches (`core.labels.matching`) and compares their names. How
the axes of a latent space lie is chance as far as its prior looks alike in all directions, so it
also tells how much of one space the other holds, whatever its axes, and whether the specimens'
principal directions recur.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, cross_val_predict

from core.checkpoint import LoadedModel, load_model
from core.encode import LatentTable, load_latents
from core.errors import InputError, MicroDesignError
from core.json_values import rounded
from core.labels.labels import DIGITS, Labels, load_labels
from core.labels.matching import (
    correlations,
    match_dimensions,
    random_matches,
    recurring_labels,
    recurs,
)
from core.results import RESULTS, given_words, record, write_result
from core.summaries import specimen_means

FOLDS, STRENGTHS = 5, np.logspace(-2, 4, 13)  # of the linear map
CHANCE = 200  # blind pairings, for what recurs by chance
NAME = "retrained"
logger = logging.getLogger("core.labels.recurrence")


def recurrence(
    first: Labels, second: Labels, table: LatentTable, other: LatentTable, seed: int = 0
) -> dict[str, Any]:
    """Say how many labels of a model recur in another, and how many would by chance.

    Args:
        first, second: labels of the two models.
        table, other: latents of the two models, of the same patches.
        seed: of the blind pairings.

    Returns:
        What `core.labels.matching.recurring_labels` finds, and under ``by_chance`` the means of the
        same shares over `CHANCE` blind pairings; under ``by_latent``, for each latent of the first
        model, its counterpart, their correlation and both names. Under ``space`` the share of the
        variance of the other model's latents that a linear map of the first's explains, on patches
        of specimens left out, and the other way round. Under ``directions``, for each principal
        direction of the first model, the same as for latents, correlated over specimens.

    Raises:
        InputError: the latents are of other patches, or no pair was traversed on both sides.
    """
    match = match_dimensions(table, other)
    found = recurring_labels(first, second, match)
    if not found["all_pairs"]["pairs"]:
        raise InputError("no latent was traversed in both models: name all latents of both")
    blind = [
        recurring_labels(first, second, one)["all_pairs"]
        for one in random_matches(table, other, CHANCE, seed)
    ]
    shares = ("same_label", "strongest_effect_recurs")
    found["by_chance"] = {name: _mean([one[name] for one in blind]) for name in shares}
    found["by_latent"] = {
        one.name: {
            "counterpart": two.name,
            "correlation": r,
            "label": one.label,
            "there": two.label,
        }
        for a, b, r in zip(match.first, match.second, match.correlation.tolist(), strict=True)
        if (one := first.by_index.get(int(a))) and (two := second.by_index.get(int(b)))
    }
    found["space"] = {
        "of_the_other": _explained(table, other),
        "of_the_first": _explained(other, table),
    }
    found["directions"] = _directions(first, second, table, other)
    return found


def _explained(table: LatentTable, other: LatentTable) -> float:
    """Return R2 of the other's latents from a table's, of specimens left out, all latents pooled.

    Ridge regression, its strength chosen within the specimens learned from.
    """
    x, y = table.mu.astype(float), other.mu.astype(float)
    groups = np.unique(table.specimen, return_inverse=True)[1]
    folds = GroupKFold(min(FOLDS, int(groups.max()) + 1))
    told = cross_val_predict(RidgeCV(STRENGTHS), x, y, groups=groups, cv=folds)
    return float(1 - ((y - told) ** 2).sum() / ((y - y.mean(axis=0)) ** 2).sum())


def _directions(
    first: Labels, second: Labels, table: LatentTable, other: LatentTable
) -> dict[str, dict[str, Any]]:
    """Pair principal directions by the specimens' places along them."""
    places = []
    for labels, one in ((first, table), (second, other)):
        means, _ = specimen_means(one.mu, one.specimen)
        vectors = np.array([d.vector for d in labels.directions]).reshape(-1, means.shape[1])
        places.append(means @ vectors.T)
    correlation = correlations(*places)
    found = {}
    for i, j in zip(*linear_sum_assignment(-np.abs(correlation)), strict=True):
        one, two = first.directions[i], second.directions[j]
        found[one.name] = {
            "counterpart": two.name,
            "correlation": float(correlation[i, j]),
            "label": one.label,
            "there": two.label,
            "strongest_effect_recurs": recurs(one, two, float(correlation[i, j]))[1],
        }
    return found


def _mean(shares: Sequence[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return float(np.mean(known)) if known else None


def measure(model: Path, against: Path, argv: Sequence[str] = ()) -> dict[str, Any]:
    """Return the result for two model folders, each with labels and latents of the same data set.

    Raises:
        CheckpointError: a folder lacks them or is damaged.
        InputError: labels or latents do not belong together, or the other model was not trained
            from nothing with another seed.
    """
    pairs = []
    for folder in (model, against):
        loaded = load_model(folder, backbone=False)
        labels, table = load_labels(folder), load_latents(folder / "latents")
        labels.require_model(loaded.hash)
        if table.model_hash != loaded.hash:
            raise InputError(f"{folder}: the latents are of another model; encode its data again")
        if labels.data_hash != table.data_hash:
            raise InputError(f"{folder}: labels and latents are of different data sets")
        pairs.append((loaded, labels, table))
    (loaded, labels, table), (anew, other, other_table) = pairs
    if anew.manifest.get("began_from"):
        raise InputError(
            f"{against} was trained on from other weights; give one begun from nothing"
        )
    if loaded.manifest.get("seed") == (seed := anew.manifest.get("seed")):
        raise InputError(f"{against} has the seed of {model}, {seed}; give one of another seed")
    content = record(
        "core.labels.recurrence",
        list(argv),
        model_sha256=loaded.hash,
        data_hash=table.data_hash,
        denoiser_sha256=_finishing(loaded, labels),
    )
    content["data"] = {"name": labels.data_name, "synthetic": labels.synthetic}
    content["what"] = (
        "labels of the model's latents that recur in a model trained anew, latents paired by their "
        "correlation over the same patches"
    )
    content["retrained"] = {
        "model_sha256": anew.hash,
        **{name: anew.manifest.get(name) for name in ("seed", "steps", "patches_seen")},
        "finished_pictures": anew.denoiser_hash is not None,
        "plan": other.plan,
    }
    content["plan"] = labels.plan
    content["figures"] = recurrence(labels, other, table, other_table)
    return dict(rounded(content, DIGITS))


def _finishing(loaded: LoadedModel, labels: Labels) -> str | None:
    """Return what finished the pictures that were named; in older files the denoiser's weights."""
    if loaded.denoiser is None:
        return None
    found = labels.plan.get("finishing", loaded.denoiser.about["weights_sha256"])
    return None if found is None else str(found)


def main(argv: Sequence[str] | None = None) -> None:
    """Compare a model's labels with those of a model trained anew on the same data."""
    parser = argparse.ArgumentParser(prog="python -m core.labels.recurrence", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a labelled model folder")
    parser.add_argument("--against", type=Path, required=True, help="that of the other model")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        content = measure(arguments.model, arguments.against, given_words(arguments, "out"))
        write_result(NAME, content, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    found = content["figures"]["all_pairs"]
    logger.info("%d pairs, same label %s", found["pairs"], found["same_label"])


if __name__ == "__main__":
    main()
