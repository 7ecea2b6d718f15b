"""Predict properties from specimen-mean latents: kernel ridge regression stored as arrays.

The paper predicts strengths from latents with support vector regression (section 4.4); kernel ridge
is its squared-loss sibling with an exact leave-one-out formula. A radial kernel plus a constant is
used, so far from the data the prediction goes back to a constant near the specimens' mean and the
interval, calibrated inside the data, no longer holds: judge unusual inputs before trusting it.
One property's model and its intervals are in `core.regressor`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.conformal import Calibration
from core.encode import LatentTable
from core.errors import CheckpointError, InputError
from core.files import read_json, write_json
from core.json_values import text, texts, whole
from core.regressor import Prediction, Regressor, fit_regressor
from core.structure_model import StructureModel
from core.together import Together, shares
from core.validation import ACTIVE_VARIANCE

Array = NDArray[np.float64]

FORMAT, VERSION = "microdesign-properties", 4
LEFT_OUT_ONLY = 2  # files of this version are calibrated on left-out specimens and do not keep them
ALONE = 3  # files of this version and before know each reader's intervals, and none of both
MIN_LABELLED = 5  # specimens
READ_PATCHES = 25  # patches, at most, by which a micrograph's properties are predicted


@dataclass(frozen=True, slots=True)
class Reading:
    """Properties predicted from a picture.

    Attributes:
        predicted: property -> prediction, by both readers where both can.
        latents, structure: by each alone; ``structure`` may be empty.
    """

    predicted: dict[str, Prediction]
    latents: dict[str, Prediction]
    structure: dict[str, Prediction]


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyModel:
    """Kernel ridge models of every labelled property on the active latents.

    Attributes:
        active: (A,) dimensions used, of ``dimensions``.
        regressors: one a property.
        notes: properties left out and why.
        structure: the same properties from measured descriptors; None where there are none.
        together: how sure latents and structure are together; a property that is not there is
            taken as one in which they err alike.
    """

    dimensions: int
    active: tuple[int, ...]
    regressors: tuple[Regressor, ...]
    data_hash: str
    model_hash: str
    notes: tuple[str, ...]
    structure: StructureModel | None = None
    together: tuple[Together, ...] = ()

    def require_model(self, model_hash: str) -> None:
        """Refuse latents of another model than the one fitted on.

        Raises:
            CheckpointError: it is another one.
        """
        if self.model_hash != model_hash:
            raise CheckpointError(
                "the property models were fitted on another model's latents; fit them again with "
                "python -m bayesnet.learn"
            )

    def predict(
        self, mean_latent: ArrayLike, n_patches: int | None = None
    ) -> dict[str, Prediction]:
        """Predict every property of one specimen.

        Args:
            mean_latent: (D,) mean latent of the specimen's patches.
            n_patches: how many they were, since a mean of few scatters more; None for as many as
                the specimens of the data have.

        Raises:
            InputError: another length, or values that are not finite.
        """
        latent = np.asarray(mean_latent, dtype=np.float64)
        if latent.shape != (self.dimensions,):
            raise InputError(f"mean latent has shape {latent.shape}, ({self.dimensions},) expected")
        columns = self.predict_many(latent[None])
        result = {}
        for regressor in self.regressors:
            value = float(columns[regressor.column][0])
            result[regressor.column] = Prediction(value, *regressor.ends(value, n_patches))
        return result

    def read(
        self,
        mean_latent: ArrayLike,
        n_patches: int | None,
        measured: Mapping[str, float | None],
        area_mm2: float,
    ) -> Reading:
        """Predict every property of one specimen by two readers: latents and measured structure.

        They are weighed by the inverse squares of their intervals for whole specimens: what a small
        field shows by chance both see alike. So are the half widths of their intervals for what was
        seen; how much less than that both together err, `core.together` knows.

        Args:
            mean_latent, n_patches: as `predict`.
            measured, area_mm2: as `StructureModel.predict`.

        Raises:
            InputError: as `predict`.
        """
        latents = self.predict(mean_latent, n_patches)
        structure = {} if self.structure is None else self.structure.predict(measured, area_mm2)
        found, sure = dict(latents), {one.column: one.share for one in self.together}
        for name, other in structure.items():
            own, weights = found.get(name), self.shares(name)
            if own is None or weights is None or None in (own.low, other.low):
                continue
            value = weights[0] * own.value + weights[1] * other.value
            halves = (one.value - one.low for one in (own, other) if one.low is not None)
            alike = sum(w * half for w, half in zip(weights, halves, strict=True))
            half = sure.get(name, 1.0) * alike
            found[name] = Prediction(value, value - half, value + half)
        return Reading(found, latents, structure)

    def shares(self, column: str) -> tuple[float, float] | None:
        """Return the weights of latents and structure for a property; None where not both read."""
        own = next((r for r in self.regressors if r.column == column), None)
        read = self.structure.regressors if self.structure is not None else ()
        other = next((r for r in read if r.column == column), None)
        return None if own is None or other is None else shares(own, other)

    def predict_many(self, latents: ArrayLike) -> dict[str, Array]:
        """Predict every property, (n,) each, for mean latents (n, D), without intervals."""
        z = np.asarray(latents, dtype=np.float64)
        if z.ndim != 2 or z.shape[1] != self.dimensions or not np.isfinite(z).all():
            raise InputError(f"latents must be finite, (n, {self.dimensions}); got {z.shape}")
        return {r.column: r.values(z[:, list(self.active)]) for r in self.regressors}

    def save(self, path: Path) -> None:
        """Write the model as JSON, atomically; floats survive exactly."""
        write_json(Path(path), self.to_json(), compact=True)

    def to_json(self) -> dict[str, Any]:
        """Return the content of its file."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "dimensions": self.dimensions,
            "active": list(self.active),
            "regressors": [r.to_json() for r in self.regressors],
            "data_hash": self.data_hash,
            "model_hash": self.model_hash,
            "notes": list(self.notes),
            "structure": None if self.structure is None else self.structure.to_json(),
            "together": [one.to_json() for one in self.together],
        }

    @classmethod
    def load(cls, path: Path) -> "PropertyModel":
        """Read a model and check it.

        Raises:
            CheckpointError: the file is missing, damaged or of another kind.
        """
        content = read_json(Path(path))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise CheckpointError(f"{path} does not hold property models of this program")
        if content.get("version") not in (LEFT_OUT_ONLY, ALONE, VERSION):
            raise CheckpointError(f"{path} has another version; run python -m bayesnet.learn again")
        try:
            regressors, structure = content["regressors"], content.get("structure")
            if content["version"] == LEFT_OUT_ONLY:
                regressors = [_left_out(r) for r in regressors]
            model = cls(
                dimensions=whole(content["dimensions"], "dimensions", 1),
                active=tuple(whole(i, "active") for i in content["active"]),
                regressors=tuple(Regressor.from_json(r) for r in regressors),
                data_hash=text(content["data_hash"], "data_hash"),
                model_hash=text(content["model_hash"], "model_hash"),
                notes=texts(content["notes"], "notes"),
                structure=None if structure is None else StructureModel.from_json(structure),
                together=tuple(Together.from_json(t) for t in content.get("together", ())),
            )
            for r in model.regressors:
                if not r.is_sound(len(model.active)):
                    raise ValueError(f"arrays or numbers of {r.column}")
            if len({r.column for r in model.regressors}) < len(model.regressors):
                raise ValueError("a property is there twice")
            known = [t.column for t in model.together]
            if len(set(known)) < len(known) or any(model.shares(c) is None for c in known):
                raise ValueError(f"properties that both read, {known}")
            if any(not 0 <= i < model.dimensions for i in model.active) or not model.active:
                raise ValueError(f"active latents {model.active}")
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CheckpointError(
                f"{path} is damaged: {error}; run python -m bayesnet.learn again"
            ) from error
        return model


def fit_properties(table: LatentTable) -> PropertyModel:
    """Fit every property column that has at least five labelled specimens.

    The intervals are calibrated on the table's own specimens, left out; `core.calibrate` calibrates
    them on specimens that the image model has not learned.

    Raises:
        InputError: latents that are not finite, no active latent, or no property with five labels.
    """
    mu, active = _active_latents(table)
    names, owner = np.unique(np.asarray(table.specimen).astype(str), return_inverse=True)
    patches = [mu[owner == i][:, active] for i in range(len(names))]
    frame = _labels(table, names)
    regressors, notes = [], []
    for column in table.columns:
        if column.role != "property" or column.kind != "numeric":
            continue
        values = pd.to_numeric(frame[column.name], errors="coerce").to_numpy(dtype=float)
        known = np.isfinite(values)
        if known.sum() < MIN_LABELLED:
            notes.append(f"{column.name}: {known.sum()} labelled specimens, {MIN_LABELLED} needed")
        elif np.ptp(values[known]) <= 1e-9 * np.abs(values[known]).max():
            notes.append(f"{column.name}: the same value for every specimen")
        else:
            labelled = [patches[i] for i in np.flatnonzero(known)]
            regressors.append(fit_regressor(column, labelled, values[known], names[known]))
    if not regressors:
        raise InputError(
            f"no property can be modelled: {'; '.join(notes) or 'the data set declares none'}; "
            f"label at least {MIN_LABELLED} specimens"
        )
    return PropertyModel(
        dimensions=mu.shape[1],
        active=tuple(int(i) for i in active),
        regressors=tuple(regressors),
        data_hash=table.data_hash,
        model_hash=table.model_hash,
        notes=tuple(notes),
    )


def _left_out(regressor: dict[str, Any]) -> dict[str, Any]:
    """Return a regressor of a file of version `LEFT_OUT_ONLY` as one of today."""
    calibration = Calibration(method="left_out", specimens=len(regressor["dual"]))
    unknown: dict[str, Any] = {"specimens": [], "labels": [], "left_out": []}
    return regressor | unknown | {"calibration": calibration.to_json()}


def _active_latents(table: LatentTable) -> tuple[Array, NDArray[np.intp]]:
    """Return mu (N, D) and the dimensions (A,) that differ between patches.

    Raises:
        InputError: latents that are not finite, or no active one.
    """
    mu = np.asarray(table.mu, dtype=np.float64)
    if mu.ndim != 2 or not np.isfinite(mu).all():
        raise InputError("latents must be a finite (N, D) table")
    active = np.flatnonzero(mu.var(axis=0) > ACTIVE_VARIANCE)
    if active.size == 0:
        raise InputError("no active latent: the model has collapsed, or all images are alike")
    return mu, active


def _labels(table: LatentTable, names: NDArray[np.str_]) -> pd.DataFrame:
    """Return the table's specimens in the order of ``names``.

    Raises:
        InputError: some of them have no row.
    """
    frame = table.specimens.copy()
    frame.index = frame.index.astype(str)
    unknown = sorted(set(names) - set(frame.index))
    if unknown:
        raise InputError(f"specimens without a row of properties: {unknown[:5]}")
    return frame.loc[names]
