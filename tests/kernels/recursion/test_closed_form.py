"""Every closed form of the RNTK: layers, erf, leaky ReLU, lengths, dimensions, readouts."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rntk_bench import NNGP, RNTK
from rntk_bench.errors import KernelError
from rntk_bench.kernels.activations import LeakyReLU
from rntk_bench.kernels.recursion.closed_form import LARGEST_VARIANCE
from tests import naive

OPERATORS = {"relu": naive.RELU, "erf": naive.ERF, "leaky_relu": naive.leaky(0.01)}


def series(lengths, m=1, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((T, m)) / math.sqrt(T * m) for T in lengths]


def definition(X, Y=None, *, activation="relu", **parameters):
    return naive.gram(naive.rntk, X, Y, operators=OPERATORS[activation], **parameters)


def close(actual, expected, tolerance=1e-11):
    """Relative to the entry, or to a thousandth of the largest where signs cancel."""
    assert actual.shape == expected.shape
    largest = np.abs(expected).max(initial=0.0)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=1e-3 * tolerance * largest)


@pytest.mark.parametrize(
    ("activation", "expected"), [("relu", 2.1343146593433424), ("erf", 1.088192164731834)]
)
def test_the_specifications_numbers_for_two_lengths(activation, expected):
    x, y = [np.array([1.0, -1.0, 1.0])], [np.array([math.cos(1), math.sin(1)])]
    kernel = RNTK(1.0, 1.0, 1.0, 0.0, activation=activation)
    for K in (kernel(x, y), kernel(y, x), kernel(x + y)[:1, 1:]):
        np.testing.assert_allclose(K, [[expected]], rtol=1e-14)


def test_the_specifications_numbers_for_erf():
    X = np.random.default_rng(0).standard_normal((5, 7))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    expected = [
        *(1.4295052339156031, -0.38676030299906844, -0.18939779162523468),
        *(-0.22931085067023055, -0.1056403189302673),
    ]
    K = RNTK(1.0, 1.0, 0.05, 0.0, activation="erf")(X)
    np.testing.assert_allclose(K[0], expected, rtol=1e-13)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.sampled_from(["relu", "erf", "leaky_relu"]),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(["last", "average"]),
    st.sampled_from(["forward", "backward", "both"]),
    st.booleans(),
    st.integers(0, 10**6),
)
def test_equals_the_backward_definition(
    lengths, activation, n_layers, m, pooling, direction, tangent, seed
):
    rng = np.random.default_rng(seed)
    parameters = {
        "sigma_w": tuple(rng.uniform(0.3, 2.0, n_layers)),
        "sigma_u": tuple(rng.uniform(0.3, 2.0, n_layers)),
        "sigma_b": tuple(rng.uniform(0.0, 1.0, n_layers) * rng.integers(0, 2, n_layers)),
        "sigma_h": float(rng.choice([0.0, 0.5])),
        "sigma_v": 1.3,
        "n_layers": n_layers,
        "pooling": pooling,
        "direction": direction,
    }
    X, Y = series(lengths, m, seed), series([*lengths[::-1], 4], m, seed + 1)
    kernel = (RNTK if tangent else NNGP)(activation=activation, **parameters)
    expected = definition(X, activation=activation, tangent=tangent, **parameters)
    close(kernel(X), expected)
    close(kernel.diag(X), np.diag(expected), 1e-12)
    between = definition(X, Y, activation=activation, tangent=tangent, **parameters)
    close(kernel(X, Y), between)
    close(kernel(Y, X), between.T)


CASES = [
    {"activation": activation, "n_layers": n_layers, "pooling": pooling, "direction": direction}
    for activation in ("relu", "erf", "leaky_relu")
    for n_layers in (1, 2, 3)
    for pooling in ("last", "average")
    for direction in ("forward", "both")
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case.values())))
def test_properties_beyond_one_tile(case):
    lengths = np.random.default_rng(1).integers(3, 12, 280)
    X = series(lengths)
    kernel = RNTK(1.3, 0.9, 0.2, 0.4, 1.1, **case)
    K = kernel(X)
    np.testing.assert_array_equal(K, K.T)
    eigenvalues = np.linalg.eigvalsh(K)
    assert eigenvalues[0] > -1e-12 * eigenvalues[-1]
    np.testing.assert_array_equal(kernel.diag(X), np.diag(K))
    order = np.random.default_rng(2).permutation(len(X))
    permuted = kernel([X[i] for i in order])
    np.testing.assert_allclose(permuted, K[np.ix_(order, order)], rtol=1e-11, atol=1e-14)
    some = slice(0, 20)
    between = kernel(X[some], X)
    off = ~np.eye(20, len(X), dtype=bool)
    np.testing.assert_allclose(between[off], K[some][off], rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(kernel(X, X[some]), between.T, rtol=1e-11, atol=1e-14)


def test_equal_lengths_as_a_list_or_an_array_and_one_dimension_written_out():
    X = np.random.default_rng(3).standard_normal((9, 8))
    for kernel in (RNTK(n_layers=2), RNTK(activation="erf"), RNTK(pooling="average")):
        for same in (list(X), X[:, :, None], [x.tolist() for x in X]):
            np.testing.assert_array_equal(kernel(same), kernel(X))


@pytest.mark.parametrize("activation", ["relu", "erf", "leaky_relu"])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_series_with_itself(activation, n_layers):
    """Between two sets there is no common first state, else it is the diagonal."""
    X = series([5, 3, 4], m=2)
    options = {"activation": activation, "n_layers": n_layers}
    kernel = RNTK(1.3, sigma_b=0.1, **options)
    np.testing.assert_allclose(np.diag(kernel(X, X.copy())), kernel.diag(X), rtol=1e-12)
    with_state = RNTK(1.3, sigma_b=0.1, sigma_h=0.6, **options)
    assert (np.diag(with_state(X, X.copy())) < with_state.diag(X)).all()


def test_the_general_loop_at_one_layer_is_the_plain_one():
    X = series(np.random.default_rng(4).integers(2, 9, 40))
    plain, average = RNTK(1.4, sigma_b=0.1, sigma_h=0.2), RNTK(1.4, pooling="average")
    together = list(RNTK.grams([plain, replace(plain, pooling="average")], RNTK.prepare(X)))
    np.testing.assert_allclose(together[0], plain(X), rtol=1e-13)
    deep = RNTK((1.4, 1.0), (1.0, 1.0), (0.0, 0.0), n_layers=2, pooling="average")
    assert np.abs(deep(X) - average(X)).max() > 1e-3


def test_one_sigma_for_all_layers_or_one_per_layer():
    X = series([5, 3, 4])
    for options in ({}, {"activation": "erf"}):
        np.testing.assert_array_equal(
            RNTK(1.3, 0.8, 0.1, **options)(X), RNTK((1.3,), (0.8,), (0.1,), **options)(X)
        )
        np.testing.assert_array_equal(
            RNTK(1.3, 0.8, 0.1, n_layers=2, **options)(X),
            RNTK((1.3, 1.3), (0.8, 0.8), (0.1, 0.1), n_layers=2, **options)(X),
        )


def test_relu_is_homogeneous_in_every_depth():
    X = series([6, 4, 7, 2], m=2)
    for n_layers in (1, 2, 3):
        kernel = RNTK(1.4, 0.7, 0.0, 0.0, n_layers=n_layers)
        np.testing.assert_allclose(kernel([3 * x for x in X]), 9 * kernel(X), rtol=1e-12)
        small = RNTK(1.4, (0.7,) + (1.1,) * (n_layers - 1), 0.25, 0.5, n_layers=n_layers)
        large = RNTK(1.4, (0.7,) + (1.1,) * (n_layers - 1), 2.0, 4.0, n_layers=n_layers)
        np.testing.assert_allclose(large([8 * x for x in X]), 64 * small(X), rtol=1e-13)


def test_backward_is_the_kernel_of_the_reversed_series():
    X = series([6, 4, 7, 2], m=2)
    reversed_ = [x[::-1] for x in X]
    for options in ({}, {"n_layers": 2, "pooling": "average"}, {"activation": "erf"}):
        forward, backward, both = (
            RNTK(1.3, sigma_b=0.1, sigma_h=0.2, direction=direction, **options)
            for direction in ("forward", "backward", "both")
        )
        np.testing.assert_array_equal(backward(X), forward(reversed_))
        np.testing.assert_array_equal(both(X), forward(X) + backward(X))
        np.testing.assert_array_equal(both(X, X[:2]), forward(X, X[:2]) + backward(X, X[:2]))


def test_steps_before_the_shorter_series_count_through_the_variance_only():
    """For the last readout, two sequences of equal variances meet only where both have steps."""
    rng = np.random.default_rng(5)
    end = rng.standard_normal(4)
    x = np.concatenate([rng.standard_normal(3), end])
    flipped = np.concatenate([-x[:3], end])
    y = rng.standard_normal(4)
    for options in ({}, {"n_layers": 2}, {"activation": "erf"}):
        kernel = RNTK(1.2, sigma_b=0.0, **options)
        np.testing.assert_allclose(kernel([x], [y]), kernel([flipped], [y]), rtol=1e-13)
        assert abs(kernel([x], [y])[0, 0] - kernel([end], [y])[0, 0]) > 1e-3


def test_average_is_the_mean_over_prefixes_of_the_last():
    X = np.random.default_rng(6).standard_normal((4, 5))
    last, average = (RNTK(1.3, sigma_b=0.2, sigma_h=0.3, pooling=p) for p in ("last", "average"))
    expected = np.mean([last(X[:, :t]) for t in range(1, 6)], axis=0)
    np.testing.assert_allclose(average(X), expected, rtol=1e-13)


def test_one_pass_gives_the_nngp_kernel_too():
    X, Y = series([5, 3]), series([4, 6, 2], seed=1)
    for options in ({}, {"n_layers": 2, "activation": "erf"}, {"pooling": "average"}):
        kernel, gaussian = RNTK(1.3, sigma_b=0.1, **options), NNGP(1.3, sigma_b=0.1, **options)
        for sets in ((X,), (X, Y)):
            theta, K = kernel.with_nngp(*sets)
            np.testing.assert_allclose(theta, kernel(*sets), rtol=1e-14)
            np.testing.assert_allclose(K, gaussian(*sets), rtol=1e-14)
            for same, other in zip(gaussian.with_nngp(*sets), (theta, K), strict=True):
                np.testing.assert_array_equal(same, other)


def test_grams_share_a_pass_and_keep_their_order():
    kernels = [
        RNTK(w, sigma_b=0.1, pooling=pooling, direction=direction)
        for pooling in ("last", "average")
        for direction in ("forward", "both")
        for w in (1.3, 1.4)
    ]
    X = series([5, 3, 6])
    batches = RNTK.batches(kernels)
    assert sorted(i for batch in batches for i in batch) == list(range(8))
    assert {len(batch) for batch in batches} == {4}
    for batch in batches:
        chosen = [kernels[i] for i in batch]
        for kernel, gram in zip(chosen, RNTK.grams(chosen, RNTK.prepare(X)), strict=True):
            np.testing.assert_allclose(gram, kernel(X), rtol=1e-14)


def test_opposite_series():
    """x and -x have c = -1 at every driven step, where f, h and erf's 1 - c^2 are delicate."""
    x = np.random.default_rng(7).standard_normal(6)
    pair = np.array([x, -x])
    for activation in ("relu", "erf", "leaky_relu"):
        for n_layers in (1, 2):
            for sigma_b in (0.0, 1e-6, 0.3):
                parameters = {"sigma_w": 1.4, "sigma_b": sigma_b, "n_layers": n_layers}
                K = RNTK(activation=activation, **parameters)(pair)
                close(K, definition(pair, activation=activation, **parameters), 1e-10)
    K = RNTK(1.4, activation="erf", n_layers=2)(pair)
    assert K[0, 1] == pytest.approx(-K[0, 0], rel=1e-13)
    alone = RNTK(0.0, 1.0)(np.array([[2.0], [-2.0]]))
    assert alone[0, 1] == 0.0


@pytest.mark.parametrize("difference", [0.0, 1e-12, 1e-6])
def test_near_duplicates_of_any_depth(difference):
    x = np.cumsum(np.random.default_rng(8).standard_normal(9)) / 10
    pair = np.array([x, x + difference * np.sin(np.arange(9))])
    for activation in ("relu", "erf"):
        parameters = {"sigma_w": 1.4, "sigma_b": 0.2, "n_layers": 2}
        K = RNTK(activation=activation, **parameters)(pair)
        close(K, definition(pair, activation=activation, **parameters), 1e-13)


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 30.0, 300.0])
def test_erf_on_small_and_large_series(scale):
    X = [scale * x for x in series([6, 5, 6], seed=9)]
    for parameters in ({"sigma_w": 1.2}, {"sigma_w": 1.2, "sigma_b": 0.1, "n_layers": 2}):
        close(
            RNTK(activation="erf", **parameters)(X),
            definition(X, activation="erf", **parameters),
            1e-10,
        )


def test_erf_beyond_double_precision_is_refused():
    x = np.array([[2.0 * math.sqrt(LARGEST_VARIANCE)]])
    kernel = RNTK(activation="erf")
    for call in (kernel, kernel.diag):
        with pytest.raises(KernelError, match="scale them"):
            call(x)
    assert math.isfinite(kernel(0.4 * x)[0, 0])


@pytest.mark.parametrize("scale", [1e140, 1e-140])
def test_extreme_values_in_two_layers(scale):
    X = [scale * x for x in series([4, 3, 4])]
    parameters = {"sigma_w": 1.4, "n_layers": 2}
    close(RNTK(**parameters)(X), definition(X, **parameters), 1e-12)


def test_leaky_slopes_from_relu_to_the_identity():
    X = series([5, 4, 5])
    np.testing.assert_allclose(RNTK(1.3, activation=LeakyReLU(0.0))(X), RNTK(1.3)(X))
    linear = RNTK(0.8, sigma_b=0.3, activation=LeakyReLU(1.0), n_layers=2)
    operators = (lambda K1, K2, K3: K3), (lambda K1, K2, K3: naive.mpf(1))
    expected = naive.gram(naive.rntk, X, operators=operators, sigma_w=0.8, sigma_b=0.3, n_layers=2)
    close(linear(X), expected)


def test_zero_series_and_zero_steps():
    X = [np.zeros(4), np.array([0.0, 0.0, 1.0]), np.zeros(2), np.array([0.0, 2.0, 0.0, 0.0, 1.0])]
    for parameters in ({"sigma_w": 1.4}, {"sigma_w": 1.4, "sigma_b": (0.0, 0.2), "n_layers": 2}):
        for activation in ("relu", "erf"):
            close(
                RNTK(activation=activation, **parameters)(X),
                definition(X, activation=activation, **parameters),
            )


@pytest.mark.parametrize("size", [1e-320, 1e308])
def test_sizes_beyond_the_range_are_one_sentence_without_warnings(size):
    with pytest.raises(KernelError, match="leaves the range of float64"):
        RNTK(sigma_w=1.4)(size * np.ones((2, 300)))


@pytest.mark.parametrize(
    ("kernel", "T", "warns"),
    [
        (RNTK(1.2, sigma_b=0.1, activation="erf"), 30, False),
        (RNTK(1.8, sigma_b=0.1, activation="erf"), 130, True),
        (RNTK(2.0, sigma_b=0.1, activation="erf"), 90, True),
        (RNTK(1.0, sigma_u=50.0, n_layers=5, activation="erf"), 3, False),
    ],
)
def test_rounding_of_a_chaotic_network_is_estimated_and_told(kernel, T, warns):
    x = np.random.default_rng(0).standard_normal((1, T))
    expected = kernel.diag(x)[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        error = abs(kernel(x, x.copy())[0, 0] - expected)
    assert bool(caught) == warns
    assert all("where these series are nearly equal" in str(each.message) for each in caught)
    bound = kernel.error_bound(x, x.copy())
    assert error <= bound <= 1e5 * max(error, 1e-16 * expected)
    assert kernel.error_bound(np.stack([x[0], -x[0]])) <= bound


def test_relu_has_no_rounding_error_that_grows():
    x = np.random.default_rng(0).standard_normal((1, 500))
    kernel = RNTK(2.0, sigma_b=0.1)
    assert kernel.error_bound(x) == 0.0
    assert kernel(x, x.copy())[0, 0] == pytest.approx(kernel.diag(x)[0], rel=1e-13)
