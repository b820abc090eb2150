import numpy as np
import pytest

from rntk_bench.kernels.recursion.layout import Pairs, TimeMajor
from rntk_bench.kernels.recursion.rntk import LANES
from rntk_bench.kernels.series import read_sequences


def test_the_longest_first_and_the_ends_aligned():
    series = [np.arange(1.0, T + 1)[:, None] for T in (2, 4, 1, 4)]
    laid = TimeMajor.of(series, 5)
    assert laid.steps.shape == (5, 1, LANES)
    np.testing.assert_array_equal(laid.order, [1, 3, 0, 2])
    np.testing.assert_array_equal(laid.lengths, [4, 4, 2, 1])
    np.testing.assert_array_equal(laid.active, [0, 2, 2, 3, LANES])
    np.testing.assert_array_equal(
        laid.steps[:, 0, :4].T, [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 0, 0, 1, 2], [0, 0, 0, 0, 1]]
    )
    np.testing.assert_array_equal(
        laid.steps[:, 0, 4:], laid.steps[:, 0, 3:4].repeat(LANES - 4, axis=1)
    )
    back = laid.reversed.steps[:, 0, :4].T
    np.testing.assert_array_equal(
        back, [[0, 4, 3, 2, 1], [0, 4, 3, 2, 1], [0, 0, 0, 2, 1], [0, 0, 0, 0, 1]]
    )
    np.testing.assert_array_equal(laid.reversed.reversed.steps, laid.steps)


def test_grams_return_to_the_given_order():
    pairs = Pairs.of([[1.0], [1.0, 2.0], [1.0, 2.0, 3.0]], [[1.0, 2.0], [0.5]])
    assert pairs.shape == (3, 2)
    sorted_gram = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(pairs.in_original_order(sorted_gram), [[4, 5], [2, 3], [0, 1]])
    equal = Pairs.of(np.ones((3, 2)))
    assert equal.in_original_order(sorted_gram) is sorted_gram


@pytest.mark.parametrize("given", [np.ones((3, 4)), np.ones((3, 4, 2)), [[1.0], [2.0, 3.0]]])
def test_every_accepted_form_becomes_steps_by_dimensions(given):
    read = read_sequences(given)
    assert [x.shape for x in read] == [
        (len(x), 1 if np.ndim(x) == 1 else np.shape(x)[1]) for x in given
    ]
