import numpy as np
import pytest
from sklearn.decomposition import KernelPCA
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.svm import SVC, SVR

from rntk_bench import NNGP, NTK, RBF, RNTK, Polynomial
from rntk_bench.errors import KernelError

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((18, 8)), rng.standard_normal((5, 8))
y = np.arange(18) % 3
KERNELS = [
    RNTK(1.3, sigma_b=0.1, sigma_h=2.0),
    NNGP(1.2, sigma_h=1.0, n_layers=2, pooling="average", direction="both"),
    *(NTK(), RBF(0.1), Polynomial(2, 1.0)),
]


@pytest.mark.parametrize("kernel", KERNELS)
def test_one_object_is_one_set(kernel):
    np.testing.assert_array_equal(kernel(X, X), kernel(X))
    series = [x[i % 3 :] for i, x in enumerate(X)]
    np.testing.assert_array_equal(kernel(series, series), kernel(series))


def test_the_first_state_is_shared_within_one_set_only():
    kernel = KERNELS[0]
    assert (np.diag(kernel(X, X.copy())) < np.diag(kernel(X, X))).all()
    for theta, K in ((kernel.with_nngp(X, X)), (kernel.with_nngp(X))):
        np.testing.assert_allclose(theta, kernel(X), rtol=1e-12)
        np.testing.assert_allclose(np.diag(K), NNGP(**vars(kernel)).diag(X))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("given", [X, X.astype("f4"), np.asfortranarray(X), X.tolist()])
def test_support_vector_machines_take_it_as_a_callable(kernel, given):
    plain = np.asarray(given, dtype=float)
    gram, across = kernel(plain), kernel(Y, plain)
    for machine, targets in ((SVC, y), (SVR, X[:, 0])):
        called = machine(kernel=kernel).fit(given, targets)
        reference = machine(kernel="precomputed").fit(gram, targets)
        np.testing.assert_array_equal(called.predict(Y), reference.predict(across))
        np.testing.assert_array_equal(called.support_, reference.support_)


@pytest.mark.parametrize("kernel", KERNELS)
def test_scikit_learn_may_call_it_for_each_pair(kernel):
    few, targets = X[:7], y[:7]  # a call for each pair takes milliseconds
    np.testing.assert_allclose(pairwise_kernels(few, metric=kernel), kernel(few), rtol=1e-12)
    np.testing.assert_allclose(pairwise_kernels(few, Y, metric=kernel), kernel(few, Y), rtol=1e-12)
    called = KernelRidge(kernel=kernel).fit(few, targets).predict(Y)
    machine = KernelRidge(kernel="precomputed").fit(kernel(few), targets)
    np.testing.assert_allclose(called, machine.predict(kernel(Y, few)), rtol=1e-6)
    assert KernelPCA(2, kernel=kernel).fit_transform(few).shape == (7, 2)


def test_two_rows_are_an_entry_and_one_is_no_set():
    kernel = KERNELS[0]
    entry = kernel(X[0], Y[0, :5])
    assert np.ndim(entry) == 0
    assert entry == kernel([X[0]], [Y[0, :5]])[0, 0]
    row = X[0]
    np.testing.assert_allclose(kernel(row, row), kernel.diag(X)[0], rtol=1e-12)
    for bad in ((X[0],), (X[0], Y), (X, Y[0])):
        with pytest.raises(KernelError, match=r"shape \(8,\)"):
            kernel(*bad)
