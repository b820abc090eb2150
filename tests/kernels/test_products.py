import math

import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel

from rntk_bench import RBF, Polynomial
from rntk_bench.errors import KernelError
from rntk_bench.kernels.products import Products
from tests import naive

X = np.random.default_rng(0).standard_normal((9, 6))
Y = np.random.default_rng(1).standard_normal((4, 6))


@pytest.mark.parametrize("alpha", [0.0, 0.01, 1.0, 100.0])
def test_rbf_equals_the_definition_and_scikit_learn(alpha):
    kernel = RBF(alpha)
    for Z in (None, Y):
        np.testing.assert_allclose(
            kernel(X, Z), naive.gram(naive.rbf, X, Z, alpha=alpha), rtol=1e-10
        )
        np.testing.assert_allclose(kernel(X, Z), rbf_kernel(X, Z, gamma=alpha), rtol=1e-10)
    np.testing.assert_array_equal(np.diag(kernel(X)), kernel.diag(X))


@pytest.mark.parametrize("degree", [1, 2, 5])
@pytest.mark.parametrize("r", [0.0, 0.5, 2.0])
def test_polynomial_equals_the_definition_and_scikit_learn(degree, r):
    kernel = Polynomial(degree, r)
    for Z in (None, Y):
        expected = naive.gram(naive.polynomial, X, Z, degree=degree, r=r)
        np.testing.assert_allclose(kernel(X, Z), expected, rtol=1e-10, atol=1e-12)
        theirs = polynomial_kernel(X, Z, degree=degree, gamma=1.0, coef0=r)
        np.testing.assert_allclose(kernel(X, Z), theirs, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(kernel.diag(X), np.diag(kernel(X)), rtol=1e-13)


def test_symmetry_is_exact():
    for kernel in (RBF(0.3), Polynomial(3, 0.5)):
        K = kernel(X)
        np.testing.assert_array_equal(K, K.T)


def test_an_overflow_names_the_setting():
    with pytest.raises(KernelError, match=r"Polynomial\(degree=5, r=0.0\)"):
        Polynomial(5)(1e100 * X)
    with pytest.raises(KernelError, match="range of float64"):
        Polynomial(5).diag(1e100 * X)


def test_far_points_have_an_rbf_of_zero():
    assert RBF(100.0)(np.array([[0.0], [1e100]]))[0, 1] == 0.0


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: RBF(-1.0), "alpha"),
        (lambda: RBF(math.nan), "alpha"),
        (lambda: Polynomial(0), "degree"),
        (lambda: Polynomial(1.5), "degree"),
        (lambda: Polynomial(1, -1.0), "r"),
    ],
)
def test_bad_parameters_are_refused_by_name(make, named):
    with pytest.raises(KernelError, match=named):
        make()


def test_dimensions_are_flattened_and_lengths_padded():
    cube = np.random.default_rng(2).standard_normal((3, 4, 2))
    np.testing.assert_array_equal(RBF(1.0)(cube), RBF(1.0)(cube.reshape(3, 8)))
    ragged, shorter = [X[0], X[1][:4]], [Y[0][:3]]
    padded = np.array([X[0], [*X[1][:4], 0, 0]]), np.array([[*Y[0][:3], 0, 0, 0]])
    np.testing.assert_array_equal(Polynomial(2, 1.0)(ragged, shorter), Polynomial(2, 1.0)(*padded))


@pytest.mark.parametrize("bad", [[["a"]], [[1.0, math.nan]], [[math.inf]]])
def test_bad_series_are_refused(bad):
    with pytest.raises(KernelError):
        RBF()(bad)


def test_close_directions_keep_the_digits_of_one_minus_correlation():
    base = X[0] / np.linalg.norm(X[0])
    tilt = Y[0] - (Y[0] @ base) * base
    tilt /= np.linalg.norm(tilt)
    for angle in (1e-9, 1e-6, 1e-3, 0.5, 3.0):
        Z = np.array([base, math.cos(angle) * base + math.sin(angle) * tilt])
        distance = Products.of(Z).one_minus_correlation[0, 1]
        assert distance == pytest.approx(
            2 * math.sin(angle / 2) ** 2, rel=1e-6 if angle < 1e-7 else 1e-9
        )


def test_distances_of_series_far_from_the_origin_keep_their_digits():
    far = 1e6 + 0.01 * X
    expected = ((far[:, None] - far) ** 2).sum(axis=2)
    np.testing.assert_allclose(Products.of(far).square_distance, expected, rtol=1e-12)
    np.testing.assert_allclose(RBF(1.0)(far), np.exp(-expected), rtol=1e-12)
