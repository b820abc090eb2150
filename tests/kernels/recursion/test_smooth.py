"""Activations without a closed form: against quadrature over the plane, and their error bound."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.special import erf

from rntk_bench import NNGP, RNTK
from rntk_bench.errors import KernelError
from rntk_bench.kernels.activations import ACTIVATIONS, LeakyReLU, Smooth
from rntk_bench.kernels.rntk import AccuracyWarning
from tests import naive

RNG = np.random.default_rng(0)
SERIES = [RNG.standard_normal((T, 2)) / 2 for T in (4, 6, 3, 4)]
SIGMAS = {"sigma_w": 1.3, "sigma_u": 0.9, "sigma_b": 0.2, "sigma_h": 0.3, "sigma_v": 1.1}


@pytest.mark.parametrize("name", ["tanh", "gelu", "sin"])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_equals_the_definition_by_quadrature_within_the_bound(name, n_layers):
    phi = ACTIVATIONS[name]
    operators = naive.by_quadrature(phi.phi, phi.derivative)
    parameters = {**SIGMAS, "n_layers": n_layers}
    kernel = RNTK(activation=name, **parameters)
    bound = kernel.error_bound(SERIES)
    expected = naive.gram(naive.rntk, SERIES, operators=operators, **parameters)
    # The oracle's own quadrature is good to 1e-9 for tanh, which has poles near the real line.
    assert np.abs(kernel(SERIES) - expected).max() < bound + 1e-8
    assert bound < 1e-8 * expected.max()
    np.testing.assert_allclose(kernel.diag(SERIES), np.diag(expected), rtol=1e-9)
    between = naive.gram(naive.rntk, SERIES[:2], SERIES, operators=operators, **parameters)
    np.testing.assert_allclose(kernel(SERIES[:2], SERIES), between, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    "options", [{}, {"n_layers": 3}, {"pooling": "average"}, {"direction": "both"}]
)
@pytest.mark.parametrize("kind", [RNTK, NNGP])
def test_a_function_with_a_closed_form_agrees_with_it_within_the_bound(kind, options):
    closed = kind(activation="erf", **SIGMAS, **options)
    derivative = lambda z: 2 / np.sqrt(np.pi) * np.exp(-z * z)  # noqa: E731
    for phi in (lambda z: erf(z), Smooth(erf, derivative)):
        series = kind(activation=phi, **SIGMAS, **options)
        bound = series.error_bound(SERIES)
        assert bound < 1e-8
        for Y in (None, SERIES[1:]):
            assert np.abs(series(SERIES, Y) - closed(SERIES, Y)).max() <= bound + 1e-13
    assert closed.error_bound(SERIES) < 1e-11


def test_properties():
    X = [RNG.standard_normal(T) / 2 for T in RNG.integers(2, 9, 30)]
    for name in ("tanh", "gelu", "sin"):
        kernel = RNTK(activation=name, **SIGMAS)
        K = kernel(X)
        np.testing.assert_array_equal(K, K.T)
        eigenvalues = np.linalg.eigvalsh(K)
        assert eigenvalues[0] > -1e-9 * eigenvalues[-1]
        np.testing.assert_allclose(kernel.diag(X), np.diag(K), rtol=1e-15)
        order = RNG.permutation(30)
        permuted = kernel([X[i] for i in order])
        np.testing.assert_allclose(permuted, K[np.ix_(order, order)], rtol=1e-10, atol=1e-12)


def logistic(z):
    return 1.0 / (1.0 + np.exp(-z))


class Shifted:
    """A callable without a hash."""

    __hash__ = None

    def __call__(self, z):
        return np.tanh(z - 0.3)


@pytest.mark.parametrize("phi", [logistic, np.cos, Shifted()])
def test_any_function_of_arrays(phi):
    operators = naive.by_quadrature(phi, Smooth(phi).slope)
    expected = naive.gram(naive.rntk, SERIES, operators=operators, **SIGMAS)
    kernel = RNTK(activation=phi, **SIGMAS)
    K = kernel(SERIES)
    assert np.abs(K - expected).max() < kernel.error_bound(SERIES) + 1e-8
    np.testing.assert_array_equal(kernel.diag(SERIES), np.diag(K))


@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("pooling", ["last", "average"])
def test_beyond_one_tile_and_between_two_sets_in_either_order(n_layers, pooling):
    X = [RNG.standard_normal(T) / 3 for T in RNG.integers(1, 7, 300)]
    Y = [RNG.standard_normal(T) / 3 for T in RNG.integers(1, 7, 70)]
    options = {**SIGMAS, "n_layers": n_layers, "pooling": pooling}
    closed, series = RNTK(activation="erf", **options), RNTK(activation=erf, **options)
    assert np.abs(series(X) - closed(X)).max() <= series.error_bound(X) + 1e-13
    between = series(X, Y)
    assert np.abs(between - closed(X, Y)).max() <= series.error_bound(X, Y) + 1e-13
    np.testing.assert_allclose(series(Y, X), between.T, rtol=1e-13, atol=1e-15)


def test_an_entry_does_not_depend_on_what_was_computed_before_or_beside_it():
    X = RNG.standard_normal((20, 8)) / 3
    kernels = [RNTK(sigma_w=w, activation=np.arctan) for w in np.linspace(0.5, 1.5, 8)]
    alone = [kernel(X) for kernel in kernels]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kernels[0](30.0 * X)  # more octaves of the same table
    with ThreadPoolExecutor(4) as pool:
        for before, after in zip(alone, pool.map(lambda kernel: kernel(X), kernels), strict=True):
            np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("scale", [1e-150, 1e-20])
def test_small_series_see_the_linear_part(scale):
    X = RNG.standard_normal((5, 6))
    sine = RNTK(activation="sin", sigma_w=1.2)
    linear = RNTK(activation=lambda z: z, sigma_w=1.2)
    np.testing.assert_allclose(sine(scale * X), scale * (scale * linear(X)), rtol=1e-12)


def test_near_duplicates_stay_within_the_bound():
    x = np.cumsum(RNG.standard_normal(40)) / 20
    for difference in (0.0, 1e-9, 1e-4):
        X = [x, x + difference * np.sin(np.arange(40)), -x]
        kernel = RNTK(1.1, sigma_b=0.1, activation=erf)
        expected = RNTK(1.1, sigma_b=0.1, activation="erf")(X)
        assert np.abs(kernel(X) - expected).max() <= kernel.error_bound(X) + 1e-12


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_the_bound_of_a_kinked_function_grows_for_closer_series(slope):
    kinked = RNTK(1.2, sigma_b=0.1, activation=lambda z: np.maximum(z, slope * z))
    exact = RNTK(1.2, sigma_b=0.1, activation=LeakyReLU(slope))
    full_range = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    near = np.array([[1.0, 0.0, 1.0], [1.0, 0.0, 1.01]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        errors = [np.abs(kinked(X) - exact(X)).max() for X in (full_range, near)]
    bounds = [kinked.error_bound(X) for X in (full_range, near)]
    assert errors[0] <= bounds[0] < bounds[1]
    assert errors[1] <= bounds[1]


def test_a_function_with_a_kink_warns_of_its_bound_and_keeps_it():
    exact = RNTK(**SIGMAS)(SERIES)
    kinked = RNTK(activation=lambda z: np.maximum(z, 0.0), **SIGMAS)
    with pytest.warns(AccuracyWarning, match="accurate to"):
        K = kinked(SERIES)
    bound = kinked.error_bound(SERIES)
    assert 1e-8 < np.abs(K - exact).max() <= bound


def test_zero_series():
    X = [np.zeros(3), np.array([0.0, 1.0]), np.zeros(2)]
    for parameters in ({"sigma_b": 0.0}, {"sigma_b": (0.0, 0.3), "n_layers": 2}):
        K = RNTK(1.2, activation="tanh", **parameters)(X)
        operators = naive.by_quadrature(np.tanh, lambda z: 1 - np.tanh(z) ** 2)
        expected = naive.gram(naive.rntk, X, operators=operators, sigma_w=1.2, **parameters)
        np.testing.assert_allclose(K, expected, atol=1e-9)


def test_an_overflow_is_refused():
    kernel = RNTK(activation="gelu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(KernelError, match="range of float64"):
            kernel(np.array([[1e200, 1.0]]))
        with pytest.raises(KernelError, match="range of float64"):
            kernel(np.array([[1.0, 1.0]]), np.array([[1.0, 1e200]]))


def test_a_variance_of_zero_has_no_error_where_phi_of_zero_is_not_zero():
    """A series that starts with 0 and has no bias, beside two that are nearly equal."""
    kernel = RNTK(1.0, activation=lambda z: 1.0 / (1.0 + np.exp(-z)))
    series = [np.array(x) for x in ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3000001], [0.0, 0.3])]
    assert kernel.error_bound(series) < 1e-6
