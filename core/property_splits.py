"""Three ways to judge a property model, from flattering to hard, and the figures of each.

*Random patches* (the paper's Table 2) leak: patches of one specimen stand on both sides, so the
model need only recognise the specimen; `recognised_patches` does just that. *Leave one specimen
out* (the paper's Table 3) hides a specimen's label; the encoder may have seen its picture. *New
specimens* were learned by nothing.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score

from core.candidates import recognise, tune

RANDOM, LEFT_OUT, NEW = "random_patches", "leave_one_specimen_out", "new_specimens"
PARTS = 5  # of the patches: a fifth is predicted at a time, as in the paper
RECOGNITION = "recognition"  # a patch's specimen is recognised, whose label is the prediction
TUNINGS = 6  # folds of specimens, each tuned without

Array = NDArray[np.float64]
Names = NDArray[np.str_]


def random_patches(name: str, x: Array, y: Array, seed: int) -> Array:
    """Predict each random fifth of the rows from the others, whatever specimens they are of.

    Settings are tuned in the same way, on rows taken for independent: the leak is whole.

    Args:
        name: candidate; x, y: rows (n, d) and labels (n,).
        seed: of the split.

    Returns:
        (n,) predictions.
    """
    predicted = np.empty(len(y))
    for test, rest in _fifths(len(y), seed):
        settings = tune(name, x[rest], y[rest], rest.astype(str))
        predicted[test] = settings.fit_predict(x[rest], y[rest], x[test])
    return predicted


def recognised_patches(x: Array, y: Array, groups: Names, seed: int) -> Array:
    """Predict as `random_patches` does by recognising specimens: what the leak alone is worth.

    Returns:
        (n,) means of the specimens' labels, weighed by the probability that a row is theirs.

    Raises:
        InputError: there are too few rows of a specimen (`core.candidates.recognise`).
    """
    predicted = np.empty(len(y))
    for test, rest in _fifths(len(y), seed):
        names, probability = recognise(x[rest], groups[rest], x[test])
        of_specimen = np.array([y[rest][groups[rest] == name][0] for name in names])
        predicted[test] = probability @ of_specimen
    return predicted


def _fifths(count: int, seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield the rows of each random fifth, and the others."""
    parts = np.array_split(np.random.default_rng(seed).permutation(count), PARTS)
    for i, test in enumerate(parts):
        yield test, np.concatenate(parts[:i] + parts[i + 1 :])


def leave_one_out(name: str, x: Array, y: Array, groups: Names) -> Array:
    """Predict every row from the rows of the other specimens.

    Settings are chosen without the specimen, too: the specimens are dealt into `TUNINGS` folds, and
    those of a fold are predicted with the settings tuned on the other folds.

    Returns:
        (n,) predictions.
    """
    predicted = np.empty(len(y))
    for fold in specimen_folds(groups, TUNINGS):
        rest = ~np.isin(groups, fold)
        settings = tune(name, x[rest], y[rest], groups[rest])
        for specimen in fold:
            own = groups == specimen
            predicted[own] = settings.fit_predict(x[~own], y[~own], x[own])
    return predicted


def specimen_folds(groups: Names, count: int, seed: int = 0) -> list[Names]:
    """Deal the specimens into at most ``count`` folds, each specimen into one."""
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    return [fold for fold in np.array_split(names, min(count, len(names))) if fold.size]


def new_specimens(name: str, x: Array, y: Array, groups: Names, new: Array) -> Array:
    """Predict new rows (m, d) from all of the known ones."""
    return tune(name, x, y, groups).fit_predict(x, y, new)


def specimen_average(values: Array, groups: Names) -> Array:
    """Return the mean of each specimen's values, in the order of the sorted names."""
    index = np.unique(groups, return_inverse=True)[1]
    sums: Array = np.bincount(index, values) / np.bincount(index)
    return sums


def figures(true: Array, predicted: Array) -> dict[str, Any]:
    """Return R2 and the absolute relative errors, in %: mean, median and 90th percentile.

    R2 is None for a single value; the errors are None where a true value is zero.
    """
    found: dict[str, Any] = {"n": len(true), "r2": None}
    if len(true) > 1:
        found["r2"] = float(r2_score(true, predicted))
    error = None if (true == 0).any() else 100 * np.abs(predicted / true - 1)
    found["mape"] = None if error is None else float(error.mean())
    found["median_error"] = None if error is None else float(np.median(error))
    found["p90_error"] = None if error is None else float(np.quantile(error, 0.9))
    return found
