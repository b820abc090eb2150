import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rntk_bench import RNTK
from rntk_bench.errors import KernelError
from rntk_bench.kernels.plain import numpy_rntk
from tests import naive

UNIT = np.random.default_rng(0).standard_normal((5, 7))
UNIT /= np.linalg.norm(UNIT, axis=1, keepdims=True)
SIGMAS = {"sigma_w": math.sqrt(2), "sigma_u": 1.0, "sigma_b": 0.1, "sigma_h": 0.5, "sigma_v": 1.0}

# The specification's numbers; its entry (1, 3) is printed as 1.5553329204162072, one digit off.
EXPECTED = (
    *(3.672629626778522, 0.725940487551589, 1.054741191901101, 0.8144141168660445),
    *(1.1988907725948124, 4.35396419913219, 0.9979470380352203, 1.5555329204162072),
    *(1.1309709232660947, 5.158405684358728, 1.1461340653161896, 1.9555699526734138),
    *(4.991156497997426, 1.0123238626248732, 4.970610461396861),
)


def walks(n, T, seed=0):
    """Smooth series, like real ones: near-equal neighbours, correlations up to 1 - 1e-4."""
    X = np.cumsum(np.random.default_rng(seed).standard_normal((n, T)), axis=1)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def close(actual, expected, tolerance):
    """Relative to the diagonal's scale where an entry is small by cancellation of signs."""
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * 1e-2)


def test_the_specifications_numbers():
    K = RNTK(**SIGMAS)(UNIT)
    np.testing.assert_allclose(K[np.triu_indices(5)], EXPECTED, rtol=1e-13)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 9),
    st.sampled_from([1.34, 1.4, math.sqrt(2), 1.47, 0.3, 3.0]),
    st.sampled_from([0.0, 0.01, 0.3, 2.0]),
    st.sampled_from([0.0, 0.01, 0.5, 1.0]),
    st.integers(0, 10**6),
)
def test_equals_the_definition(n, T, sigma_w, sigma_b, sigma_h, seed):
    X = np.random.default_rng(seed).standard_normal((n, T))
    parameters = {"sigma_w": sigma_w, "sigma_b": sigma_b, "sigma_h": sigma_h, "sigma_u": 0.7}
    close(RNTK(**parameters)(X), naive.gram(naive.rntk, X, **parameters), 1e-12)


def test_equals_the_definition_on_smooth_series_and_between_two_sets():
    X, Y = walks(4, 40), walks(3, 40, seed=1)
    for parameters in ({"sigma_w": 1.34}, {"sigma_w": 1.43, "sigma_b": 0.5, "sigma_h": 0.1}):
        kernel = RNTK(**parameters)
        close(kernel(X), naive.gram(naive.rntk, X, **parameters), 1e-12)
        close(kernel(X, Y), naive.gram(naive.rntk, X, Y, **parameters), 1e-12)


@pytest.mark.parametrize(("n", "T"), [(17, 30), (70, 11), (270, 6), (300, 20)])
def test_equals_the_vectorised_recursion_beyond_one_tile(n, T):
    for X in (walks(n, T), np.random.default_rng(n).standard_normal((n, T))):
        for kernel in (RNTK(1.4, 1.0, 0.3, 0.1), RNTK(1.34, 1.0, 0.0, 0.0)):
            actual, expected = kernel(X), numpy_rntk(X, kernel)
            np.fill_diagonal(expected, kernel.diag(X))  # where arccos loses digits
            scale = np.sqrt(np.outer(kernel.diag(X), kernel.diag(X)))
            np.testing.assert_allclose(actual / scale, expected / scale, atol=3e-8)


@pytest.mark.parametrize("difference", [0.0, 1e-12, 1e-9, 1e-6, 1e-3])
def test_near_duplicates_keep_their_digits(difference):
    x = walks(1, 12)[0]
    X = np.array([x, x + difference * np.sin(np.arange(12))])
    parameters = {"sigma_w": 1.42, "sigma_b": 0.2}
    K = RNTK(**parameters)(X)
    np.testing.assert_allclose(K, naive.gram(naive.rntk, X, **parameters), rtol=1e-13)
    if difference == 0.0:
        np.testing.assert_allclose(K[0, 1], K[0, 0], rtol=1e-13)


def test_properties():
    X = np.random.default_rng(3).standard_normal((40, 15))
    kernel = RNTK(1.42, 0.8, 0.2, 0.4, 1.3)
    K = kernel(X)
    np.testing.assert_array_equal(K, K.T)
    eigenvalues = np.linalg.eigvalsh(K)
    assert eigenvalues[0] > -1e-12 * eigenvalues[-1]
    order = np.random.default_rng(4).permutation(40)
    np.testing.assert_allclose(kernel(X[order]), K[np.ix_(order, order)], rtol=1e-12)
    np.testing.assert_array_equal(kernel.diag(X), np.diag(K))
    between = kernel(X, X.copy())
    off = ~np.eye(40, dtype=bool)
    np.testing.assert_allclose(between[off], K[off], rtol=1e-12)
    np.testing.assert_allclose(kernel(X[:7], X), between[:7], rtol=1e-12)


def test_a_series_shares_its_first_state_with_itself_only():
    X = UNIT
    with_state, without = RNTK(1.4, sigma_b=0.1, sigma_h=0.7), RNTK(1.4, sigma_b=0.1)
    assert (np.diag(with_state(X)) > np.diag(with_state(X, X.copy()))).all()
    np.testing.assert_allclose(np.diag(without(X)), np.diag(without(X, X.copy())), rtol=1e-13)
    equal = np.array([X[0], X[0]])
    expected = naive.gram(naive.rntk, equal, sigma_w=1.4, sigma_b=0.1, sigma_h=0.7)
    np.testing.assert_allclose(with_state(equal), expected, rtol=1e-13)


def test_homogeneity_and_scales():
    X = np.random.default_rng(5).standard_normal((6, 9))
    np.testing.assert_allclose(RNTK(1.4)(3 * X), 9 * RNTK(1.4)(X), rtol=1e-13)
    small, large = RNTK(1.4, 1.0, 0.25, 0.5), RNTK(1.4, 1.0, 0.25 * 8, 0.5 * 8)
    np.testing.assert_array_equal(large(8 * X), 64 * small(X))
    np.testing.assert_allclose(RNTK(1.4, sigma_v=3.0)(X), 9 * RNTK(1.4)(X), rtol=1e-14)


@pytest.mark.parametrize("scale", [1e150, 1e-150])
def test_extreme_values_are_right(scale):
    X = scale * UNIT
    parameters = {"sigma_w": 1.4, "sigma_b": 0.1, "sigma_h": 0.2}
    close(RNTK(**parameters)(X), naive.gram(naive.rntk, X, **parameters), 1e-12)
    expected = naive.gram(naive.rntk, X, sigma_w=1.4)
    np.testing.assert_allclose(RNTK(1.4)(X), expected, rtol=1e-12)


def test_leading_and_only_zeros():
    X = np.array([[0, 0, 1.0, 2.0], [0, 0, 0, -1.0], [0, 3.0, 1.0, 1.0], [0, 0, 0, 0]])
    np.testing.assert_allclose(
        RNTK(1.4)(X), naive.gram(naive.rntk, X, sigma_w=1.4), rtol=1e-12, atol=1e-15
    )
    assert not RNTK(1.4)(np.zeros((3, 5))).any()
    assert not RNTK(0.0, 0.0)(UNIT).any()


def test_one_step_and_one_series():
    for X in (np.array([[2.0], [-1.0], [0.5]]), np.array([[1.0, -2.0, 3.0]])):
        expected = naive.gram(naive.rntk, X, sigma_w=1.4, sigma_b=0.3)
        np.testing.assert_allclose(RNTK(1.4, sigma_b=0.3)(X), expected, rtol=1e-13)


def test_an_overflow_names_the_setting():
    for kernel, X in ((RNTK(1.4), 1e200 * UNIT), (RNTK(10.0), np.ones((2, 400)))):
        with pytest.raises(KernelError, match=f"sigma_w={kernel.sigma_w}"):
            kernel(X)
        with pytest.raises(KernelError, match="range of float64"):
            kernel.diag(X)


def test_one_dimension_may_be_written_out():
    np.testing.assert_array_equal(RNTK()(UNIT[:, :, None]), RNTK()(UNIT))


@pytest.mark.parametrize(
    ("X", "named"),
    [
        ([[1.0, math.nan]], "Series 0"),
        ([[1.0, 2.0], [1.0, math.inf]], "Series 1"),
        ([[1.0, 2.0], []], "Series 1 has shape"),
        ([[1.0, 2.0], [[1.0, 2.0]]], "Series 1 has 2 dimensions"),
        ([[1.0, 2.0], ["a", "b"]], "Series 1 must be numbers"),
        ([[1.0], [[1.0], [1.0, 2.0]]], "Series 1 must be numbers"),
        ([], "no series"),
        (np.zeros((0, 3)), "shape"),
        (np.zeros((3, 0)), "shape"),
        (np.zeros(3), "shape"),
    ],
)
def test_bad_series_are_refused(X, named):
    with pytest.raises(KernelError, match=named):
        RNTK()(X)


def test_two_dimensions_are_refused():
    with pytest.raises(KernelError, match="1 and 2 dimensions"):
        RNTK()(UNIT, np.zeros((3, 7, 2)))


@pytest.mark.parametrize(
    "parameter",
    [
        {"n_layers": 0},
        {"n_layers": 1.5},
        {"activation": "swish"},
        {"activation": 3},
        {"pooling": "max"},
        {"direction": "up"},
        {"sigma_w": -1.0},
        {"sigma_w": (1.0, 1.0)},
        {"sigma_u": (1.0, -1.0), "n_layers": 2},
        {"sigma_b": math.nan},
        {"sigma_h": math.inf},
    ],
)
def test_parameters_outside_the_kernel_are_refused_by_name(parameter):
    name = next(iter(parameter))
    with pytest.raises(KernelError, match=name):
        RNTK(**parameter)


@pytest.mark.parametrize("options", [{}, {"pooling": "average"}, {"activation": "tanh"}])
def test_memory_that_was_used_before_causes_no_warnings(options, monkeypatch):
    empty = np.empty

    def used(*args, **kwargs):
        array = empty(*args, **kwargs)
        if array.dtype == np.float64:
            array[...] = np.inf
        return array

    kernel = RNTK(1.4, direction="both", **options)
    expected = kernel(UNIT)
    monkeypatch.setattr(np, "empty", used)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(kernel(UNIT), expected)
