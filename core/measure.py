"""Measure a model on castings it has never seen: reconstruction, fields, signs of collapse.

``python -m core.measure --model DIR --data DIR`` writes ``docs/results/reconstruction.json``. Every
figure stands beside its same-specimen and other-specimen references.
"""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score

from core.checkpoint import LoadedModel
from core.dataset import DataSet
from core.encode import load_latents
from core.errors import MicroDesignError
from core.fields import specimen_fields
from core.isotropy import gradient_axis, isotropy, particle_axis
from core.patch_pairs import sample_pairs
from core.patches import cut_at, spread_patches
from core.picture_style import pick, style_distance, style_of
from core.properties import READ_PATCHES, PropertyModel
from core.regressor import Prediction
from core.results import write_result
from core.scale import read_to_scale
from core.seen import Seen, seen_fields
from core.summaries import paired_difference, summary
from core.synthesis import encode_patches, reconstruct
from core.unseen import open_unseen, unseen_parser
from core.validation import ACTIVE_VARIANCE
from core.vgg import STYLE_LAYERS

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]


def patch_reconstruction(loaded: LoadedModel, data: DataSet, seed: int) -> dict[str, Any]:
    """Measure reconstructions of one patch a specimen, beside two real patches."""
    rng = np.random.default_rng(seed)
    originals, partners = sample_pairs(data, loaded.config.patch_px, rng, loaded.um_per_px)
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


def field_test(loaded: LoadedModel, data: DataSet, count: int, seed: int) -> dict[str, Any] | None:
    """Measure synthesised 512 px fields of ``count`` specimens beside two real ones.

    See `core.fields.specimen_fields` for the arms.

    Returns:
        The figures; None for a decoder that makes patches only.

    Raises:
        InputError: fewer than two specimens have two micrographs of 512 px.
    """
    if loaded.config.decoder == "paper":
        return None
    found: dict[str, list[float]] = {}
    axes: dict[str, dict[str, list[complex]]] = {"gradients": {}, "particles": {}}
    last = None
    for fields in specimen_fields(loaded, data, count, seed):
        target = style_of(loaded, fields.target[None])
        figures = {
            name: float(style_distance(target, style_of(loaded, picture[None])).mean())
            for name, picture in fields.arms.items()
        }
        if last is not None:
            figures["other_specimen"] = float(style_distance(target, last).mean())
        for name, picture in fields.arms.items():
            axes["gradients"].setdefault(name, []).append(gradient_axis(picture))
            axes["particles"].setdefault(name, []).append(particle_axis(picture))
        for name, value in figures.items():
            found.setdefault(name, []).append(value)
        last = target
        logger.info("field of %s: %.3f", fields.specimen, figures["generated"])
    real = np.array(found["same_specimen"])
    differences = {
        f"{name}_minus_same_specimen": paired_difference(np.array(found[name]), real)
        for name in ("generated", "designed")
    }
    return {
        "what": "relative style error of synthesised 512 px fields against a real one",
        "unit": "1",
        **{name: summary(np.array(values)) for name, values in found.items()},
        **differences,
        "isotropy": {
            "what": "directions that gradients and dark particles of the fields prefer, 0 to 1 "
            "(core.isotropy)",
            **{name: isotropy(arms, "same_specimen") for name, arms in axes.items()},
        },
    }


def collapse_check(mu: Array, logvar: Array) -> dict[str, Any]:
    """Measure active latents, KL and the aggregate posterior on patches' latents (N, D)."""
    variance = mu.var(axis=0)
    total = variance + np.exp(logvar).mean(axis=0)
    active = variance > ACTIVE_VARIANCE
    off, matrix = np.empty(0), list[list[float]]()
    if active.sum() > 1:  # a collapsed model has no pair of active latents
        correlation: Array = np.atleast_2d(np.corrcoef(mu[:, active].T))
        off = np.abs(correlation[~np.eye(len(correlation), dtype=bool)])
        matrix = correlation.round(2).tolist()
    return {
        "what": "latents of patches; the prior has mean 0, variance 1, correlation 0",
        "active_latents": int(active.sum()),
        "latents": int(mu.shape[1]),
        "kl_nats": float(0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1).mean()),
        "aggregate_mean_abs": float(np.abs(mu.mean(axis=0)).mean()),
        "aggregate_variance": summary(total),
        "correlation_abs": summary(off) | {"max": float(off.max())} if off.size else None,
        "correlation": {"latents": np.flatnonzero(active).tolist(), "matrix": matrix},
        "patches": len(mu),
    }


def encode_fields(loaded: LoadedModel, data: DataSet) -> tuple[list[Array], list[Array]]:
    """Encode up to `READ_PATCHES` patches of each specimen's first micrograph.

    Returns:
        mu and logvar of each specimen, (patches, D).
    """
    names, size = data.table["specimen"].to_numpy(), loaded.config.patch_px
    mu, logvar = [], []
    for specimen in data.specimens.index:
        row = int(np.flatnonzero(names == specimen)[0])
        pixels = read_to_scale(data, row, loaded.um_per_px)
        patches = cut_at(pixels, spread_patches(pixels, size, READ_PATCHES), size)
        means, spreads = encode_patches(loaded, patches)
        mu.append(means.astype(float))
        logvar.append(spreads.astype(float))
    return mu, logvar


def property_errors(
    properties: PropertyModel, data: DataSet, mu: Sequence[Array], seen: Sequence[Seen]
) -> dict[str, Any]:
    """Measure predicted properties of specimens.

    Args:
        properties: the model's; data: with the labels.
        mu: of the specimens' patches, (patches, D) each.
        seen: what was measured in their micrographs.
    """
    readings = [
        properties.read(z.mean(axis=0), len(z), *one) for z, one in zip(mu, seen, strict=True)
    ]
    predicted = [one.predicted for one in readings]
    figures: dict[str, Any] = {
        "what": "absolute relative error, %, from one micrograph of each specimen; encoder and "
        "property models frozen",
        "unit": "%",
        "patches": float(np.median([len(z) for z in mu])),
    }
    for regressor in properties.regressors:
        name = regressor.column
        if name not in data.specimens:
            continue
        true = data.specimens[name].to_numpy(dtype=float)
        answers = [one[name] for one in predicted]
        value = np.array([answer.value for answer in answers])
        known = np.isfinite(true)
        ends = [(a.low, a.high) for a in answers]
        inside = [
            low <= t <= high
            for t, (low, high) in zip(true, ends, strict=True)
            if low is not None and high is not None and np.isfinite(t)
        ]
        error = 100 * np.abs(value / true - 1)[known]
        middle = 100 * np.abs(np.median(true[known]) / true[known] - 1)
        figures[name] = {
            "error": summary(error),
            "reference_always_the_median": summary(middle),
            "by_latents_alone": _errors(true, [r.latents.get(name) for r in readings]),
            "by_measured_structure_alone": _errors(true, [r.structure.get(name) for r in readings]),
            "r2": float(r2_score(true[known], value[known])),
            "coverage_of_90_percent_interval": float(np.mean(inside)) if inside else None,
        }
    return figures


def _errors(true: Array, found: Sequence[Prediction | None]) -> dict[str, Any] | None:
    """Sum up absolute relative errors, %, of the specimens that a reader says something of."""
    values = np.array([np.nan if one is None else one.value for one in found])
    error = 100 * np.abs(values / true - 1)
    known = error[np.isfinite(error)]
    return summary(known) if known.size else None


def main(argv: Sequence[str] | None = None) -> None:
    """Measure a model on data it has not seen and write docs/results/reconstruction.json."""
    parser = unseen_parser("core.measure", main.__doc__)
    arguments = parser.parse_args(argv)
    try:
        unseen = open_unseen("core.measure", arguments)
        loaded, data, content = unseen.loaded, unseen.data, unseen.content
        content["patch_reconstruction"] = patch_reconstruction(loaded, data, arguments.seed)
        mu, logvar = encode_fields(loaded, data)
        content["collapse"] = collapse_check(np.concatenate(mu), np.concatenate(logvar))
        table = load_latents(loaded.path / "latents")
        content["collapse_training"] = collapse_check(
            table.mu.astype(float), table.logvar.astype(float)
        )
        if (loaded.path / "properties.json").is_file():
            properties = PropertyModel.load(loaded.path / "properties.json")
            properties.require_model(loaded.hash)
            seen = seen_fields(properties.structure, data, loaded.um_per_px or 1.0)
            content["properties"] = property_errors(properties, data, mu, seen)
        content["field_test"] = field_test(loaded, data, arguments.fields, arguments.seed)
        path = write_result("reconstruction", content, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s", path)


if __name__ == "__main__":
    main()
