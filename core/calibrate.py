"""Intervals that hold for new specimens: calibrated on specimens that the model has not learned.

    python -m core.calibrate --model DIR --data DIR

reads the micrographs of a data set as an upload is read, keeps their latents and what was measured
in them in the model folder (``unseen/``) and rewrites the intervals in its ``properties.json``.
Specimens whose micrographs the encoder has learned are predicted better than new ones are, also
when their labels are left out, so intervals calibrated on them are too narrow. Whoever fits the
property models anew calibrates them again from what is kept.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.checkpoint import load_model
from core.conformal import MIN_INTERVAL, Calibration, conformal_half_width
from core.dataset import DataSet, load_dataset
from core.encode import ABOUT, LatentTable, encode_dataset, load_latents, save_latents
from core.errors import InputError, MicroDesignError
from core.files import finish_together, read_json
from core.properties import READ_PATCHES, PropertyModel, fit_properties
from core.regressor import PATCH_COUNTS, Regressor, half_width_90
from core.seen import Seen, as_kept, first_file, forget_seen, load_seen, save_seen, seen_fields
from core.specimen_descriptors import SpecimenDescriptors
from core.structure_model import StructureModel, fit_structure
from core.together import LEAST, Together, left_out_together

UNSEEN = "unseen"  # folder in the model's
DRAWS = 5  # of patches from each micrograph, for means of fewer than it has
logger = logging.getLogger(__name__)

Array = NDArray[np.float64]


def calibrate(
    model: PropertyModel,
    unseen: LatentTable,
    seen: Mapping[str, Seen] | None = None,
    seed: int = 0,
) -> PropertyModel:
    """Set the half widths by split conformal on specimens that were learned by nothing.

    Args:
        model: the property models.
        unseen: latents of other specimens, each micrograph read as an upload is.
        seen: what was measured in the first micrograph of each; without it how sure latents and
            structure are together stays as it was.
        seed: of the draws of few patches from many.

    Returns:
        The property models with new half widths. A property with fewer than nine labelled unseen
        specimens keeps its old ones, and says so in its ``calibration``.

    Raises:
        CheckpointError: the latents are another model's.
        InputError: the specimens are those that the property models were fitted to.
    """
    model.require_model(unseen.model_hash)
    if unseen.data_hash == model.data_hash:
        raise InputError("the property models were fitted to these specimens; give others")
    means = {n: _field_means(unseen, n, seed) for n in (*PATCH_COUNTS, None)}
    regressors = [_calibrated(model, regressor, unseen, means) for regressor in model.regressors]
    model = replace(model, regressors=tuple(regressors))
    if not seen:
        return model
    together = _together(model, unseen, seen)
    if missing := {one.column for one in model.together} - {one.column for one in together}:
        logger.warning(
            "%s: how sure latents and structure are together stays as found before: too few of "
            "the specimens of %s have what the structure is read from; run core.calibrate again",
            *(", ".join(sorted(missing)), unseen.data_name),
        )
    found = {one.column: one for one in (*model.together, *together)}
    return replace(model, together=tuple(found.values()))


def _together(
    model: PropertyModel, unseen: LatentTable, seen: Mapping[str, Seen]
) -> list[Together]:
    """Find how sure latents and structure are together on the unseen specimens.

    Args:
        model: with its calibrated regressors.
        unseen, seen: as `calibrate`.
    """
    model, known, found = replace(model, together=()), unseen.specimens, []
    readings = {}
    for name, (values, area_mm2) in seen.items():
        mu = unseen.mu[unseen.file == first_file(unseen, name)].astype(float)
        readings[name] = model.read(mu.mean(axis=0), len(mu), values, area_mm2)
    for column in (r.column for r in model.regressors if r.column in known):
        labels = pd.to_numeric(known[column], errors="coerce").astype(float)
        scores = []
        for name, reading in readings.items():
            true, told = float(labels.loc[name]), reading.predicted[column]
            if np.isfinite(true) and column in reading.structure and told.high is not None:
                scores.append(abs(true - told.value) / max(told.high - told.value, LEAST))
        if (share := conformal_half_width(scores)) is not None:
            about = _new_ones(unseen, len(scores))
            found.append(Together(column=column, share=share, calibration=about))
    return found


def _new_ones(unseen: LatentTable, specimens: int) -> Calibration:
    """Say that so many specimens of a data set, which nothing has learned, were calibrated on."""
    return Calibration(
        method="unseen",
        specimens=specimens,
        data_name=unseen.data_name,
        data_hash=unseen.data_hash,
    )


def _calibrated(
    model: PropertyModel,
    regressor: Regressor,
    unseen: LatentTable,
    means: dict[int | None, tuple[Array, NDArray[np.str_]]],
) -> Regressor:
    """Return a regressor with half widths from the unseen specimens' means, by number of patches.

    Args:
        model: of the regressor.
        regressor: to calibrate.
        unseen: with the labels.
        means: number of patches, None for all of a micrograph -> (n, D) and (n,) specimens.
    """
    if regressor.column not in unseen.specimens:
        return regressor
    labels = pd.to_numeric(unseen.specimens[regressor.column], errors="coerce").astype(float)
    widths: dict[int | None, float] = {}
    for count, (latents, specimens) in means.items():
        true = labels.loc[specimens].to_numpy()
        known = np.isfinite(true)
        if not known.any():  # no label, or no micrograph with so many patches
            continue
        predicted = regressor.values(latents[known][:, list(model.active)])
        half = half_width_90(true[known], predicted, regressor.relative, specimens[known])
        if half is not None:
            widths[count] = half
    if None not in widths:
        return regressor
    named = set(np.asarray(unseen.specimen).astype(str))
    return replace(
        regressor,
        half_width=widths.pop(None),
        half_widths=tuple((count, half) for count, half in widths.items() if count is not None),
        calibration=_new_ones(unseen, int(labels[labels.index.isin(named)].notna().sum())),
    )


def _field_means(
    unseen: LatentTable, count: int | None, seed: int
) -> tuple[Array, NDArray[np.str_]]:
    """Return mean latents (n, D) of ``count`` patches of one micrograph, and their specimens (n,).

    `DRAWS` means of each micrograph that has more; none of one that has fewer. None: one mean of
    all the patches of each.
    """
    rng = np.random.default_rng(seed)
    means, owners = [np.empty((0, unseen.mu.shape[1]))], []
    for file in np.unique(unseen.file):
        rows = np.flatnonzero(unseen.file == file)
        size = len(rows) if count is None else count
        if len(rows) < size:
            continue
        draws = [rng.permutation(rows)[:size] for _ in range(DRAWS if len(rows) > size else 1)]
        means += [unseen.mu[drawn].astype(float).mean(axis=0)[None] for drawn in draws]
        owners += [str(unseen.specimen[rows[0]])] * len(draws)
    return np.concatenate(means), np.array(owners, dtype=np.str_)


def load_unseen(folder: Path) -> LatentTable | None:
    """Return the unseen specimens' latents kept in a model folder, None where it has none.

    Latents of another model, as a folder trained into anew has, are warned of and left aside.

    Raises:
        CheckpointError: they are damaged.
    """
    if not (folder / UNSEEN / ABOUT).is_file():
        return None
    table = load_latents(folder / UNSEEN)
    if table.model_hash != read_json(folder / "manifest.json").get("weights_sha256"):
        logger.warning("%s: another model's; run core.calibrate again", folder / UNSEEN)
        return None
    return table


def load_unseen_structure(folder: Path, unseen: LatentTable | None) -> dict[str, Seen]:
    """Return what was measured in the unseen specimens of a model folder, nothing where not kept.

    Raises:
        CheckpointError: it is damaged, or of other specimens than the latents.
    """
    return {} if unseen is None else load_seen(folder / UNSEEN, unseen)


def fit_calibrated(
    table: LatentTable,
    unseen: LatentTable | None,
    descriptors: SpecimenDescriptors | None = None,
    seen: Mapping[str, Seen] | None = None,
) -> PropertyModel:
    """Fit the property models, and calibrate them on unseen specimens where there are any.

    Args:
        table: to fit to.
        unseen: to calibrate on; left aside where they are the specimens fitted to.
        descriptors: of the same specimens, from which the properties are predicted, too. No
            descriptor has learned anything, so these intervals are calibrated on the specimens
            fitted to, each left out.
        seen: what was measured in the unseen specimens, to calibrate both together on.

    Raises:
        InputError, CheckpointError: as `core.properties.fit_properties` and `calibrate`.
    """
    fitted = fit_properties(table)
    if descriptors is not None and descriptors.data_hash == table.data_hash:
        fitted = _with_structure(fitted, fit_structure(descriptors, table.specimens, table.columns))
    if unseen is None or unseen.data_hash == table.data_hash:
        return fitted
    return calibrate(fitted, unseen, seen)


def _with_structure(model: PropertyModel, structure: StructureModel | None) -> PropertyModel:
    """Add the second reader, and how sure both are together on the specimens fitted to."""
    read = {r.column: r for r in structure.regressors} if structure is not None else {}
    pairs = [(own, read[own.column]) for own in model.regressors if own.column in read]
    together = [one for pair in pairs if (one := left_out_together(*pair)) is not None]
    return replace(model, structure=structure, together=tuple(together))


def intervals_from(model: PropertyModel) -> dict[str, str]:
    """Say of every property on what its intervals were calibrated, structure included."""
    structure = {r.column: r for r in model.structure.regressors} if model.structure else {}
    both = {one.column: one for one in model.together}
    return {
        r.column: describe(r, structure.get(r.column), both.get(r.column)) for r in model.regressors
    }


def describe(
    regressor: Regressor, structure: Regressor | None = None, both: Together | None = None
) -> str:
    """Say on what a property's intervals were calibrated, in a sentence without its full stop.

    Args:
        regressor: of the property from latents; structure: from measured structure, where it is;
            both: how sure they are together, where it is known.
    """
    said = _described(regressor)
    if structure is None or structure.half_width is None:
        return said
    together = "" if both is None else f"; both together {_where(both.calibration)}"
    return (
        f"latents {said}; measured structure on the {len(structure.specimens)} specimens learned "
        f"from, each left out in turn{together}"
    )


def _described(regressor: Regressor) -> str:
    found = regressor.calibration
    if regressor.half_width is None:
        return f"no interval: {found.specimens} labelled specimens, {MIN_INTERVAL} needed"
    return f"calibrated {_where(found)}"


def _where(found: Calibration) -> str:
    if found.method == "unseen":
        return f"on {found.specimens} specimens new to the model ({found.data_name})"
    return (
        f"on the {found.specimens} specimens learned from, each left out in turn; for new ones the "
        "intervals may be too narrow"
    )


def _seen(
    structure: StructureModel | None, data: DataSet, um_per_px: float | None
) -> dict[str, Seen]:
    """Measure the first micrograph of every specimen; nothing without a structure."""
    if structure is None or um_per_px is None:
        return {}
    measured = seen_fields(structure, data, um_per_px)
    named = dict(zip(map(str, data.specimens.index), measured, strict=True))
    return as_kept(named, structure.inputs)


def main(argv: Sequence[str] | None = None) -> None:
    """Calibrate a model's property intervals on micrographs that it has not seen."""
    parser = argparse.ArgumentParser(prog="python -m core.calibrate", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="labelled, and not seen")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        path = arguments.model / "properties.json"
        properties = PropertyModel.load(path)
        loaded, data = load_model(arguments.model), load_dataset(arguments.data)
        properties.require_model(loaded.hash)
        if data.hash in (loaded.manifest.get("data_hash"), properties.data_hash):
            raise InputError("the model has learned these specimens; give others")
        if not {r.column for r in properties.regressors} & {c.name for c in data.properties}:
            raise InputError(f"{data.name} has none of the properties of {path}")
        table = encode_dataset(loaded, data, spread=READ_PATCHES)
        seen = _seen(properties.structure, data, loaded.um_per_px)
        calibrated = calibrate(properties, table, seen)
        forget_seen(arguments.model / UNSEEN)
        save_latents(arguments.model / UNSEEN, table)
        save_seen(arguments.model / UNSEEN, seen, table.data_hash)
        finish_together(arguments.model, ("network.json",), path.name)
        calibrated.save(path)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    for name, said in intervals_from(calibrated).items():
        logger.info("%s: %s", name, said)


if __name__ == "__main__":
    main()
