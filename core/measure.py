"""Measure a model on castings it has never seen: reconstruction, fields, signs of collapse.

``python -m core.measure --model DIR --data DIR`` writes ``docs/results/reconstruction.json``. Every
figure stands beside its same-specimen and other-specimen references.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.checkpoint import LoadedModel, load_model
from core.dataset import DataSet, cut_patches, load_dataset
from core.encode import load_latents
from core.errors import InputError, MicroDesignError
from core.reference import pick, sample_pairs, style_distance, style_of
from core.results import RESULTS, record, write_result
from core.synthesis import encode_patches, reconstruct, scatter_cells, synthesise
from core.validation import ACTIVE_VARIANCE
from core.vgg import STYLE_LAYERS

FIELD_PX = 512
logger = logging.getLogger(__name__)

Array = NDArray[np.float64]


def summary(values: Array) -> dict[str, float | int]:
    """Return median, 90th percentile, mean and count of a sample."""
    return {
        "median": float(np.median(values)),
        "p90": float(np.quantile(values, 0.9)),
        "mean": float(np.mean(values)),
        "n": len(values),
    }


def paired_difference(a: Array, b: Array, seed: int = 0) -> dict[str, float]:
    """Return the mean of a - b with its 95 % bootstrap interval over specimens."""
    difference = np.asarray(a) - np.asarray(b)
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(difference), size=(4000, len(difference)))
    low, high = np.quantile(difference[draws].mean(axis=1), (0.025, 0.975))
    return {"mean": float(difference.mean()), "low": float(low), "high": float(high)}


def anisotropy(pixels: NDArray[np.floating]) -> float:
    """Return how much the gradients prefer a direction, 0 (none) to 1 (all one way).

    |sum g^2 exp(2 i theta)| / sum g^2 over the gradients (g, theta) of the smoothed picture: the
    anisotropy of the structure tensor.
    """
    smooth = ndimage.gaussian_filter(np.asarray(pixels, dtype=float), 1.5)
    gy, gx = np.gradient(smooth)
    return float(abs(np.sum((gx + 1j * gy) ** 2)) / max(np.sum(gx**2 + gy**2), 1e-12))


def patch_reconstruction(loaded: LoadedModel, data: DataSet, seed: int) -> dict[str, Any]:
    """Measure reconstructions of one patch a specimen, beside two real patches."""
    rng = np.random.default_rng(seed)
    originals, partners = sample_pairs(data, loaded.config.patch_px, rng)
    remade = reconstruct(loaded, originals, seed)
    others = np.roll(np.arange(len(originals)), 1)
    style, made = style_of(loaded, originals), style_of(loaded, remade)
    found = style_distance(style, made)
    same = style_distance(style, style_of(loaded, partners)).mean(axis=1)
    other = style_distance(style, pick(style, others)).mean(axis=1)
    error = found.mean(axis=1)
    between = style_distance(made, pick(made, others)).mean(axis=1)
    parts = {name: summary(found[:, i]) for i, name in enumerate(STYLE_LAYERS)}
    return {
        "what": "relative style error of a patch against its reconstruction, one a specimen",
        "unit": "1",
        "reconstruction": summary(error),
        "parts": parts,
        "same_specimen": summary(same),
        "other_specimen": summary(other),
        "reconstruction_minus_same_specimen": paired_difference(error, same),
        "between_reconstructions_of_different_specimens": summary(between),
    }


def field_test(loaded: LoadedModel, data: DataSet, count: int, seed: int) -> dict[str, Any]:
    """Measure synthesised 512 px fields of ``count`` specimens beside two real ones.

    A field's cells take the latents of the 16 patches of the specimen's first micrograph, in random
    order; it is compared with both micrographs.

    Raises:
        InputError: fewer than two specimens have two micrographs of 512 px.
    """
    rows = _two_fields(data)
    chosen = rows[:: max(len(rows) // count, 1)][:count]
    if len(chosen) < 2:
        raise InputError("the field test needs two specimens with two micrographs of 512 px each")
    size = loaded.config.patch_px
    made, same, other, real_direction, made_direction = [], [], [], [], []
    last = None
    for index, (a, b) in enumerate(chosen):
        first, second = (data.read(row).pixels[:FIELD_PX, :FIELD_PX] for row in (a, b))
        mu = encode_patches(loaded, cut_patches(first, size, size))[0]
        mean = mu.mean(axis=0)
        cells = scatter_cells(mean, mu - mean, FIELD_PX, FIELD_PX, size, seed + index)
        field = synthesise(loaded, cells, FIELD_PX, FIELD_PX, seed + index)
        style_a, style_b, style_made = (style_of(loaded, p[None]) for p in (first, second, field))
        errors = [
            float(style_distance(target, found).mean())
            for target, found in ((style_a, style_made), (style_b, style_made), (style_a, style_b))
        ]
        made.append(np.mean(errors[:2]))
        same.append(errors[2])
        if last is not None:
            other.append(float(style_distance(style_a, last).mean()))
        real_direction.append(anisotropy(first))
        made_direction.append(anisotropy(field))
        last = style_a
        logger.info(
            "field %d of %d: %.3f, same specimen %.3f",
            *(index + 1, len(chosen), made[-1], same[-1]),
        )
    return {
        "what": "relative style error of synthesised 512 px fields against real ones",
        "unit": "1",
        "generated": summary(np.array(made)),
        "same_specimen": summary(np.array(same)),
        "other_specimen": summary(np.array(other)),
        "generated_minus_same_specimen": paired_difference(np.array(made), np.array(same)),
        "anisotropy_generated": summary(np.array(made_direction)),
        "anisotropy_real": summary(np.array(real_direction)),
    }


def _two_fields(data: DataSet) -> list[tuple[int, int]]:
    names = data.table["specimen"].to_numpy()
    pairs = []
    for specimen in data.specimens.index:
        rows = np.flatnonzero(names == specimen)[:2]
        if len(rows) == 2 and all(min(data.read(int(r)).pixels.shape) >= FIELD_PX for r in rows):
            pairs.append((int(rows[0]), int(rows[1])))
    return pairs


def collapse_check(loaded: LoadedModel) -> dict[str, Any]:
    """Measure active latents, KL and the aggregate posterior on the model's own latents."""
    table = load_latents(loaded.path / "latents")
    mu, logvar = table.mu.astype(float), table.logvar.astype(float)
    variance = mu.var(axis=0)
    total = variance + np.exp(logvar).mean(axis=0)
    active = variance > ACTIVE_VARIANCE
    off = np.empty(0)
    if active.sum() > 1:  # a collapsed model has no pair of active latents
        correlation = np.corrcoef(mu[:, active].T)
        off = np.abs(correlation[~np.eye(len(correlation), dtype=bool)])
    return {
        "what": "latents of the training patches; the prior has mean 0, variance 1, correlation 0",
        "active_latents": int(active.sum()),
        "latents": int(mu.shape[1]),
        "kl_nats": float(0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1).mean()),
        "aggregate_mean_abs": float(np.abs(mu.mean(axis=0)).mean()),
        "aggregate_variance": summary(total),
        "correlation_abs": summary(off) if off.size else None,
        "patches": len(mu),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure a model on data it has not seen and write docs/results/reconstruction.json."""
    parser = argparse.ArgumentParser(prog="python -m core.measure", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="data the model has not seen")
    parser.add_argument("--fields", type=int, default=40, help="specimens in the field test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        loaded, data = load_model(arguments.model), load_dataset(arguments.data)
        if data.hash == loaded.manifest.get("data_hash"):
            raise InputError("these are the data that the model was trained on; give others")
        given = ["--model", str(arguments.model), "--data", str(arguments.data)]
        given += ["--fields", str(arguments.fields), "--seed", str(arguments.seed)]
        content = record("core.measure", given, model_sha256=loaded.hash, data_hash=data.hash)
        content["data"] = {"name": data.name, "synthetic": data.synthetic, "images": len(data)}
        content["patch_reconstruction"] = patch_reconstruction(loaded, data, arguments.seed)
        content["collapse"] = collapse_check(loaded)
        content["field_test"] = field_test(loaded, data, arguments.fields, arguments.seed)
        path = write_result("reconstruction", content, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s", path)


if __name__ == "__main__":
    main()
