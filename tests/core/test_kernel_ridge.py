"""Claims about kernel ridge regression: what is left out is predicted as by refitting."""

import tracemalloc

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel

from core import kernel_ridge
from core.kernel_ridge import CONSTANT, left_out_predictions, left_out_residuals


def test_leave_one_out_formula_equals_refitting():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=12)
    kernel = rbf_kernel(x, gamma=0.2) + CONSTANT
    left = left_out_residuals(kernel, y, 0.1)
    for i in range(12):
        rest = np.delete(np.arange(12), i)
        fit = KernelRidge(alpha=0.1, kernel="precomputed").fit(kernel[np.ix_(rest, rest)], y[rest])
        assert left[i] == pytest.approx(y[i] - fit.predict(kernel[i : i + 1, rest])[0], abs=1e-8)


def test_prediction_from_a_probe_equals_refitting_without_the_specimen():
    rng = np.random.default_rng(1)
    points, probes, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 3)), rng.normal(size=8)
    choices = [(0.2, 0.1), (0.5, 0.01)] * 4
    found = left_out_predictions(points, probes, y, choices)
    for i, (gamma, penalty) in enumerate(choices):
        rest = np.delete(np.arange(8), i)
        fit = KernelRidge(alpha=penalty, kernel="precomputed")
        fit.fit(rbf_kernel(points[rest], gamma=gamma) + CONSTANT, y[rest])
        at = rbf_kernel(probes[i : i + 1], points[rest], gamma=gamma) + CONSTANT
        assert found[i] == pytest.approx(fit.predict(at)[0], abs=1e-8)


def test_many_specimens_are_chosen_without_by_folds(monkeypatch):
    """At most `FOLDS` choices; each is the one made without the specimen."""
    rng = np.random.default_rng(1)
    points = rng.normal(size=(14, 3))
    y = points[:, 0] + 0.3 * rng.normal(size=14)
    kernels = kernel_ridge.candidate_kernels(points)
    calls = []

    def choose(part, labels):
        calls.append(labels)
        return float(len(calls)), float(labels.sum())

    monkeypatch.setattr(kernel_ridge, "choose", choose)
    assert len(kernel_ridge.nested_choices(kernels, y)) == len(calls) == 14
    for i, (_, total) in enumerate(kernel_ridge.nested_choices(kernels, y)):
        assert total == pytest.approx(y.sum() - y[i])
    calls.clear()
    monkeypatch.setattr(kernel_ridge, "ALONE", 13)
    monkeypatch.setattr(kernel_ridge, "FOLDS", 4)
    choices = kernel_ridge.nested_choices(kernels, y)
    assert len(choices) == 14 and len(calls) == 4
    assert all(y[i] not in calls[int(call) - 1] for i, (call, _) in enumerate(choices))


def test_kernels_need_memory_for_pairs_of_specimens_only():
    points = np.random.default_rng(1).normal(size=(200, 300))
    tracemalloc.start()
    kernels = kernel_ridge.candidate_kernels(points)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 8 * 200**2, f"{peak} bytes; pairs times latents are {8 * 300 * 200**2}"
    for gamma, kernel in kernels.items():
        np.testing.assert_allclose(kernel, rbf_kernel(points, gamma=gamma) + CONSTANT, atol=1e-12)
