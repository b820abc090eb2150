"""Unit norm and zero padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rntk_bench.datasets import unit_norm, zero_pad


def test_each_series_gets_norm_one():
    X = np.random.default_rng(0).standard_normal((4, 7, 3))
    unit, zero = unit_norm(X)
    np.testing.assert_allclose(np.sqrt((unit**2).sum(axis=(1, 2))), 1, rtol=1e-15)
    np.testing.assert_allclose(unit[2] * np.linalg.norm(X[2]), X[2], rtol=1e-14)
    assert zero == []


def test_lists_stay_lists_with_the_same_numbers():
    X = np.random.default_rng(1).standard_normal((3, 5))
    unit, _ = unit_norm(list(X))
    assert isinstance(unit, list)
    np.testing.assert_array_equal(unit, unit_norm(X)[0])


def test_zero_series_stay_zero_and_are_named():
    unit, zero = unit_norm(np.array([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]]))
    np.testing.assert_array_equal(unit, [[0.6, 0.8], [0, 0], [0, -1]])
    assert zero == [1]


def test_input_is_left_alone():
    X = np.array([[3.0, 4.0]])
    unit_norm(X)
    np.testing.assert_array_equal(X, [[3, 4]])


@given(st.integers(-1070, 1020))
def test_norm_neither_overflows_nor_underflows(exponent):
    unit, zero = unit_norm(np.ldexp([[3.0, 4.0]], exponent))
    np.testing.assert_allclose(unit, [[0.6, 0.8]], rtol=1e-15)
    assert zero == []


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e-310])
def test_extreme_decimal_scales(scale):
    unit, _ = unit_norm([np.array([3 * scale, -4 * scale])])
    np.testing.assert_allclose(unit[0], [0.6, -0.8], rtol=1e-12)


def test_zero_pad_appends_zeros():
    X = [np.array([1.0, 2.0]), np.array([3.0])]
    np.testing.assert_array_equal(zero_pad(X), [[1, 2], [3, 0]])
    np.testing.assert_array_equal(zero_pad(X, length=3), [[1, 2, 0], [3, 0, 0]])


def test_zero_pad_keeps_dimensions():
    padded = zero_pad([np.ones((2, 3)), np.ones((4, 3))])
    assert padded.shape == (2, 4, 3)
    assert padded[0, 2:].sum() == 0
    assert padded.sum() == 18
