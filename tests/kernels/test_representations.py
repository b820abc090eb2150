"""Representations against loops, and their limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rntk_bench import RBF, RNTK, Representation, Represented
from rntk_bench.errors import KernelError
from rntk_bench.kernels.representations import is_z_normalised, training_rms
from tests import naive_multiscale as naive

NAMES = ("z", "difference", "unit", "raw")


def walks(lengths, m=1, seed=0):
    rng = np.random.default_rng(seed)
    return [3 + rng.standard_normal((T, m)).cumsum(axis=0) for T in lengths]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.integers(1, 5),
    st.lists(st.integers(10, 30), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(0, 10**6),
)
def test_equals_the_definition(name, scale, lengths, m, seed):
    X = walks(lengths, m, seed)
    represented = Representation(name, scale, 2.5)(X)
    for actual, expected in zip(represented, naive.represent(X, name, scale, 2.5), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-12)
    if name != "raw":
        np.testing.assert_allclose([np.mean(x**2) for x in represented], 1.0, rtol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_of_a_representation(name):
    X, Y = walks([12] * 4, 2), walks([9, 12], 2, seed=1)
    kernel = Represented(RNTK(1.2, sigma_b=0.1, sigma_h=0.4), name, scale=2, rms=1.5)
    x, y = (naive.represent(Z, name, 2, 1.5) for Z in (X, Y))
    np.testing.assert_allclose(kernel(X), kernel.kernel(x), rtol=1e-11)
    np.testing.assert_allclose(kernel(X, Y), kernel.kernel(x, y), rtol=1e-11)
    np.testing.assert_allclose(kernel.diag(X), kernel.kernel.diag(x), rtol=1e-11)
    np.testing.assert_allclose(kernel(np.stack(X)), kernel(X), rtol=1e-14)


def test_a_constant_is_zero_where_it_is_z_normalised():
    x = np.column_stack([np.full(10, 0.1), np.arange(10.0)])
    for name in ("z", "difference"):
        (y,) = Representation(name)([x])
        assert not y[:, 0].any()
        assert np.mean(y**2) == pytest.approx(1.0)
    for constant in (0.0, 0.1, 1e300, 1e-300):
        for scale in (1, 2, 3):
            for name in ("z", "difference"):
                assert not Representation(name, scale)([np.full(12, constant)])[0].any()
            (unit,) = Representation("unit", scale)([np.full(12, constant)])
            np.testing.assert_allclose(unit, float(constant > 0), rtol=1e-15)


def test_what_averages_to_nothing_is_zero_and_not_rounding():
    x = np.sin(2 * np.pi * np.arange(40) / 4) + 0.3
    assert not Representation("z", 4)([x])[0].any()
    assert not Representation("difference", 4)([x])[0].any()
    np.testing.assert_allclose(Representation("unit", 4)([x])[0], 1.0, rtol=1e-14)


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1e200, 1e307])
def test_any_range_of_values(scale):
    (x,) = walks([20])
    for name in ("z", "difference", "unit"):
        expected = Representation(name, 2)([x])[0]
        np.testing.assert_allclose(Representation(name, 2)([scale * x])[0], expected, rtol=1e-11)
    assert training_rms([scale * x]) == pytest.approx(scale * np.sqrt(np.mean(x**2)), rel=1e-12)
    assert is_z_normalised([scale * naive.z_normalise(x)])


def test_which_training_sets_are_z_normalised():
    X = [naive.z_normalise(x) for x in walks([20, 30, 25], 2)]
    for changed, expected in (
        (X, True),
        ([5.0 * x for x in X], True),  # of one scale, which the definition does not look at
        ([x + 0.019 for x in X], True),
        ([x + 0.021 for x in X], False),
        ([X[0], 1.1 * X[1], X[2]], False),
        ([np.zeros((5, 1))], False),
        ([np.column_stack([x[:, 0], x[:, 1] + 0.5]) for x in X], False),
    ):
        assert is_z_normalised(changed) is expected
        assert naive.is_z_normalised(changed) == expected


def test_the_rms_of_a_training_set():
    X = walks([5, 8], 2)
    assert training_rms(X) == pytest.approx(np.sqrt(np.mean(np.concatenate(X) ** 2)), rel=1e-14)
    assert training_rms(np.zeros((2, 3))) == 1.0


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (lambda: Representation("log"), "name is 'log'"),
        (lambda: Representation("z", 0), "scale is 0"),
        (lambda: Represented(RBF(), "raw", rms=0.0), "rms is 0.0"),
        (lambda: Represented(RBF(), "raw", rms=np.nan), "rms is nan"),
        (lambda: Represented(RBF(), scale=1.5), "scale is 1.5"),
        (lambda: Represented(RBF(), scale=4)(np.ones((2, 3))), "Series 0 has 3 steps.*needs 4"),
        (lambda: Represented(RBF(), "difference")([np.ones(3), np.ones(1)]), "Series 1.*needs 2"),
    ],
)
def test_invalid_parameters_and_short_series_are_refused_by_name(create, message):
    with pytest.raises(KernelError, match=message):
        create()
