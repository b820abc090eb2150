import numpy as np
import pytest

from rntk_bench import NTK
from rntk_bench.errors import KernelError
from tests import naive

X = np.random.default_rng(0).standard_normal((6, 8))
Y = np.random.default_rng(1).standard_normal((4, 8))


@pytest.mark.parametrize("n_layers", [1, 2, 3, 10])
@pytest.mark.parametrize(
    ("sigma_w", "sigma_b"), [(0.5, 0.0), (2**0.5, 0.1), (3.0, 5.0), (0.0, 1.0)]
)
def test_equals_the_definition(n_layers, sigma_w, sigma_b):
    parameters = {"sigma_w": sigma_w, "sigma_b": sigma_b, "sigma_v": 1.5, "n_layers": n_layers}
    kernel = NTK(**parameters)
    for Z in (None, Y):
        expected = naive.gram(naive.ntk, X, Z, **parameters)
        np.testing.assert_allclose(kernel(X, Z), expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(kernel.diag(X), np.diag(kernel(X)), rtol=1e-13)


def test_all_depths_come_from_one_pass():
    kernels = [NTK(w, 0.1, 1.0, depth) for w in (1.0, 2.0) for depth in (5, 1, 5, 10, 2)]
    prepared = NTK.prepare(X)
    for kernel, gram in zip(kernels, NTK.grams(kernels, prepared), strict=True):
        np.testing.assert_array_equal(gram, kernel.gram(prepared))


def test_batches_group_the_depths():
    kernels = [NTK(w, 0.0, 1.0, depth) for depth in (1, 2, 3) for w in (1.0, 2.0)]
    batches = NTK.batches(kernels)
    assert batches == [[0, 2, 4], [1, 3, 5]]


def test_near_duplicates_keep_their_digits():
    for difference in (0.0, 1e-12, 1e-9, 1e-5):
        Z = np.array([X[0], X[0] + difference * Y[0], 2 * X[0]])
        expected = naive.gram(naive.ntk, Z, sigma_w=1.4, sigma_b=0.1, n_layers=4)
        np.testing.assert_allclose(NTK(1.4, 0.1, 1.0, 4)(Z), expected, rtol=1e-11)


def test_properties():
    Z = np.random.default_rng(2).standard_normal((30, 5))
    K = NTK(1.4, 0.2, 1.0, 3)(Z)
    np.testing.assert_array_equal(K, K.T)
    np.testing.assert_allclose(K, NTK(1.4, 0.2, 1.0, 3)(Z, Z), rtol=1e-13)
    eigenvalues = np.linalg.eigvalsh(K)
    assert eigenvalues[0] > -1e-12 * eigenvalues[-1]
    np.testing.assert_allclose(NTK(1.4)(3 * Z), 9 * NTK(1.4)(Z), rtol=1e-12)


def test_zeros_and_extremes():
    Z = np.vstack([X[:2], np.zeros(8)])
    expected = naive.gram(naive.ntk, Z, sigma_w=1.4, n_layers=2)
    np.testing.assert_allclose(NTK(1.4, n_layers=2)(Z), expected, rtol=1e-12, atol=1e-15)
    for scale in (1e150, 1e-150):
        expected = naive.gram(naive.ntk, scale * X, sigma_w=1.4)
        np.testing.assert_allclose(NTK(1.4)(scale * X), expected, rtol=1e-12)
    with pytest.raises(KernelError, match=r"NTK\(sigma_w=1.4"):
        NTK(1.4)(1e200 * X)


def test_different_lengths_are_padded_with_zeros():
    ragged = [X[0], X[1][:5], X[2][:3]]
    padded = np.array([X[0], [*X[1][:5], 0, 0, 0], [*X[2][:3], 0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(NTK()(ragged), NTK()(padded))


@pytest.mark.parametrize("parameter", [{"n_layers": 0}, {"n_layers": 1.5}, {"sigma_w": -1.0}])
def test_bad_parameters_are_refused_by_name(parameter):
    (name,) = parameter
    with pytest.raises(KernelError, match=name):
        NTK(**parameter)
