"""Predict properties from specimen-mean latents: kernel ridge regression stored as arrays.

The paper predicts strengths from latents with support vector regression (section 4.4); kernel ridge
is its squared-loss sibling with an exact leave-one-out formula. A radial kernel plus a constant is
used, so far from the data the prediction goes back to a constant near the specimens' mean and the
interval, calibrated inside the data, no longer holds: judge unusual inputs before trusting it.
A mean of few patches scatters more than a mean of many, so intervals are calibrated by count.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel

from core.encode import LatentTable
from core.errors import CheckpointError, InputError
from core.files import read_json, write_json

Array = NDArray[np.float64]

FORMAT, VERSION = "microdesign-properties", 2
ACTIVE_VARIANCE = 0.05  # measures.md: of mu over the patches
MIN_LABELLED, MIN_INTERVAL = 5, 9
PATCH_COUNTS = (1, 4, 9)  # intervals are calibrated for means of so many patches, and of all
CONSTANT = 10.0  # prior variance of the level, in standard deviations of the property squared
WIDTHS = (0.1, 0.3, 1.0, 3.0)  # gamma times the median squared distance
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A predicted property with its 90 % interval, None when fewer than nine specimens."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Regressor:
    """One property's kernel ridge model and how well it does on left-out specimens.

    Attributes:
        column: name of the property; ``unit`` and ``label`` as declared.
        points: (S, A) active latents of the labelled specimens.
        dual: (S,) dual coefficients.
        gamma: width of ``exp(-gamma d^2)``; penalty: ridge.
        centre: mean of the labelled specimens; scale: their standard deviation.
        relative: whether the interval is a share of the value (all labels positive).
        half_width: 90 % half width, a share or in the unit, for the mean of all the patches that a
            specimen of the data has; None below nine specimens.
        half_widths: (patches, half width) for means of fewer patches, by rising count.
        r2: coefficient of determination, mape: mean absolute relative error (None when labels are
            not all positive), rmse: root mean square error; all by leave-one-specimen-out with the
            width and penalty chosen anew without the specimen.
    """

    column: str
    unit: str
    label: str
    points: Array
    dual: Array
    gamma: float
    penalty: float
    centre: float
    scale: float
    relative: bool
    half_width: float | None
    half_widths: tuple[tuple[int, float], ...]
    r2: float
    mape: float | None
    rmse: float

    def interval(self, n_patches: int | None) -> float | None:
        """Return the half width for a mean of ``n_patches``, of all of them for None.

        Between two calibrated counts the smaller one's, the wider interval, is taken.
        """
        if n_patches is None or not self.half_widths or self.half_width is None:
            return self.half_width
        fitting = [half for count, half in self.half_widths if count <= n_patches]
        return fitting[-1] if fitting else None

    def values(self, latents: Array) -> Array:
        """Predict (n,) for active latents (n, A)."""
        kernel = rbf_kernel(latents, self.points, gamma=self.gamma) + CONSTANT
        result: Array = self.centre + self.scale * (kernel @ self.dual)
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyModel:
    """Kernel ridge models of every labelled property on the active latents.

    Attributes:
        active: (A,) dimensions used, of ``dimensions``.
        regressors: one a property.
        notes: properties left out and why.
    """

    dimensions: int
    active: tuple[int, ...]
    regressors: tuple[Regressor, ...]
    data_hash: str
    model_hash: str
    notes: tuple[str, ...]

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
            half = regressor.interval(n_patches)
            if half is not None and regressor.relative:
                half = half * abs(value)
            ends = (None, None) if half is None else (value - half, value + half)
            result[regressor.column] = Prediction(value, *ends)
        return result

    def predict_many(self, latents: ArrayLike) -> dict[str, Array]:
        """Predict every property, (n,) each, for mean latents (n, D), without intervals."""
        z = np.asarray(latents, dtype=np.float64)
        if z.ndim != 2 or z.shape[1] != self.dimensions or not np.isfinite(z).all():
            raise InputError(f"latents must be finite, (n, {self.dimensions}); got {z.shape}")
        return {r.column: r.values(z[:, list(self.active)]) for r in self.regressors}

    def save(self, path: Path) -> None:
        """Write the model as JSON, atomically; floats survive exactly."""
        regressors = [
            {k: _plain(getattr(r, k)) for k in Regressor.__dataclass_fields__}
            for r in self.regressors
        ]
        content = {
            "format": FORMAT,
            "version": VERSION,
            "dimensions": self.dimensions,
            "active": list(self.active),
            "regressors": regressors,
            "data_hash": self.data_hash,
            "model_hash": self.model_hash,
            "notes": list(self.notes),
        }
        write_json(Path(path), content)

    @classmethod
    def load(cls, path: Path) -> "PropertyModel":
        """Read a model and check it.

        Raises:
            CheckpointError: the file is missing, damaged or of another kind.
        """
        content = read_json(Path(path))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise CheckpointError(f"{path} does not hold property models of this program")
        if content.get("version") != VERSION:
            raise CheckpointError(f"{path} has another version; run python -m bayesnet.learn again")
        try:
            model = cls(
                dimensions=int(content["dimensions"]),
                active=tuple(int(i) for i in content["active"]),
                regressors=tuple(_regressor(r) for r in content["regressors"]),
                data_hash=str(content["data_hash"]),
                model_hash=str(content["model_hash"]),
                notes=tuple(content["notes"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path} is damaged: {error}") from error
        for r in model.regressors:
            numbers = [r.gamma, r.penalty, r.centre, r.scale, r.r2, r.rmse, r.half_width or 0.0]
            numbers += [half for _, half in r.half_widths]
            sound = r.points.shape == (r.dual.size, len(model.active)) and r.dual.ndim == 1
            finite = np.isfinite(r.points).all() and np.isfinite(r.dual).all()
            if not sound or not finite or not all(map(math.isfinite, numbers)) or r.gamma <= 0:
                raise CheckpointError(f"{path} is damaged: arrays of {r.column}")
        if any(not 0 <= i < model.dimensions for i in model.active) or not model.active:
            raise CheckpointError(f"{path} is damaged: active latents {model.active}")
        return model


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _regressor(content: dict[str, Any]) -> Regressor:
    arrays = {k: np.array(content[k], dtype=np.float64) for k in ("points", "dual")}
    widths = tuple((int(count), float(half)) for count, half in content["half_widths"])
    return Regressor(**{**content, **arrays, "half_widths": widths})


def _left_out(kernel: Array, y: Array, penalty: float) -> Array:
    """Exact leave-one-out residuals of kernel ridge: dual over the diagonal of the inverse."""
    inverse = np.linalg.inv(kernel + penalty * np.eye(len(y)))
    result: Array = inverse @ y / np.diag(inverse)
    return result


def _choose(kernels: dict[float, Array], y: Array) -> tuple[float, float]:
    """Return the width and penalty with the smallest leave-one-out error."""
    scores = {}
    for gamma, kernel in kernels.items():
        values, vectors = np.linalg.eigh(kernel)
        rotated = vectors.T @ y
        for penalty in PENALTIES:
            shrunk = 1 / (np.maximum(values, 0) + penalty)
            residual = (vectors @ (shrunk * rotated)) / ((vectors**2) @ shrunk)
            scores[gamma, penalty] = float((residual**2).mean())
    return min(scores, key=lambda key: scores[key])


def nested_choices(kernels: dict[float, Array], y: Array) -> list[tuple[float, float]]:
    """Return, for each specimen, width and penalty chosen without it."""
    choices = []
    for i in range(len(y)):
        rest = np.delete(np.arange(len(y)), i)
        part = {gamma: kernel[np.ix_(rest, rest)] for gamma, kernel in kernels.items()}
        choices.append(_choose(part, y[rest]))
    return choices


def nested_residuals(
    kernels: dict[float, Array], y: Array, choices: list[tuple[float, float]]
) -> Array:
    """Leave-one-out residuals (S,) with each specimen's own `nested_choices`."""
    return np.array(
        [_left_out(kernels[gamma], y, penalty)[i] for i, (gamma, penalty) in enumerate(choices)]
    )


def left_out_predictions(
    points: Array, probes: Array, y: Array, choices: list[tuple[float, float]]
) -> Array:
    """Predict each specimen at its probe, by a model fitted to the other specimens.

    Args:
        points: (S, A) latents fitted to; probes: (S, A) other latents of the same specimens.
        y: (S,) standardised labels.
        choices: width and penalty of each.

    Returns:
        (S,) standardised predictions.
    """
    result = np.empty(len(y))
    for i, (gamma, penalty) in enumerate(choices):
        rest = np.delete(np.arange(len(y)), i)
        kernel = rbf_kernel(points[rest], gamma=gamma) + CONSTANT
        dual = np.linalg.solve(kernel + penalty * np.eye(len(rest)), y[rest])
        result[i] = (rbf_kernel(probes[i : i + 1], points[rest], gamma=gamma) + CONSTANT)[0] @ dual
    return result


def few_patch_means(patches: list[Array], count: int, seed: int = 0) -> Array | None:
    """Return the mean of ``count`` random patches of each specimen, (S, A).

    None where a specimen has no more patches than that.
    """
    if min(map(len, patches)) <= count:
        return None
    rng = np.random.default_rng(seed)
    return np.stack([p[rng.permutation(len(p))[:count]].mean(axis=0) for p in patches])


def conformal_half_width(scores: Array, level: float = 0.9) -> float | None:
    """Return the split-conformal quantile of left-out scores, None below nine specimens.

    The ceil(level (S + 1))-th smallest of S absolute residuals (Lei et al. 2018, *JASA* 113, 1094).
    """
    rank = math.ceil(level * (scores.size + 1) - 1e-9)
    if scores.size < MIN_INTERVAL or rank > scores.size:
        return None
    return float(np.sort(scores)[rank - 1])


def _fit_one(column: Any, patches: list[Array], values: Array) -> Regressor:
    """Fit one property to the patches' active latents, (n, A) for each specimen."""
    points = np.stack([p.mean(axis=0) for p in patches])
    centre, scale = float(values.mean()), float(values.std())
    y = (values - centre) / scale
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    middle = max(float(np.median(squared[squared > 0])) if (squared > 0).any() else 1.0, 1e-12)
    kernels = {w / middle: np.exp(-(w / middle) * squared) + CONSTANT for w in WIDTHS}
    gamma, penalty = _choose(kernels, y)
    kernel = rbf_kernel(points, gamma=gamma) + CONSTANT
    dual = KernelRidge(alpha=penalty, kernel="precomputed").fit(kernel, y).dual_coef_
    choices = nested_choices(kernels, y)
    residual = nested_residuals(kernels, y, choices) * scale
    relative = bool((values > 0).all())

    def half_width(predicted: Array) -> float | None:
        scores = np.abs(values - predicted)
        if relative:
            scores = scores / np.maximum(np.abs(predicted), 1e-9 * np.abs(values))
        return conformal_half_width(scores)

    half_widths = []
    for count in PATCH_COUNTS:
        probes = few_patch_means(patches, count)
        if probes is None:
            break
        half = half_width(centre + scale * left_out_predictions(points, probes, y, choices))
        if half is not None:
            half_widths.append((count, half))
    return Regressor(
        column=column.name,
        unit=column.unit or "",
        label=column.label or column.name,
        points=points,
        dual=np.asarray(dual, dtype=np.float64),
        gamma=float(gamma),
        penalty=float(penalty),
        centre=centre,
        scale=scale,
        relative=relative,
        half_width=half_width(values - residual),
        half_widths=tuple(half_widths),
        r2=float(1 - (residual**2).sum() / ((values - centre) ** 2).sum()),
        mape=float(np.mean(np.abs(residual) / values)) if relative else None,
        rmse=float(np.sqrt((residual**2).mean())),
    )


def fit_properties(table: LatentTable) -> PropertyModel:
    """Fit every property column that has at least five labelled specimens.

    Raises:
        InputError: latents that are not finite, no active latent, or no property with five labels.
    """
    mu = np.asarray(table.mu, dtype=np.float64)
    if mu.ndim != 2 or not np.isfinite(mu).all():
        raise InputError("latents must be a finite (N, D) table")
    active = np.flatnonzero(mu.var(axis=0) > ACTIVE_VARIANCE)
    if active.size == 0:
        raise InputError("no active latent: the model has collapsed, or all images are alike")
    names, owner = np.unique(np.asarray(table.specimen).astype(str), return_inverse=True)
    patches = [mu[owner == i][:, active] for i in range(len(names))]
    frame = table.specimens.copy()
    frame.index = frame.index.astype(str)
    unknown = sorted(set(names) - set(frame.index))
    if unknown:
        raise InputError(f"specimens without a row of properties: {unknown[:5]}")
    frame = frame.loc[names]
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
            regressors.append(_fit_one(column, labelled, values[known]))
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
