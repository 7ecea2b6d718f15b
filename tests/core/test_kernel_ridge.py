"""Claims about kernel ridge regression: what is left out is predicted as by refitting."""

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel

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
    found = left_out_predictions(points, probes, y, [(0.2, 0.1)] * 8)
    rest = np.arange(1, 8)
    fit = KernelRidge(alpha=0.1, kernel="precomputed")
    fit.fit(rbf_kernel(points[rest], gamma=0.2) + CONSTANT, y[rest])
    expected = fit.predict(rbf_kernel(probes[:1], points[rest], gamma=0.2) + CONSTANT)[0]
    assert found[0] == pytest.approx(expected, abs=1e-8)
