import math

import numpy as np
import pytest

from rntk_bench import NNGP, RNTK
from rntk_bench.errors import KernelError
from rntk_bench.kernels.gradients.inputs import BLOCK, input_gradient
from tests import naive, naive_gradient

S_RELU = {"sigma_w": math.sqrt(2), "sigma_u": 1.0, "sigma_b": 0.0, "sigma_h": 0.0}
S_ERF = {"sigma_w": 1.0, "sigma_u": 0.01, "sigma_b": 0.05, "sigma_h": 0.0}
OTHER = {"sigma_w": 1.2, "sigma_u": 0.7, "sigma_b": 0.3, "sigma_h": 0.5, "sigma_v": 1.3}
OPERATORS = {"relu": naive.RELU, "erf": naive.ERF, "leaky_relu": naive.leaky(0.01)}


def series(P, T, *m, seed=0):
    return naive_gradient.on_grid(np.random.default_rng(seed).standard_normal((P, T, *m)))


def check(X, Y, tolerance=1e-11, activation="relu", **parameters):
    actual = input_gradient(RNTK(activation=activation, **parameters), X, Y)
    oracle = {"operators": OPERATORS[activation], **parameters}
    expected = [naive_gradient.input_gradient(x, y, **oracle) for x, y in zip(X, Y, strict=True)]
    for mine, theirs in zip(actual, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())


@pytest.mark.parametrize("parameters", [S_RELU, S_ERF, OTHER], ids=["S_relu", "S_erf", "other"])
@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_equals_differences_of_the_definition(activation, n_layers, parameters):
    X, Y = series(2, 4), series(2, 4, seed=1)
    check(X, Y, activation=activation, n_layers=n_layers, **parameters)


@pytest.mark.parametrize(("T", "other"), [(3, 6), (6, 3), (1, 4), (4, 1), (1, 1)])
@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_different_lengths_meet_at_their_ends(activation, T, other):
    X, Y = series(2, T, 2), series(2, other, 2, seed=1)
    check(X, Y, activation=activation, n_layers=2, **OTHER)
    check(X[..., 0], Y[..., 0], activation=activation, **OTHER)


@pytest.mark.parametrize(
    "parameters",
    [
        {"pooling": "average"},
        {"direction": "backward"},
        {"direction": "both", "pooling": "average"},
        {"activation": "leaky_relu"},
        {"n_layers": 2, "sigma_w": (1.3, 0.8), "sigma_u": (0.5, 1.4), "sigma_b": (0.0, 0.2)},
    ],
)
def test_every_readout_direction_and_layer(parameters):
    check(series(1, 5), series(1, 3, seed=1), **{**OTHER, **parameters})


def test_derivative_of_the_nngp_kernel():
    X, Y = series(1, 4), series(1, 4, seed=1)
    expected = naive_gradient.input_gradient(X[0], Y[0], tangent=False, **OTHER)
    np.testing.assert_allclose(input_gradient(NNGP(**OTHER), X, Y)[0], expected, rtol=1e-11)


@pytest.mark.parametrize("difference", [1e-2, 1e-3])
def test_series_that_nearly_agree_keep_their_digits(difference):
    X = series(1, 6)
    Y = naive_gradient.on_grid(X + difference * series(1, 6, seed=1))
    check(X, Y, **S_RELU)
    check(X, Y, activation="erf", **S_ERF)


def test_a_first_step_with_a_constant_correlation_adds_nothing_through_it():
    # m = 1 and sigma_b = 0: c is the sign of x_1 x'_1, whatever their size.
    for X, Y in (([[0.5, 1.0]], [[0.25, -2.0]]), ([[0.1, 0.3]], [[-0.7, 0.3]])):
        for n_layers in (1, 2, 3):
            check(np.array(X), np.array(Y), n_layers=n_layers, **S_RELU)


def test_one_step_by_hand():
    # V and V' Sigma are sigma_u^2 x x' / 2 each where the signs agree, else 0.
    kernel = RNTK(**{**S_RELU, "sigma_u": 3.0})
    gradient = input_gradient(kernel, np.array([[2.0], [2.0]]), np.array([[5.0], [-5.0]]))
    np.testing.assert_allclose(gradient, [[45.0], [0.0]], atol=1e-13)


@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("length", [12, 17])
def test_euler_identity_of_a_homogeneous_kernel(n_layers, length):
    """relu without bias and h: Theta(a x, x') = a Theta(x, x'), so <x, grad Theta> = Theta."""
    X, Y = series(20, 12, 2), series(20, length, 2, seed=1)
    kernel = RNTK(1.4, 0.8, n_layers=n_layers)
    inner = (X * input_gradient(kernel, X, Y)).sum(axis=(1, 2))
    np.testing.assert_allclose(inner, np.diag(kernel(X, Y)), rtol=1e-12)


def test_equal_zero_and_opposite_series_have_finite_derivatives():
    X = series(4, 8)
    Y = np.stack([X[0], -X[1], np.zeros(8), 2.0 * X[3]])
    for activation in ("relu", "erf"):
        for Z, other in ((X, Y), (Y, X)):
            gradient = input_gradient(RNTK(activation=activation), Z, other)
            assert np.isfinite(gradient).all()
    # An input weight of zero leaves nothing to depend on.
    assert not input_gradient(RNTK(sigma_u=0.0, sigma_b=0.1), X, Y).any()
    # Without biases a zero series has covariance 0 with any other.
    assert not input_gradient(RNTK(), X, np.zeros_like(X)).any()


def test_pairs_do_not_depend_on_each_other_nor_on_the_blocks():
    T = 2048
    X, Y = series(BLOCK // T + 3, T), series(BLOCK // T + 3, T, seed=1)
    together = input_gradient(RNTK(**S_RELU), X, Y)
    for p in (0, BLOCK // T, BLOCK // T + 2):
        alone = input_gradient(RNTK(**S_RELU), X[p : p + 1], Y[p : p + 1])
        np.testing.assert_allclose(together[p], alone[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("kernel", "X", "Y", "message"),
    [
        (RNTK(activation="tanh"), np.ones((2, 3)), np.ones((2, 3)), "relu, leaky_relu and erf"),
        (RNTK(), np.ones((2, 3)), np.ones((3, 3)), "2 series of 1 dimensions do not match"),
        (RNTK(), np.ones((2, 3)), np.ones((2, 3, 2)), "do not match 2 of 2"),
        (RNTK(), np.ones((2, 3)), [[1.0], [1.0, 2.0]], "all have the same length"),
        (RNTK(40.0), series(1, 400), series(1, 400, seed=1), "leaves the range of float64"),
    ],
)
def test_kernels_without_derivatives_are_refused(kernel, X, Y, message):
    with pytest.raises(KernelError, match=message):
        input_gradient(kernel, X, Y)
