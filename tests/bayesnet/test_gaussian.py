"""Claims about the Gaussian algebra, against closed forms and scipy."""

import numpy as np
from scipy.stats import multivariate_normal, norm

from bayesnet.gaussian import condition, is_positive_definite, log_density, sample_in_box


def random_cov(size, rng):
    root = rng.normal(size=(size, size))
    return root @ root.T + 0.1 * np.eye(size)


def test_conditioning_two_correlated_variables_gives_the_hand_worked_value():
    cov = np.array([[1.0, 0.6], [0.6, 4.0]])
    rest, mean, left = condition(np.array([1.0, 2.0]), cov, np.array([0]), np.array([3.0]))
    assert rest.tolist() == [1]
    np.testing.assert_allclose(mean, [2 + 0.6 * 2])
    np.testing.assert_allclose(left, [[4 - 0.36]])


def test_conditioning_equals_the_precision_matrix_form():
    rng = np.random.default_rng(0)
    cov, mean = random_cov(7, rng), rng.normal(size=7)
    given, values = np.array([5, 1]), rng.normal(size=2)
    rest, got_mean, got_cov = condition(mean, cov, given, values)
    precision = np.linalg.inv(cov)
    block = np.linalg.inv(precision[np.ix_(rest, rest)])
    expected = mean[rest] - block @ precision[np.ix_(rest, given)] @ (values - mean[given])
    np.testing.assert_allclose(got_cov, block, rtol=1e-8)
    np.testing.assert_allclose(got_mean, expected, rtol=1e-8)


def test_conditioning_on_nothing_changes_nothing():
    cov = random_cov(3, np.random.default_rng(1))
    rest, mean, left = condition(np.arange(3.0), cov, np.array([], dtype=int), np.array([]))
    np.testing.assert_array_equal(rest, [0, 1, 2])
    np.testing.assert_array_equal(mean, np.arange(3.0))
    np.testing.assert_array_equal(left, cov)


def test_log_density_equals_scipy():
    rng = np.random.default_rng(2)
    cov, mean, x = random_cov(5, rng), rng.normal(size=5), rng.normal(size=(4, 5))
    expected = multivariate_normal(mean, cov).logpdf(x)
    np.testing.assert_allclose(log_density(x, mean, cov), expected, rtol=1e-10)


def test_box_weights_estimate_the_probability_of_the_box():
    rng = np.random.default_rng(3)
    cov, mean = random_cov(3, rng), rng.normal(size=3)
    low = mean - np.array([0.5, 2.0, 1.0])
    high = mean + np.array([1.0, 0.5, 3.0])
    draws, log_w = sample_in_box(mean, cov, low, high, rng.random((20000, 3)))
    many = rng.multivariate_normal(mean, cov, size=400_000)
    inside = ((many >= low) & (many <= high)).all(axis=1)
    assert ((draws >= low) & (draws <= high)).all()
    np.testing.assert_allclose(np.exp(log_w).mean(), inside.mean(), rtol=0.03)
    weights = np.exp(log_w) / np.exp(log_w).sum()
    np.testing.assert_allclose(weights @ draws, many[inside].mean(axis=0), atol=0.03)


def test_box_far_in_the_tail_keeps_its_logarithm():
    uniforms = (np.arange(64) + 0.5)[:, None] / 64
    one = np.ones((1, 1))
    draws, log_w = sample_in_box(np.zeros(1), one, np.array([30.0]), np.array([31.0]), uniforms)
    np.testing.assert_allclose(log_w, norm.logsf(30.0), rtol=1e-9)
    assert (draws >= 30).all() and draws.mean() < 30.1


def test_positive_definiteness_is_told_from_singular_asymmetric_and_nan():
    assert is_positive_definite(np.eye(2))
    assert not is_positive_definite(np.ones((2, 2)) - 1e-12)
    assert not is_positive_definite(np.array([[1.0, 0.5], [0.0, 1.0]]))
    assert not is_positive_definite(np.array([[1.0, np.nan], [np.nan, 1.0]]))
