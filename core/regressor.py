"""One property's regressor: kernel ridge on specimen-mean latents, with its intervals and errors.

Width, penalty and intervals come from specimens left out (`core.kernel_ridge`, `core.conformal`).
A mean of few patches scatters more than a mean of many, so intervals are calibrated by count.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel

from core.columns import Column
from core.conformal import MIN_INTERVAL, Calibration, conformal_half_width
from core.errors import InputError
from core.json_values import number, rounded, text, texts, truth, whole
from core.kernel_ridge import (
    CONSTANT,
    candidate_kernels,
    choose,
    left_out_predictions,
    nested_choices,
    nested_residuals,
)

Array = NDArray[np.float64]

ARRAYS = ("points", "labels", "left_out", "dual")

DIGITS = 6  # of the points that are kept: their file is a third as long
PATCH_COUNTS = (1, 4, 9, 16, 25)  # intervals are calibrated for means of so many, and of all


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
        points: (S, A) active latents of the labelled specimens; ``specimens`` are their names and
            labels (S,) their values.
        left_out: (S,) their predictions, each without its label and with the width and penalty
            chosen anew without it. The three are empty in files of the first versions.
        dual: (S,) dual coefficients.
        gamma: width of ``exp(-gamma d^2)``; penalty: ridge.
        centre: mean of the labelled specimens; scale: their standard deviation.
        relative: whether the interval is a share of the value (all labels positive).
        calibration: on which specimens the half widths were calibrated.
        half_width: 90 % half width, a share or in the unit, for the mean of all the patches that a
            specimen calibrated on has; None below nine specimens.
        half_widths: (patches, half width) for means of so few patches, by rising count, from the
            specimens that have so many; counts that fewer than nine specimens have are left out.
        r2: coefficient of determination, mape: mean absolute relative error (None when labels are
            not all positive), rmse: root mean square error; all of ``left_out``.
    """

    column: str
    unit: str
    label: str
    points: Array
    specimens: tuple[str, ...]
    labels: Array
    left_out: Array
    dual: Array
    gamma: float
    penalty: float
    centre: float
    scale: float
    relative: bool
    calibration: Calibration
    half_width: float | None
    half_widths: tuple[tuple[int, float], ...]
    r2: float
    mape: float | None
    rmse: float

    def interval(self, n_patches: int | None) -> float | None:
        """Return the half width for a mean of ``n_patches``, of all of them for None.

        Between two calibrated counts the smaller one's, the wider interval, is taken.
        """
        if n_patches is None or self.half_width is None:
            return self.half_width
        fitting = [half for count, half in self.half_widths if count <= n_patches]
        return fitting[-1] if fitting else None

    def ends(self, value: float, n_patches: int | None = None) -> tuple[float | None, float | None]:
        """Return the 90 % interval of a predicted value, see `interval`; None, None for none."""
        half = self.interval(n_patches)
        if half is None:
            return None, None
        half = half * abs(value) if self.relative else half
        return value - half, value + half

    def values(self, latents: Array) -> Array:
        """Predict (n,) for active latents (n, A)."""
        kernel = rbf_kernel(latents, self.points, gamma=self.gamma) + CONSTANT
        result: Array = self.centre + self.scale * (kernel @ self.dual)
        return result

    def to_json(self) -> dict[str, Any]:
        """Return JSON content; floats survive exactly."""
        content = {k: _plain(getattr(self, k)) for k in self.__dataclass_fields__}
        return content | {"calibration": self.calibration.to_json()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Regressor":
        """Read what `to_json` returns; `is_sound` says whether it fits.

        Raises:
            KeyError, TypeError, ValueError: entries are missing, unknown or of another type.
        """
        arrays = {k: np.array(content[k], dtype=np.float64) for k in ARRAYS}
        for name in ("column", "unit", "label"):
            text(content[name], name)
        for name in ("gamma", "penalty", "centre", "scale", "r2", "rmse"):
            number(content[name], name)
        for name in ("half_width", "mape"):
            if content[name] is not None:
                number(content[name], name, 0)
        truth(content["relative"], "relative")
        widths = tuple(
            (whole(count, "half_widths", 1), number(half, "half_widths", 0))
            for count, half in content["half_widths"]
        )
        built = {
            "specimens": texts(content["specimens"], "specimens"),
            "half_widths": widths,
            "calibration": Calibration.from_json(content["calibration"]),
        }
        return cls(**{**content, **arrays, **built})

    def is_sound(self, active: int) -> bool:
        """Tell whether all numbers are finite and the arrays fit ``active`` latents."""
        numbers = [self.gamma, self.penalty, self.centre, self.scale, self.r2, self.rmse]
        numbers += [self.half_width or 0.0, *(half for _, half in self.half_widths)]
        fitting = self.points.shape == (self.dual.size, active) and self.dual.ndim == 1
        finite = all(np.isfinite(getattr(self, name)).all() for name in ARRAYS)
        known = {len(self.specimens), self.labels.size, self.left_out.size}
        fitting = fitting and (known == {self.dual.size} or known == {0})
        return bool(
            fitting
            and finite
            and all(map(math.isfinite, numbers))
            and self.gamma > 0
            and self.scale > 0
        )


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def few_patch_means(patches: list[Array], count: int, seed: int = 0) -> Array:
    """Return the mean of ``count`` random patches of each specimen, (S, A).

    A specimen that has fewer gives NaN.
    """
    rng = np.random.default_rng(seed)
    means = [
        p[rng.permutation(len(p))[:count]].mean(axis=0)
        if len(p) >= count
        else np.full(p.shape[1], np.nan)
        for p in patches
    ]
    return np.stack(means)


def left_out_patches(regressor: Regressor, specimen: str, latents: Array) -> Array:
    """Predict each patch of a specimen without the specimen: the paper's figure 7.

    Args:
        regressor: with the specimen among its own.
        specimen: to leave out; width and penalty are chosen anew without it.
        latents: (n, A) active latents of its patches.

    Returns:
        (n,) predictions.

    Raises:
        InputError: the regressor does not know the specimen, or few others.
    """
    if specimen not in regressor.specimens or len(regressor.specimens) < 3:
        raise InputError(f"{specimen!r} is none of the specimens that {regressor.label} is from")
    rest = np.array([name != specimen for name in regressor.specimens])
    points = regressor.points[rest]
    y = (regressor.labels[rest] - regressor.centre) / regressor.scale
    gamma, penalty = choose(candidate_kernels(points), y)
    kernel = rbf_kernel(points, gamma=gamma) + CONSTANT
    dual = np.linalg.solve(kernel + penalty * np.eye(len(y)), y)
    result: Array = rbf_kernel(latents, points, gamma=gamma) @ dual + CONSTANT * dual.sum()
    return regressor.centre + regressor.scale * result


def fit_regressor(
    column: Column,
    patches: list[Array],
    values: Array,
    names: Sequence[str],
    points: Array | None = None,
) -> Regressor:
    """Fit one property.

    Args:
        column: the property; values: (S,) its labels, not all the same; names: the specimens'.
        patches: the patches' active latents, (n, A) for each labelled specimen.
        points: (S, A) of the specimens; the means of their patches for None.
    """
    if points is None:
        points = np.stack([p.mean(axis=0) for p in patches])
    points = np.array(rounded(points.tolist(), DIGITS))
    centre, scale = float(values.mean()), float(values.std())
    y = (values - centre) / scale
    kernels = candidate_kernels(points)
    gamma, penalty = choose(kernels, y)
    kernel = rbf_kernel(points, gamma=gamma) + CONSTANT
    dual = KernelRidge(alpha=penalty, kernel="precomputed").fit(kernel, y).dual_coef_
    choices = nested_choices(kernels, y)
    residual = nested_residuals(kernels, y, choices) * scale
    relative = bool((values > 0).all())
    half_widths = []
    for count in PATCH_COUNTS:
        probes = few_patch_means(patches, count)
        able = np.isfinite(probes).all(axis=1)
        if able.sum() < MIN_INTERVAL:
            continue
        probes[~able] = points[~able]  # predicted, too, but not counted
        predicted = centre + scale * left_out_predictions(points, probes, y, choices)
        if (half := half_width_90(values[able], predicted[able], relative)) is not None:
            half_widths.append((count, half))
    return Regressor(
        column=column.name,
        unit=column.unit or "",
        label=column.label or column.name,
        points=points,
        specimens=tuple(str(name) for name in names),
        labels=values,
        left_out=values - residual,
        dual=np.asarray(dual, dtype=np.float64),
        gamma=float(gamma),
        penalty=float(penalty),
        centre=centre,
        scale=scale,
        relative=relative,
        calibration=Calibration(method="left_out", specimens=len(values)),
        half_width=half_width_90(values, values - residual, relative),
        half_widths=tuple(half_widths),
        r2=float(1 - (residual**2).sum() / ((values - centre) ** 2).sum()),
        mape=float(np.mean(np.abs(residual) / values)) if relative else None,
        rmse=float(np.sqrt((residual**2).mean())),
    )


def half_width_90(
    values: Array,
    predicted: Array,
    relative: bool,
    groups: NDArray[np.str_] | None = None,
) -> float | None:
    """Return the 90 % half width for left-out predictions, as a share of them if ``relative``.

    Args:
        values, predicted: (n,) labels and predictions.
        relative: whether it is a share of the prediction.
        groups: (n,) specimens, where some have several predictions.
    """
    scores = np.abs(values - predicted)
    if relative:
        scores = scores / np.maximum(np.abs(predicted), 1e-9 * np.abs(values))
    return conformal_half_width(scores, groups=groups)
