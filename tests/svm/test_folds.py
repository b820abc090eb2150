import warnings

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from rntk_bench.svm.folds import fold_note, repeated_folds, stratified_folds


@pytest.mark.parametrize("sizes", [(25, 25), (7, 50, 3), (1, 12), (2,) * 20, (100, 1, 1), (4, 3)])
@pytest.mark.parametrize("seed", [0, 1])
def test_folds_are_those_of_scikit_learn_wherever_it_accepts_their_number(sizes, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    n_folds = min(10, max(sizes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of small classes
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(y[:, None], y)
        expected = [held_out for _, held_out in folds]
    fold = stratified_folds(y, 10, seed)
    for q, held_out in enumerate(expected):
        np.testing.assert_array_equal(np.flatnonzero(fold == q), held_out)
    assert fold.max() == n_folds - 1


@pytest.mark.parametrize("sizes", [(25, 25), (7, 50, 3), (1, 12), (100, 1, 1)])
def test_sizes_and_classes_are_even(sizes):
    y = np.random.default_rng(3).permutation(np.repeat(np.arange(len(sizes)), sizes))
    fold = stratified_folds(y, 10, 0)
    assert np.ptp(np.bincount(fold)) <= 1
    for label in range(len(sizes)):
        assert np.ptp(np.bincount(fold[y == label], minlength=10)) <= 1


def test_the_seed_decides():
    y = np.repeat([0, 1], 30)
    np.testing.assert_array_equal(stratified_folds(y, 10, 5), stratified_folds(y, 10, 5))
    assert (stratified_folds(y, 10, 5) != stratified_folds(y, 10, 6)).any()


def test_fewer_members_than_folds():
    fold = stratified_folds(np.array([0, 1, 0, 1, 1, 0, 1]), 10, 0)
    assert set(fold) == set(range(4))
    assert stratified_folds(np.arange(5), 10, 0).tolist() == [0, 1, 2, 3, 4]
    assert stratified_folds(np.array([0]), 10, 0).tolist() == [0]


def test_the_note_says_why_there_are_fewer_folds():
    assert fold_note(10, 10, 50) is None
    assert "has 4 folds" in str(fold_note(4, 10, 7))
    assert "leaves out one at a time" in str(fold_note(5, 10, 5))


def test_the_largest_seed_has_repeats():
    y = np.arange(20) % 2
    folds = repeated_folds(y, 5, 2, 2**32 - 1)
    np.testing.assert_array_equal(folds[0], stratified_folds(y, 5, 2**32 - 1))
    np.testing.assert_array_equal(folds[1], stratified_folds(y, 5, 0))
