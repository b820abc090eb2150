"""The multiscale RNTK against its definition."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from rntk_bench import RNTK, MultiscaleRNTK, Represented, ScaledKernel, SumKernel
from rntk_bench.errors import KernelError
from tests import naive_multiscale as naive


def walks(lengths, m=1, seed=0):
    rng = np.random.default_rng(seed)
    return [5 + rng.standard_normal((T, m)).cumsum(axis=0) for T in lengths]


def z_normalised(X):
    return [naive.z_normalise(x) for x in X]


ROUNDING = 1e-7
"""The arccos of the definition in float64, near correlation 1."""
SETS = {
    "one length": walks([25] * 6),
    "z-normalised": z_normalised(walks([25] * 6, seed=1)),
    "lengths": walks([31, 24, 26, 13, 12], seed=2),
    "dimensions": walks([13] * 5, m=3, seed=3),
    "lengths and dimensions": walks([9, 14, 7, 12, 3], m=2, seed=4),
    "two steps": walks([2] * 6, seed=5),
    "long": z_normalised(walks([100] * 3, seed=6)),
}


@pytest.mark.parametrize("X", SETS.values(), ids=SETS)
def test_equals_the_definition(X):
    train, test = X[:-1], X[-1:]
    kernel, gram = MultiscaleRNTK().fit(train)
    expected, expected_test = naive.multiscale(train, test)
    np.testing.assert_allclose(gram, expected, rtol=ROUNDING)
    np.testing.assert_allclose(kernel(train), expected, rtol=ROUNDING)
    np.testing.assert_allclose(kernel(train, test), expected_test, rtol=ROUNDING)
    np.testing.assert_allclose(kernel(test, train), expected_test.T, rtol=ROUNDING)
    np.testing.assert_allclose(kernel.diag(train), np.diag(expected), rtol=ROUNDING)


def test_raw_values_are_summands_only_if_the_training_set_is_not_z_normalised():
    def representations(X):
        return {kernel.representation for kernel in MultiscaleRNTK().summands(X)}

    assert representations(SETS["z-normalised"]) == {"z", "difference"}
    assert representations(SETS["one length"]) == {"z", "difference", "raw"}


def test_its_scales_bandwidths_and_lag_steps():
    summands = MultiscaleRNTK().summands(z_normalised(walks([200, 193, 400])))
    steps = {each.scale: each.kernel.lag_step for each in summands}
    assert steps == {1: 5, 2: 2, 4: 1, 8: 1, 16: 1}
    assert len(summands) == 2 * 5 * 2 * 2
    assert {(each.kernel.direction, each.kernel.bandwidth) for each in summands} == {
        (direction, bandwidth)
        for direction in ("forward", "backward")
        for bandwidth in (0.5, "all")
    }
    network = summands[0].kernel
    assert network.sigma_w**2 == pytest.approx(2 * np.exp(-1 / 5), rel=1e-15)
    assert (network.sigma_u, network.sigma_b, network.sigma_h) == (1.0, 0.5, 0.0)
    assert (network.pooling, network.readout, network.activation) == ("shared", "step", "relu")


def test_the_sum_is_normalised_and_so_are_its_summands():
    X = SETS["lengths"]
    kernel, gram = MultiscaleRNTK().fit(X)

    def size(K):
        return np.trace(K) / len(K) - K.mean()

    assert size(gram) == pytest.approx(1.0, rel=1e-12)
    sizes = [size(each(X)) for each in kernel.summands]
    np.testing.assert_allclose(sizes, sizes[0], rtol=1e-12)
    eigenvalues = np.linalg.eigvalsh(gram)
    assert eigenvalues[0] > 0.0
    np.testing.assert_array_equal(gram, gram.T)


def test_the_result_does_not_depend_on_the_number_of_jobs():
    X = walks([40] * 20)
    kernel, gram = MultiscaleRNTK().fit(X)
    for n_jobs in (2, 3, -1):
        other, other_gram = MultiscaleRNTK().fit(X, n_jobs=n_jobs)
        assert other == kernel
        np.testing.assert_array_equal(other_gram, gram)


def test_the_fitted_kernel_is_an_ordinary_one():
    X, new = SETS["lengths"], walks([15, 40], seed=9)
    kernel, _ = MultiscaleRNTK().fit(X)
    assert isinstance(kernel, SumKernel)
    assert all(isinstance(each, ScaledKernel) for each in kernel.summands)
    again = pickle.loads(pickle.dumps(kernel))
    assert again == kernel
    assert again.cache_key() == kernel.cache_key() is not None
    np.testing.assert_array_equal(again(X, new), kernel(X, new))
    # The weights are those of the training set, whatever the series are.
    np.testing.assert_allclose(kernel([*X, *new])[:5, 5:], kernel(X, new), rtol=1e-12)


def test_constant_series_and_sets_that_do_not_differ():
    X = [*walks([20] * 4), np.full((20, 1), 0.1), np.zeros((20, 1))]
    _, gram = MultiscaleRNTK().fit(X)
    np.testing.assert_allclose(gram, naive.multiscale(X, X)[0], rtol=ROUNDING)
    flat = [c * np.ones(20) for c in (1.0, 2.0, 3.0)]
    only_raw, _ = MultiscaleRNTK().fit(flat)  # the other representations are zero
    assert {each.kernel.representation for each in only_raw.summands} == {"raw"}
    for same in ([np.ones(20)] * 3, walks([20]), np.zeros((2, 5))):
        with pytest.raises(KernelError, match="take series that differ"):
            MultiscaleRNTK().fit(same)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_overflow_names_the_summand(n_jobs):
    tangent = RNTK(1e3, pooling="shared")
    with pytest.raises(KernelError, match=r"Represented\(RNTK.*leaves the range of float64"):
        MultiscaleRNTK(tangent).fit(walks([200] * 3), n_jobs=n_jobs)


def test_another_network():
    X = SETS["one length"]
    tangent = RNTK(1.3, sigma_b=0.3, pooling="shared")
    kernel, gram = MultiscaleRNTK(tangent).fit(X)
    assert {each.kernel.kernel.readout for each in kernel.summands} == {"state"}
    first = Represented(replace(tangent, lag_step=1, bandwidth=0.5), "z")
    assert kernel.summands[0].kernel == first
    np.testing.assert_allclose(kernel(X), gram, rtol=1e-12)
