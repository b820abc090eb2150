import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process import kernels as scikit
from sklearn.gaussian_process.kernels import WhiteKernel

from rntk_bench import NTK, RBF, RNTK, Polynomial
from rntk_bench.errors import KernelError
from rntk_bench.estimators import GaussianProcessKernel, as_objects


def segments(n=24):
    rng = np.random.default_rng(0)
    wave = np.sin(np.arange(400) / 20) + 0.05 * rng.standard_normal(400)
    ends = rng.integers(30, 399, n)
    return [wave[e - T : e] for e, T in zip(ends, rng.integers(10, 13, n), strict=True)], wave[ends]


FREE = [
    GaussianProcessKernel(RNTK(1.4, sigma_b=0.1, sigma_h=0.2), ["sigma_w", "sigma_b", "sigma_h"]),
    GaussianProcessKernel(RNTK((1.4, 1.2), sigma_b=0.1, n_layers=2), {"sigma_w": (0.5, 2.0)}),
    GaussianProcessKernel(NTK(1.2, 0.1, n_layers=3), ["sigma_v", "sigma_w"]),
    GaussianProcessKernel(RBF(0.3), ["alpha"]),
    GaussianProcessKernel(Polynomial(2, 0.5), ["r"]),
]


@pytest.mark.parametrize("kernel", FREE, ids=lambda kernel: kernel.kernel.name)
def test_the_likelihood_has_the_gradient_that_differences_give(kernel):
    X, y = segments(12)
    X = np.array([x[-8:] for x in X])
    process = GaussianProcessRegressor(kernel + WhiteKernel(0.01), optimizer=None).fit(X, y)
    theta = process.kernel_.theta
    assert len(theta) == kernel.n_dims + 1
    _, gradient = process.log_marginal_likelihood(theta, eval_gradient=True)
    numeric = approx_fprime(theta, process.log_marginal_likelihood, 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-3, atol=1e-3)


def test_theta_bounds_and_copies():
    kernel = GaussianProcessKernel(
        RNTK((1.4, 1.2), sigma_b=0.1, n_layers=2), {"sigma_w": (0.5, 2.0), "sigma_b": (0.01, 1.0)}
    )
    np.testing.assert_allclose(np.exp(kernel.theta), [1.4, 1.2, 0.1])
    np.testing.assert_allclose(np.exp(kernel.bounds), [[0.5, 2], [0.5, 2], [0.01, 1]])
    moved = kernel.clone_with_theta(np.log([1.0, 0.9, 0.5]))
    assert moved.kernel.sigma_w == pytest.approx((1.0, 0.9))
    assert moved.kernel.sigma_b == pytest.approx(0.5)
    assert kernel.kernel.sigma_b == 0.1
    assert clone(kernel) == kernel
    assert moved != kernel
    assert "RNTK(sigma_w=(1.4, 1.2)" in repr(kernel)


def test_regression_on_series_of_different_lengths():
    X, y = segments(40)
    objects = as_objects(X)
    kernel = GaussianProcessKernel(RNTK(1.4, sigma_b=0.1), ["sigma_w", "sigma_v"])
    process = GaussianProcessRegressor(kernel + WhiteKernel(0.01)).fit(objects[:30], y[:30])
    start = GaussianProcessRegressor(kernel + WhiteKernel(0.01), optimizer=None)
    start.fit(objects[:30], y[:30])
    assert process.log_marginal_likelihood_value_ > start.log_marginal_likelihood_value_ + 1.0
    mean, deviation = process.predict(objects[30:], return_std=True)
    assert np.corrcoef(mean, y[30:])[0, 1] > 0.95
    assert (np.abs(mean - y[30:]) < 4 * deviation).all()


def test_classification_of_two_and_three_classes():
    X, y = segments(40)
    X = np.array([x[-10:] for x in X])
    for bins in ([0.0], [-0.4, 0.4]):
        labels = np.digitize(y, bins)
        kernel = GaussianProcessKernel(RNTK(1.2, sigma_b=0.1), {"sigma_v": (0.1, 100.0)})
        process = GaussianProcessClassifier(kernel).fit(X[:30], labels[:30])
        assert process.score(X[30:], labels[30:]) > 0.7
        assert process.predict_proba(X[30:]).shape == (10, len(bins) + 1)


def test_fixed_kernels_have_no_gradient_and_any_activation():
    X, y = segments(8)
    X = np.array([x[-5:] for x in X])
    kernel = GaussianProcessKernel(RNTK(0.9, activation="tanh"))
    gram, gradient = kernel(X, eval_gradient=True)
    assert gradient.shape == (8, 8, 0)
    np.testing.assert_array_equal(gram, RNTK(0.9, activation="tanh")(X))
    np.testing.assert_allclose(kernel.diag(X), np.diag(gram))
    GaussianProcessRegressor(kernel, alpha=0.1).fit(X, y).predict(X)


def test_it_is_scikit_learns_rbf():
    X, y = segments(12)
    X = np.array([x[-8:] for x in X])
    ours = GaussianProcessRegressor(GaussianProcessKernel(RBF(0.5), ["alpha"]), alpha=0.01)
    theirs = GaussianProcessRegressor(scikit.RBF(1.0), alpha=0.01)
    likelihoods = [process.fit(X, y).log_marginal_likelihood_value_ for process in (ours, theirs)]
    assert likelihoods[0] == pytest.approx(likelihoods[1], abs=1e-3)
    assert ours.kernel_.is_stationary()
    assert not GaussianProcessKernel(RNTK()).is_stationary()


def test_dimensions_pass_as_objects():
    X = np.random.default_rng(0).standard_normal((5, 4, 2))
    kernel = GaussianProcessKernel(RNTK(sigma_b=0.1))
    objects = as_objects(X)
    np.testing.assert_array_equal(kernel(objects), RNTK(sigma_b=0.1)(X))
    np.testing.assert_array_equal(kernel(objects[:2], objects), RNTK(sigma_b=0.1)(X[:2], X))
    assert repr(objects[0]) == "SeriesObject(4, 2)"


@pytest.mark.parametrize(
    ("kernel", "free", "said"),
    [
        (RNTK(), ["sigma_b"], "initial value > 0"),
        (RNTK(), ["sigma"], "not for sigma"),
        (RNTK(), ["activation"], "not for activation"),
        (RNTK(activation="tanh"), ["sigma_w"], "relu, leaky_relu and erf"),
        (Polynomial(2, 1.0), ["degree"], "not for degree"),
    ],
)
def test_parameters_that_cannot_be_free_are_refused(kernel, free, said):
    with pytest.raises(KernelError, match=said):
        GaussianProcessKernel(kernel, free)(np.ones((2, 3)), eval_gradient=True)


def test_a_gradient_of_two_sets_is_refused():
    with pytest.raises(ValueError, match="Y is None"):
        FREE[0](np.ones((2, 3)), np.ones((2, 3)), eval_gradient=True)


def test_one_object_is_one_set_and_rows_of_a_frame_are_series():
    X, kernel = np.random.default_rng(0).standard_normal((5, 4)), RNTK(1.2, sigma_h=2.0)
    process = GaussianProcessKernel(kernel)
    objects = as_objects(pd.DataFrame(X))
    assert [each.values.shape for each in objects] == [(4, 1)] * 5
    for given in (X, objects):
        np.testing.assert_array_equal(process(given, given), kernel(X))
        np.testing.assert_allclose(process(given, given.copy()), kernel(X, X.copy()), rtol=1e-12)
