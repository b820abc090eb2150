"""Input scalings and zero padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rntk_bench.datasets import InputScaling, zero_pad
from rntk_bench.datasets.preprocess import (
    INPUT_SCALINGS,
    inputs_that_differ,
    is_z_normalised,
    zero_series,
)
from rntk_bench.errors import InputError

unit_norm = InputScaling("unit-norm")


def test_each_series_gets_norm_one():
    X = np.random.default_rng(0).standard_normal((4, 7, 3))
    unit = unit_norm(X)
    np.testing.assert_allclose(np.sqrt((unit**2).sum(axis=(1, 2))), 1, rtol=1e-15)
    np.testing.assert_allclose(unit[2] * np.linalg.norm(X[2]), X[2], rtol=1e-14)
    assert zero_series(unit) == []


def test_lists_stay_lists_with_the_same_numbers():
    X = np.random.default_rng(1).standard_normal((3, 5))
    unit = unit_norm(list(X))
    assert isinstance(unit, list)
    np.testing.assert_array_equal(unit, unit_norm(X))


def test_zero_series_stay_zero_and_are_named():
    unit = unit_norm(np.array([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]]))
    np.testing.assert_array_equal(unit, [[0.6, 0.8], [0, 0], [0, -1]])
    assert zero_series(unit) == [1]


def test_input_is_left_alone():
    X = np.array([[3.0, 4.0]])
    unit_norm(X)
    np.testing.assert_array_equal(X, [[3, 4]])


@given(st.integers(-1070, 1020))
def test_norm_neither_overflows_nor_underflows(exponent):
    unit = unit_norm(np.ldexp([[3.0, 4.0]], exponent))
    np.testing.assert_allclose(unit, [[0.6, 0.8]], rtol=1e-15)
    assert zero_series(unit) == []


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e-310])
def test_extreme_decimal_scales(scale):
    unit = unit_norm([np.array([3 * scale, -4 * scale])])
    np.testing.assert_allclose(unit[0], [0.6, -0.8], rtol=1e-12)


def series_of(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [3 * i + (i + 1) * rng.standard_normal(shape) for i, shape in enumerate(shapes)]


@pytest.mark.parametrize("shapes", [[(9,)] * 3, [(9, 2)] * 3, [(9,), (4,), (7,)], [(5, 3), (8, 3)]])
def test_input_scalings_are_what_their_names_say(shapes):
    X = series_of(shapes)
    values = np.concatenate([x.ravel() for x in X])
    expected = {
        "archive": X,
        "unit-norm": [x / np.linalg.norm(x) for x in X],
        "z": [(x - x.mean(axis=0)) / x.std(axis=0) for x in X],
        "unit": [x / np.sqrt((x**2).mean()) for x in X],
        "raw": [x / np.sqrt((values**2).mean()) for x in X],
    }
    assert set(expected) == set(INPUT_SCALINGS)
    for name, wanted in expected.items():
        for x, y in zip(InputScaling.fit(name, X)(X), wanted, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", INPUT_SCALINGS)
def test_an_array_stays_an_array_and_other_series_are_scaled_by_the_training_set(name):
    X, Y = np.stack(series_of([(9,)] * 3)), series_of([(5,)], seed=1)
    scaling = InputScaling.fit(name, X)
    assert isinstance(scaling(X), np.ndarray)
    assert isinstance(scaling(Y), list)
    np.testing.assert_array_equal(scaling([X[1]])[0], scaling(X)[1])
    if name == "raw":
        np.testing.assert_allclose(scaling(Y)[0] / Y[0], 1 / np.sqrt((X**2).mean()))


@pytest.mark.parametrize("name", INPUT_SCALINGS)
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_constant_and_zero_series_are_scaled_without_dividing_by_zero(name, scale):
    X = scale * np.array([[0.1, 0.1, 0.1], [0.0, 0.0, 0.0], [3.0, 0.0, 4.0]])
    scaled = InputScaling.fit(name, X)(X)
    assert np.isfinite(scaled).all()
    np.testing.assert_array_equal(scaled[1], 0)
    assert (scaled[0] == 0).all() == (name == "z")
    np.testing.assert_array_equal(InputScaling.fit(name, X[1:2])(X[1:2]), X[1:2] * 0)


def test_a_training_set_counts_as_z_normalised_up_to_a_fiftieth():
    X = InputScaling("z")(np.stack(series_of([(50,)] * 6)))
    assert is_z_normalised(X)
    assert is_z_normalised(7 * X)
    assert is_z_normalised([x[:, None] for x in X])
    assert is_z_normalised(X + 0.019)
    assert not is_z_normalised(X + 0.021)
    spread = np.array([1, 1, 1, 1.02, 1.02, 1.02])[:, None]
    assert is_z_normalised(X * spread)  # a standard deviation of 0.01
    assert not is_z_normalised(X * spread**3)
    assert not is_z_normalised(np.zeros((2, 3)))
    assert is_z_normalised(X * 1e307)
    assert is_z_normalised(X * 1e-300)


def test_scalings_that_repeat_z_are_left_out_where_z_is_there():
    X = np.stack(series_of([(50,)] * 6))
    normalised = InputScaling("z")(X)
    assert inputs_that_differ(INPUT_SCALINGS, X) == INPUT_SCALINGS
    assert inputs_that_differ(INPUT_SCALINGS, normalised) == ("archive", "unit-norm", "z")
    assert inputs_that_differ(["raw", "unit"], normalised) == ("raw", "unit")


def test_an_unknown_scaling_is_refused_by_name():
    with pytest.raises(InputError, match=r"must be one of archive, unit-norm, z"):
        InputScaling("minmax")


def test_zero_pad_appends_zeros():
    X = [np.array([1.0, 2.0]), np.array([3.0])]
    np.testing.assert_array_equal(zero_pad(X), [[1, 2], [3, 0]])
    np.testing.assert_array_equal(zero_pad(X, length=3), [[1, 2, 0], [3, 0, 0]])


def test_zero_pad_keeps_dimensions():
    padded = zero_pad([np.ones((2, 3)), np.ones((4, 3))])
    assert padded.shape == (2, 4, 3)
    assert padded[0, 2:].sum() == 0
    assert padded.sum() == 18
