"""Measured and predicted properties specimen by specimen, as parity plots show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.encode import LatentTable
from core.errors import CheckpointError
from core.properties import PropertyModel
from core.property_splits import figures
from core.regressor import Regressor


@dataclass(frozen=True, slots=True)
class Point:
    """One specimen: its measured value, and the predicted one with its 90 % interval."""

    specimen: str
    true: float
    predicted: float
    low: float | None
    high: float | None


def left_out_points(regressor: Regressor) -> list[Point]:
    """Return the regressor's specimens, each predicted without its label."""
    return [
        Point(name, float(true), float(value), *regressor.ends(float(value)))
        for name, true, value in zip(
            regressor.specimens, regressor.labels, regressor.left_out, strict=True
        )
    ]


def unseen_points(model: PropertyModel, regressor: Regressor, unseen: LatentTable) -> list[Point]:
    """Return specimens new to the model, each predicted from its first micrograph.

    Raises:
        CheckpointError: the latents are another model's.
    """
    model.require_model(unseen.model_hash)
    if regressor.column not in unseen.specimens:
        return []
    labels = pd.to_numeric(unseen.specimens[regressor.column], errors="coerce").dropna()
    owner, file = np.asarray(unseen.specimen).astype(str), np.asarray(unseen.file)
    points = []
    for name, true in labels.items():
        own = np.flatnonzero(owner == str(name))
        if not own.size:
            continue
        first = unseen.mu[own[file[own] == file[own[0]]]].astype(float)
        answer = model.predict(first.mean(axis=0), len(first))[regressor.column]
        points.append(Point(str(name), float(true), answer.value, answer.low, answer.high))
    return points


def measured_points(content: Mapping[str, Any], column: str) -> list[Point]:
    """Return the points of a result of `core.property_tables`, none where it has no such property.

    Raises:
        CheckpointError: the result is damaged.
    """
    try:
        return [Point(**entry) for entry in content["points"].get(column, [])]
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"properties.json of the results is damaged: {error}") from error


def points_figures(points: Sequence[Point]) -> dict[str, Any]:
    """Return `core.property_splits.figures`, and "coverage": the share inside the intervals."""
    true = np.array([p.true for p in points])
    inside = [p.low <= p.true <= p.high for p in points if p.low is not None and p.high is not None]
    coverage = float(np.mean(inside)) if inside else None
    return figures(true, np.array([p.predicted for p in points])) | {"coverage": coverage}
