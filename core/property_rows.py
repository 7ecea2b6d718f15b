"""Rows of the paper's Tables 2 and 3: every regressor on every representation, split by split."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.candidates import CANDIDATES, tune
from core.columns import Column
from core.dataset import DataSet
from core.properties import PropertyModel
from core.property_features import Features, labels
from core.property_splits import (
    LEFT_OUT,
    NEW,
    RANDOM,
    RECOGNITION,
    figures,
    leave_one_out,
    new_specimens,
    random_patches,
    recognised_patches,
    specimen_average,
)
from core.seen import Seen
from core.summaries import specimen_means

PAPER_PATCHES = 30  # of each casting of the paper's design, where castings are left out
RECOGNISABLE = 10  # patches of each casting, or it is not tried to recognise them
FIGURE_7 = "r48_mg0.045"  # radius 48 mm, 0.045 % Mg: the largest spherical graphite
HISTOGRAM = "svr_rbf"  # the paper's regressor of figure 7
MIN_SPECIMENS = 4  # leaving one out must leave three to tune on
logger = logging.getLogger(__name__)

Array = NDArray[np.float64]
Names = NDArray[np.str_]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows of one representation and one property.

    Attributes:
        x: (N, d) features; y: (N,) labels, all known; groups: (N,) specimens.
    """

    x: Array
    y: Array
    groups: Names

    @classmethod
    def of(cls, x: Array, groups: Names, data: DataSet, column: str) -> "Labelled":
        """Keep the rows whose label is known."""
        y = labels(data, column, groups)
        known = np.isfinite(y)
        return cls(x[known], y[known], groups[known])


def rows_of_learned(learned: dict[str, Array], specimen: Names, data: DataSet) -> list[Row]:
    """Judge every regressor on the data learned from, one specimen left out at a time."""
    rows = []
    for column in data.properties:
        for representation, x in learned.items():
            means = Labelled.of(*specimen_means(x, specimen), data, column.name)
            if len(means.y) < MIN_SPECIMENS:
                continue
            about = _about("learned", representation, column)
            for name in CANDIDATES:
                found = leave_one_out(name, means.x, means.y, means.groups)
                rows.append({**about(name, LEFT_OUT, "specimens"), **figures(means.y, found)})
            logger.info("%s, %s: judged on the data learned from", column.name, representation)
    return rows


def rows_of_new(
    learned: dict[str, Array],
    specimen: Names,
    data: DataSet,
    fields: dict[str, Array],
    fresh_names: Names,
    fresh: DataSet,
) -> list[Row]:
    """Judge every regressor, fitted to the data learned from, on new specimens' micrographs."""
    rows = []
    for column in data.properties:
        for representation, x in learned.items():
            means = Labelled.of(*specimen_means(x, specimen), data, column.name)
            new = Labelled.of(fields[representation], fresh_names, fresh, column.name)
            if len(means.y) < MIN_SPECIMENS or not len(new.y):
                continue
            about = _about("fresh", representation, column)
            for name in CANDIDATES:
                found = new_specimens(name, means.x, means.y, means.groups, new.x)
                rows.append({**about(name, NEW, "specimens"), **figures(new.y, found)})
    return rows


def rows_of_paper(
    patches: dict[str, Array],
    specimen: Names,
    whole: dict[str, Array],
    data: DataSet,
    seed: int,
) -> tuple[list[Row], list[Row]]:
    """Judge the regressors on the paper's design, as the paper does: rows are patches.

    Not the Gaussian process, whose time grows with the cube of the rows.

    Args:
        patches: features of overlapping patches; specimen: whose.
        whole: features of the patches all over the casting `FIGURE_7`, none without it.
        data: the castings.
        seed: of the splits.

    Returns:
        Rows of Tables 2 and 3: random fifths of the patches, and castings left out (of each
        `PAPER_PATCHES` patches), patch by patch and by their mean. Then figure 7: the predictions
        of all the patches of the casting left out.
    """
    rows, histograms = [], []
    some = _some_of_each(specimen, PAPER_PATCHES, seed)
    for column in data.properties:
        for representation, x in patches.items():
            every = Labelled.of(x, specimen, data, column.name)
            known = Labelled.of(x[some], specimen[some], data, column.name)
            if len(np.unique(known.groups)) < MIN_SPECIMENS:
                continue
            about = _about("paper", representation, column)
            for name in CANDIDATES:
                if name == "gaussian_process":
                    continue
                found = random_patches(name, every.x, every.y, seed)
                rows.append({**about(name, RANDOM, "patches"), **figures(every.y, found)})
                found = leave_one_out(name, known.x, known.y, known.groups)
                rows.append({**about(name, LEFT_OUT, "patches"), **figures(known.y, found)})
                means = (specimen_average(values, known.groups) for values in (known.y, found))
                rows.append({**about(name, LEFT_OUT, "specimens"), **figures(*means)})
            if np.unique(every.groups, return_counts=True)[1].min() >= RECOGNISABLE:
                found = recognised_patches(every.x, every.y, every.groups, seed)
                rows.append({**about(RECOGNITION, RANDOM, "patches"), **figures(every.y, found)})
            if whole and FIGURE_7 in known.groups:
                own = whole[representation]
                histograms.append(_histogram(representation, column.name, known, own))
            logger.info("%s, %s: judged on the paper's design", column.name, representation)
    return rows, histograms


def _histogram(representation: str, column: str, known: Labelled, own: Array) -> Row:
    """Return the predictions of all patches of the casting left out, from the others' patches."""
    rest = known.groups != FIGURE_7
    settings = tune(HISTOGRAM, known.x[rest], known.y[rest], known.groups[rest])
    found = settings.fit_predict(known.x[rest], known.y[rest], own)
    true, mean = float(known.y[~rest][0]), float(found.mean())
    return {
        "split": LEFT_OUT,
        "representation": representation,
        "regressor": HISTOGRAM,
        "property": column,
        "specimen": FIGURE_7,
        "true": true,
        "mean": mean,
        "error": 100 * abs(mean / true - 1),
        "predictions": [round(float(value), 2) for value in found],
    }


def shipped(
    model: PropertyModel,
    fields: Features,
    counts: list[int],
    fresh: DataSet,
    seen: Sequence[Seen],
) -> tuple[list[Row], dict[str, list[Row]]]:
    """Judge the model's own predictions of new specimens, with their intervals.

    Args:
        model: the property models as they are shipped.
        fields: mean latents of one micrograph of each new specimen.
        counts: how many patches each mean is of.
        fresh: with their labels.
        seen: what was measured in these micrographs.

    Returns:
        Figures of each property, and its predictions specimen by specimen.
    """
    rows, points = [], {}
    answers = [
        model.read(mu, n, *one).predicted
        for mu, n, one in zip(fields.mu, counts, seen, strict=True)
    ]
    for regressor in model.regressors:
        name = regressor.column
        true = labels(fresh, name, fields.specimen)
        known = np.flatnonzero(np.isfinite(true))
        if not known.size:
            continue
        found = [answers[i][name] for i in known]
        points[name] = [
            {"specimen": str(fields.specimen[i]), "true": float(true[i])}
            | {"predicted": one.value, "low": one.low, "high": one.high}
            for i, one in zip(known, found, strict=True)
        ]
        inside = [
            one.low <= true[i] <= one.high
            for i, one in zip(known, found, strict=True)
            if one.low is not None and one.high is not None
        ]
        rows.append(
            {
                "property": name,
                "split": NEW,
                **figures(true[known], np.array([one.value for one in found])),
                "left_out_r2": regressor.r2,
                "left_out_mape": regressor.mape,
                "coverage_of_90_percent_interval": float(np.mean(inside)) if inside else None,
                "calibration": regressor.calibration.to_json(),
            }
        )
    return rows, points


def _about(data: str, representation: str, column: Column) -> Any:
    """Return a function from regressor, split and rows to what a row says of itself."""

    def said(name: str, split: str, rows: str) -> Row:
        return {
            "data": data,
            "split": split,
            "rows": rows,
            "representation": representation,
            "regressor": name,
            "property": column.name,
        }

    return said


def _some_of_each(specimen: Names, count: int, seed: int) -> NDArray[np.intp]:
    """Return the rows of at most ``count`` random patches of each specimen."""
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(specimen == n))[:count] for n in np.unique(specimen)]
    return np.concatenate(rows)
