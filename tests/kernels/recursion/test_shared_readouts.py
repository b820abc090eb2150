"""The RNTK with a readout shared between the steps, against the double sum over prefixes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from rntk_bench import NNGP, RNTK
from rntk_bench.errors import KernelError
from rntk_bench.kernels.activations import ACTIVATIONS, LeakyReLU
from rntk_bench.kernels.gradients.inputs import input_gradient
from rntk_bench.kernels.gradients.parameters import parameter_gradient
from rntk_bench.kernels.recursion.shared import overlap
from rntk_bench.kernels.recursion.shared_readouts import EVERY_STEP, lagged_passes, window_widths
from rntk_bench.kernels.rntk import AccuracyWarning
from tests import naive

OPERATORS = {"relu": naive.RELU, "erf": naive.ERF, "leaky_relu": naive.leaky(0.01)}
SIGMAS = {"sigma_w": 1.3, "sigma_u": 0.9, "sigma_b": 0.2, "sigma_h": 0.4, "sigma_v": 1.1}
FORMS = [
    {"activation": activation, "n_layers": n_layers, "readout": readout}
    for activation, n_layers, readout in (
        ("relu", 1, "state"),
        ("relu", 2, "state"),
        ("erf", 1, "state"),
        ("erf", 2, "state"),
        ("leaky_relu", 1, "state"),
        ("leaky_relu", 3, "state"),
        ("relu", 1, "step"),
        ("relu", 2, "step"),
        ("leaky_relu", 1, "step"),
        ("tanh", 1, "state"),
        ("gelu", 2, "state"),
    )
]
named = pytest.mark.parametrize("form", FORMS, ids=lambda form: "-".join(map(str, form.values())))


def series(lengths, m=1, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((T, m)) / math.sqrt(T * m) for T in lengths]


def smooth(n, T, seed=0):
    """Smooth series at RMS 1, like real ones."""
    X = np.cumsum(np.random.default_rng(seed).standard_normal((n, T)), axis=1)
    return X / np.sqrt(np.square(X).mean(axis=1, keepdims=True))


def definition(X, Y=None, *, activation="relu", **parameters):
    operators = OPERATORS[activation]
    return naive.gram(naive.rntk, X, Y, operators=operators, pooling="shared", **parameters)


def close(actual, expected, tolerance=1e-11):
    """Relative to the entry, or to a thousandth of the largest where signs cancel."""
    assert actual.shape == expected.shape
    largest = np.abs(expected).max(initial=0.0)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=1e-3 * tolerance * largest)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
    st.sampled_from(["relu", "erf", "leaky_relu"]),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([0, 0.1, 0.3, 0.5, 1.0, 2.5, "all"]),
    st.integers(1, 4),
    st.sampled_from(["forward", "backward", "both"]),
    st.sampled_from([RNTK, NNGP]),
    st.booleans(),
    st.integers(0, 10**6),
)
def test_equals_the_sum_over_prefixes(
    lengths, activation, n_layers, m, bandwidth, lag_step, direction, kind, step, seed
):
    rng = np.random.default_rng(seed)
    step = step and activation != "erf"
    parameters = {
        "sigma_w": tuple(rng.uniform(0.3, 2.0, n_layers)),
        "sigma_u": tuple(rng.uniform(0.3, 2.0, n_layers)),
        "sigma_b": tuple(rng.uniform(0.0, 1.0, n_layers) * rng.integers(0, 2, n_layers)),
        "sigma_h": float(rng.choice([0.0, 0.5])),
        "sigma_v": 1.3,
        "n_layers": n_layers,
        "bandwidth": bandwidth,
        "lag_step": lag_step,
        "readout": "step" if step else "state",
        "direction": direction,
    }
    X, Y = series(lengths, m, seed), series([*lengths[:1], 4], m, seed + 1)
    kernel = kind(activation=activation, pooling="shared", **parameters)
    wanted = {"activation": activation, "tangent": kernel.tangent, **parameters}
    expected = definition(X, **wanted)
    close(kernel(X), expected)
    close(kernel.diag(X), np.diag(expected), 1e-12)
    between = definition(X, Y, **wanted)
    close(kernel(X, Y), between)
    close(kernel(Y, X), between.T)


@pytest.mark.parametrize("readout", ["state", "step"])
def test_equals_the_sum_over_prefixes_of_smooth_series(readout):
    parameters = {"sigma_w": 1.36, "sigma_b": 0.3, "readout": readout, "lag_step": 2}
    for bandwidth in (0.25, "all"):
        kernel = RNTK(pooling="shared", bandwidth=bandwidth, **parameters)
        expected = definition(smooth(3, 16), bandwidth=bandwidth, **parameters)
        close(kernel(smooth(3, 16)), expected, 1e-12)


@pytest.mark.parametrize("bandwidth", [0, 0.2, 0.5, "all"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_equals_the_sum_of_last_steps_beyond_one_tile(activation, bandwidth):
    """With more series than a tile, and rows of tiles for which short polynomials serve."""
    X, T = smooth(300, 12), 12
    X[150:] = X[:150] + 1e-4 * smooth(150, 12, seed=1)
    last = RNTK(1.36, sigma_b=0.3, activation=activation)
    shared = replace(last, pooling="shared", lag_step=2)
    expected = np.zeros((300, 300))
    for t in range(1, T + 1):
        for t_y in range(1, T + 1):
            weight = float(naive.lag_weight(t - t_y, T, T, bandwidth, 2))
            if weight:
                expected += weight * last(X[:, :t], X[:, :t_y]) / T
    tolerance = {"rtol": 1e-12} if activation == "relu" else {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(replace(shared, bandwidth=bandwidth)(X), expected, **tolerance)


@named
def test_bandwidth_0_is_average_pooling(form):
    X = series([5, 8, 3, 8, 6], 2)
    shared = RNTK(**SIGMAS, **form, pooling="shared", bandwidth=0, lag_step=3)
    if form["readout"] == "step":
        one_step = replace(shared, lag_step=10, bandwidth="all")  # no lag but 0 within 8 steps
        np.testing.assert_array_equal(shared(X), one_step(X))
        return
    average = replace(shared, pooling="average")
    np.testing.assert_allclose(shared(X), average(X), rtol=1e-14)
    np.testing.assert_allclose(shared(X, X[:2]), average(X, X[:2]), rtol=1e-14)
    np.testing.assert_allclose(shared.diag(X), average.diag(X), rtol=1e-14)


@pytest.mark.parametrize("kind", [RNTK, NNGP])
@pytest.mark.parametrize(("name", "n_layers"), [("tanh", 1), ("gelu", 2), ("sin", 1)])
def test_smooth_activations_equal_the_sum_over_prefixes_by_quadrature(kind, name, n_layers):
    phi = ACTIVATIONS[name]
    parameters = {**SIGMAS, "n_layers": n_layers, "lag_step": 2, "bandwidth": "all"}
    X, Y = series([4, 3], 2), series([5], 2, seed=1)
    kernel = kind(activation=name, pooling="shared", **parameters)
    given = {
        "operators": naive.by_quadrature(phi.phi, phi.derivative),
        "pooling": "shared",
        "tangent": kernel.tangent,
        **parameters,
    }
    # The oracle's own quadrature is good to 1e-9 for tanh.
    expected = naive.gram(naive.rntk, X, **given)
    np.testing.assert_allclose(kernel(X), expected, rtol=3e-8)
    np.testing.assert_allclose(kernel(X, Y), naive.gram(naive.rntk, X, Y, **given), rtol=3e-8)
    np.testing.assert_allclose(kernel.diag(X), np.diag(expected), rtol=3e-8)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.integers(1, 3),
    st.integers(1, 2),
    st.sampled_from([0, 0.3, 0.5, "all"]),
    st.integers(1, 3),
    st.sampled_from(["forward", "both"]),
    st.sampled_from([RNTK, NNGP]),
    st.integers(0, 10**6),
)
def test_a_function_with_a_closed_form_agrees_with_it_within_the_bound(
    lengths, n_layers, m, bandwidth, lag_step, direction, kind, seed
):
    X, Y = series(lengths, m, seed), series([*lengths[:1], 4], m, seed + 1)
    closed, hermite = (
        kind(
            **SIGMAS,
            n_layers=n_layers,
            pooling="shared",
            bandwidth=bandwidth,
            lag_step=lag_step,
            direction=direction,
            activation=activation,
        )
        for activation in ("erf", erf)
    )
    assert hermite.error_bound(X) < 1e-6
    for Z in (None, Y):
        difference = np.abs(hermite(X, Z) - closed(X, Z))
        assert difference.max() <= hermite.error_bound(X, Z) + 1e-13
    np.testing.assert_array_equal(hermite.diag(X), np.diag(hermite(X)))
    np.testing.assert_allclose(hermite(Y, X), hermite(X, Y).T, rtol=1e-12, atol=1e-14)


def test_a_kinked_function_keeps_its_bound_between_all_steps():
    X = smooth(4, 12)
    parameters = {"sigma_w": 1.2, "sigma_b": 0.1, "pooling": "shared", "bandwidth": "all"}
    kinked = RNTK(activation=lambda z: np.maximum(z, 0.2 * z), **parameters)
    with pytest.warns(AccuracyWarning, match="accurate to"):
        K = kinked(X)
    exact = RNTK(activation=LeakyReLU(0.2), **parameters)(X)
    assert 0.0 < np.abs(K - exact).max() <= kinked.error_bound(X)


def test_bandwidth_all_is_the_sum_over_all_pairs_of_prefixes():
    X, Y = series([4, 6, 5], 2), series([3, 5], 2, seed=1)
    last = RNTK(**SIGMAS, n_layers=2)
    expected = [
        [
            sum(
                last([x[: t + 1]], [y[: s + 1]])[0, 0] for t in range(len(x)) for s in range(len(y))
            )
            / math.sqrt(len(x) * len(y))
            for y in Y
        ]
        for x in X
    ]
    kernel = replace(last, pooling="shared", bandwidth="all")
    np.testing.assert_allclose(kernel(X, Y), expected, rtol=1e-12)


@named
@pytest.mark.parametrize("direction", ["forward", "both"])
def test_properties(form, direction):
    rng = np.random.default_rng(1)
    X = series(rng.integers(2, 14, 70), 2)
    for bandwidth in (0, *rng.uniform(0.0, 1.5, 2), "all"):
        kernel = RNTK(
            **SIGMAS,
            **form,
            pooling="shared",
            bandwidth=bandwidth,
            lag_step=int(rng.integers(1, 4)),
            direction=direction,
        )
        K = kernel(X)
        np.testing.assert_array_equal(K, K.T)
        eigenvalues = np.linalg.eigvalsh(K)
        assert eigenvalues[0] > -1e-12 * eigenvalues[-1]
        np.testing.assert_array_equal(kernel.diag(X), np.diag(K))
        order = rng.permutation(len(X))
        permuted = kernel([X[i] for i in order])
        np.testing.assert_allclose(permuted, K[np.ix_(order, order)], rtol=1e-11, atol=1e-13)
        some = slice(0, 20)
        between = kernel(X[some], X)
        off = ~np.eye(20, len(X), dtype=bool)
        np.testing.assert_allclose(between[off], K[some][off], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(kernel(X, X[some]), between.T, rtol=1e-11, atol=1e-13)


@named
def test_the_kernel_of_a_pair_does_not_depend_on_its_set(form):
    X = series([3, 9, 5, 20, 7])
    kernel = RNTK(**SIGMAS, **form, pooling="shared", bandwidth=0.4)
    K = kernel(X)
    for i in range(1, len(X)):
        np.testing.assert_allclose(kernel(X[i : i + 1]), K[i : i + 1, i : i + 1], rtol=1e-12)
        np.testing.assert_allclose(kernel(X[i : i + 1], X[:i])[0], K[i, :i], rtol=1e-11, atol=1e-13)


@named
def test_several_bandwidths_come_out_of_one_pass(form):
    X, Y = series([5, 9, 8, 6]), series([7, 4], seed=1)
    kernels = [
        RNTK(
            w,
            sigma_b=0.2,
            **form,
            pooling="shared",
            bandwidth=bandwidth,
            direction=direction,
        )
        for w in (1.2, 1.4)
        for direction in ("forward", "both")
        for bandwidth in (0, 0.25, 0.5, "all")
    ]
    batches = RNTK.batches(kernels)
    assert [len(batch) for batch in batches] == [8, 8]
    for sets in ((X,), (X, Y)):
        grams = RNTK.grams(kernels, RNTK.prepare(*sets))
        for kernel, gram in zip(kernels, grams, strict=True):
            np.testing.assert_allclose(gram, kernel(*sets), rtol=1e-13)


def test_what_shares_a_pass():
    shared = RNTK(pooling="shared")
    apart = [
        shared,
        replace(shared, lag_step=2),
        replace(shared, readout="step"),
        replace(shared, pooling="last"),
        NNGP(pooling="shared"),
    ]
    assert RNTK.batches(apart) == [[0], [1], [2], [3], [4]]
    # Neither parameter means anything to other poolings.
    other = [RNTK(bandwidth=0.1), RNTK(lag_step=2), RNTK(pooling="average", bandwidth="all")]
    assert RNTK.batches(other) == [[0, 1, 2]]
    X = series([4, 5])
    for kernel, gram in zip(other, RNTK.grams(other, RNTK.prepare(X)), strict=True):
        np.testing.assert_allclose(gram, kernel(X), rtol=1e-14)


def test_one_pass_gives_the_nngp_kernel_too():
    X, Y = series([5, 3]), series([4, 6, 2], seed=1)
    for options in ({}, {"n_layers": 2, "activation": "erf"}, {"readout": "step"}):
        kernel, gaussian = (
            kind(1.3, sigma_b=0.1, pooling="shared", **options) for kind in (RNTK, NNGP)
        )
        for sets in ((X,), (X, Y)):
            theta, K = kernel.with_nngp(*sets)
            np.testing.assert_allclose(theta, kernel(*sets), rtol=1e-14)
            np.testing.assert_allclose(K, gaussian(*sets), rtol=1e-14)
    np.testing.assert_array_equal(theta, K)  # only the readout of step units learns


def test_a_series_meets_its_first_state_at_equal_steps_alone():
    x = series([6])
    for bandwidth in (0, 0.5, "all"):
        shared = RNTK(1.4, sigma_b=0.1, sigma_h=0.7, pooling="shared", bandwidth=bandwidth)
        average = replace(shared, pooling="average")
        gained = shared.diag(x)[0] - shared(x, [x[0].copy()])[0, 0]
        assert gained == pytest.approx(
            average.diag(x)[0] - average(x, [x[0].copy()])[0, 0], rel=1e-12
        )
        assert gained > 0.0


def test_homogeneity():
    X = series([6, 4, 7, 2], m=2)
    for n_layers in (1, 2):
        kernel = RNTK(1.4, 0.7, 0.0, 0.0, n_layers=n_layers, pooling="shared")
        np.testing.assert_allclose(kernel([3 * x for x in X]), 9 * kernel(X), rtol=1e-12)
        step = replace(kernel, readout="step")
        np.testing.assert_array_equal(step([4 * x for x in X]), step(X))
        np.testing.assert_allclose(replace(step, sigma_v=3.0)(X), 9 * step(X), rtol=1e-14)


def test_step_units_of_leaky_networks():
    """The slope enters through the correlations alone, up to the linear network's."""
    X = series([5, 4, 5])
    for slope in (0.0, 0.5, 1.0):
        parameters = {"sigma_w": 0.9, "sigma_b": 0.3, "readout": "step", "bandwidth": "all"}
        kernel = RNTK(activation=LeakyReLU(slope), pooling="shared", **parameters)
        operators = naive.leaky(slope)
        expected = naive.gram(naive.rntk, X, operators=operators, pooling="shared", **parameters)
        close(kernel(X), expected)


def test_zero_series_and_zero_steps():
    X = [np.zeros(4), np.array([0.0, 0.0, 1.0]), np.zeros(2), np.array([0.0, 2.0, 0.0, 0.0, 1.0])]
    for parameters in ({"sigma_w": 1.4}, {"sigma_w": 1.4, "sigma_b": (0.0, 0.2), "n_layers": 2}):
        for activation, readout in (("relu", "state"), ("erf", "state"), ("relu", "step")):
            given = {"activation": activation, "readout": readout, "bandwidth": 0.5, **parameters}
            close(RNTK(pooling="shared", **given)(X), definition(X, **given))


def test_opposite_series_and_near_duplicates():
    x = smooth(1, 7)[0]
    X = np.array([x, -x, x + 1e-9 * np.sin(np.arange(7))])
    for readout in ("state", "step"):
        for sigma_b in (0.0, 0.3):
            given = {"sigma_w": 1.4, "sigma_b": sigma_b, "readout": readout, "bandwidth": "all"}
            close(RNTK(pooling="shared", **given)(X), definition(X, **given), 1e-11)


def test_constant_series_keep_their_digits_between_their_own_steps():
    X = np.outer([1.0, 1.0 + 1e-7, -2.0], np.ones(9))
    given = {"sigma_w": 1.1, "sigma_b": 0.2, "bandwidth": "all"}
    close(RNTK(pooling="shared", **given)(X), definition(X, **given), 1e-13)


def test_an_overflow_is_refused_by_name():
    for readout in ("state", "step"):
        kernel = RNTK(10.0, pooling="shared", readout=readout)
        for call in (kernel, kernel.diag):
            with pytest.raises(KernelError, match="bandwidth=0"):
                call(np.ones((2, 400)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"bandwidth": -0.1}, "bandwidth is -0.1"),
        ({"bandwidth": math.inf}, "bandwidth is inf"),
        ({"bandwidth": "half"}, "bandwidth is 'half'"),
        ({"lag_step": 0}, "lag_step is 0"),
        ({"lag_step": 1.5}, "lag_step is 1.5"),
        ({"readout": "mean"}, "readout is 'mean'"),
        ({"readout": "step", "pooling": "average"}, "not 'average'"),
        ({"readout": "step", "activation": "erf"}, "relu and leaky_relu"),
        ({"readout": "step", "activation": "tanh"}, "relu and leaky_relu"),
    ],
)
def test_parameters_outside_the_kernel_are_refused_by_name(parameters, message):
    with pytest.raises(KernelError, match=message):
        RNTK(**{"pooling": "shared", **parameters})


def test_its_derivatives_are_refused():
    kernel, X = RNTK(pooling="shared"), np.ones((2, 3))
    with pytest.raises(KernelError, match="shared"):
        input_gradient(kernel, X, X + 1.0)
    with pytest.raises(KernelError, match="shared"):
        parameter_gradient(kernel, X, ["sigma_w"])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.floats(1.0, 20.0)), min_size=1, max_size=12),
)
def test_windows_of_any_widths_give_positive_semi_definite_weights(steps):
    W = np.array([[overlap(a, b, abs(s - t)) for t, b in steps] for s, a in steps])
    assert np.linalg.eigvalsh(W)[0] > -1e-12


def test_window_widths():
    lengths = np.array([30, 31, 3])
    np.testing.assert_array_equal(window_widths(0.5, 2, lengths), [9, 9, 2])
    np.testing.assert_array_equal(window_widths(0, 2, lengths), [1, 1, 1])
    for largest in ("all", 1e200, 1e308):
        assert overlap(*window_widths(largest, 2, lengths)[:2], 10**6) == 1.0
    assert overlap(EVERY_STEP, EVERY_STEP, 0) == overlap(1.0, 1.0, 0) == overlap(51.0, 51.0, 0) == 1


def test_the_work_is_that_of_the_widest_bandwidth():
    kernels = [RNTK(pooling="shared", bandwidth=b, lag_step=3) for b in (0, 0.1, 0.5)]
    passes = 1 + 2 * sum(1 - 3 * k / 300 for k in range(1, 51))
    assert lagged_passes(0.5, 3, 300) == pytest.approx(passes)
    assert (
        RNTK.relative_cost(kernels, 300)
        == RNTK.relative_cost(kernels[-1:], 300)
        == pytest.approx(passes)
    )
    assert lagged_passes(0, 1, 10) == 1.0
    assert lagged_passes("all", 1, 10) == pytest.approx(10.0)
    both = replace(kernels[-1], direction="both")
    assert RNTK.relative_cost([both], 300) == 2 * RNTK.relative_cost(kernels, 300)


def test_lanes_that_have_not_started_do_not_spoil_others():
    """Columns of one vector start at different lags; with erf a stale value is no correlation."""
    rng = np.random.default_rng(87904)
    sigmas = {
        "sigma_w": tuple(rng.uniform(0.3, 2.0, 3)),
        "sigma_u": tuple(rng.uniform(0.3, 2.0, 3)),
        "sigma_b": tuple(rng.uniform(0.0, 1.0, 3) * rng.integers(0, 2, 3)),
    }
    sets = []
    for lengths, seed in (((1, 1), 87904), ((1, 4), 87905)):
        rng = np.random.default_rng(seed)
        sets.append([rng.standard_normal((T, 1)) / np.sqrt(T) for T in lengths])
    X, Y = sets
    kernel = RNTK(activation="erf", pooling="shared", bandwidth=0.1, n_layers=3, **sigmas)
    alone = [[kernel([x], [y])[0, 0] for y in Y] for x in X]
    np.testing.assert_allclose(kernel(X, Y), alone, rtol=1e-12)
    np.testing.assert_allclose(kernel(Y, X).T, alone, rtol=1e-12)
