import numpy as np
import pytest

from rntk_bench.svm.gram_check import INDEFINITE, OVERFLOWS, VANISHES, invalid_reason


def gram(n=20, seed=0):
    x = np.random.default_rng(seed).standard_normal((n, 5))
    return x @ x.T


@pytest.mark.parametrize("scale", [1e-140, 1.0, 1e140])
def test_the_scale_does_not_matter(scale):
    assert invalid_reason(scale * gram()) is None


def test_a_single_series_and_equal_series_are_valid():
    assert invalid_reason(np.array([[2.0]])) is None
    doubled = np.tile(gram(5), (4, 4))
    doubled[0, 5] = doubled[5, 0] = doubled[0, 0] * (1 + 1e-15)
    assert invalid_reason(doubled) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e160, -1e160])
@pytest.mark.parametrize("place", [(0, 0), (19, 3), (19, 19)])
def test_a_bad_entry_anywhere_overflows(bad, place):
    K = gram()
    K[place] = K[place[::-1]] = bad
    assert invalid_reason(K) == OVERFLOWS


def test_what_has_no_distances_vanishes():
    assert invalid_reason(np.zeros((4, 4))) == VANISHES
    assert invalid_reason(1e-200 * gram()) == VANISHES
    assert invalid_reason(np.full((4, 4), 3.0)) == VANISHES
    assert invalid_reason(1e20 + gram()) == VANISHES  # nothing is left of what it was


def test_negative_distances_beyond_rounding_are_reported():
    K = gram()
    K[3, 4] = K[4, 3] = 0.5 * (K[3, 3] + K[4, 4]) + 0.1
    assert invalid_reason(K) == INDEFINITE


def test_digits_lost_to_a_large_constant_are_reported():
    x = np.repeat(np.random.default_rng(0).standard_normal((3, 5)), 8, axis=0)
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (24, 24))
    for constant, found in ((2.0**10, None), (2.0**35, INDEFINITE), (2.0**45, VANISHES)):
        K = x @ x.T + constant
        K += np.spacing(constant) * (noise + noise.T)  # what a sum of many terms has rounded away
        assert invalid_reason(K) == found


@pytest.mark.parametrize("n", [1, 7, 30])
def test_it_agrees_with_numpy(n):
    for seed in range(20):
        K = gram(n, seed)
        K[0, -1] += np.random.default_rng(seed).choice([0.0, 10.0, 1e-9])
        K[-1, 0] = K[0, -1]
        d = np.diag(K)
        squares = (d[:, None] + d - 2 * K)[np.tril_indices(n, -1)]
        negative = n > 1 and squares.min() < -(2.0**-20) * squares.max()
        assert (invalid_reason(K) == INDEFINITE) == negative
