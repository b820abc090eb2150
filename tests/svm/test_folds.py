import numpy as np
import pytest

from rntk_bench.svm.folds import stratified_folds


@pytest.mark.parametrize("sizes", [(25, 25), (7, 50, 3), (1, 12), (2,) * 20, (100, 1, 1)])
@pytest.mark.parametrize("seed", [0, 1])
def test_sizes_and_classes_are_even(sizes, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    fold = stratified_folds(y, 10, seed)
    assert set(fold) == set(range(10))
    assert np.ptp(np.bincount(fold)) <= 1
    for label in range(len(sizes)):
        assert np.ptp(np.bincount(fold[y == label], minlength=10)) <= 1


def test_the_seed_decides():
    y = np.repeat([0, 1], 30)
    np.testing.assert_array_equal(stratified_folds(y, 10, 5), stratified_folds(y, 10, 5))
    assert (stratified_folds(y, 10, 5) != stratified_folds(y, 10, 6)).any()


def test_fewer_series_than_folds_are_left_out_one_by_one():
    assert sorted(stratified_folds(np.array([0, 1, 0, 1, 1, 0]), 10, 0)) == list(range(6))
