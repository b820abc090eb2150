import numpy as np
import pytest

from rntk_bench.svm.folds import repeated_folds, stratified_folds
from rntk_bench.svm.gram_check import VANISHES
from rntk_bench.svm.gram_scale import gram_divisor
from rntk_bench.svm.grid_search import Search
from rntk_bench.svm.options import SVCOptions
from rntk_bench.svm.svc import CrossValidation, RepeatedCrossValidation

Y = np.repeat([0, 1, 2], 8)
RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((24, 5)) + Y[:, None]
GRAM = FEATURES @ FEATURES.T


def test_the_divisor_is_the_mean_diagonal_of_the_centred_gram():
    centred = FEATURES - FEATURES.mean(axis=0)
    assert gram_divisor(GRAM, "centred") == pytest.approx(np.mean(np.diag(centred @ centred.T)))
    assert gram_divisor(GRAM, "none") == 1.0
    assert gram_divisor(np.full((3, 3), 2.0), "centred") == 0.0


def search(grams, gram_scale):
    validation = RepeatedCrossValidation(Y, repeated_folds(Y, 4, 2, 0), SVCOptions())
    result = Search(validation, len(grams), prune=False, gram_scale=gram_scale)
    for setting, gram in enumerate(grams):
        result.evaluate(setting, gram)
    return result


def test_a_centred_scale_makes_multiples_of_a_kernel_the_same():
    grams = [GRAM, 1e6 * GRAM, 1e-6 * GRAM]
    before = [gram.copy() for gram in grams]
    scaled, as_they_are = (search(grams, scale).n_correct for scale in ("centred", "none"))
    assert (scaled == scaled[:1]).all()
    assert (as_they_are != as_they_are[:1]).any()
    divided = search([GRAM / gram_divisor(GRAM, "centred")], "none").n_correct
    np.testing.assert_array_equal(scaled[:1], divided)
    for gram, copy in zip(grams, before, strict=True):
        np.testing.assert_array_equal(gram, copy)


def test_a_gram_without_differences_is_unusable():
    assert search([np.full((24, 24), 3.0), GRAM], "centred").invalid_reasons == {0: VANISHES}


def test_repeated_folds_are_those_of_consecutive_seeds():
    folds = repeated_folds(Y, 5, 3, 7)
    for fold, seed in zip(folds, (7, 8, 9), strict=True):
        np.testing.assert_array_equal(fold, stratified_folds(Y, 5, seed))


@pytest.mark.parametrize("n_folds", [2, 5, 8])
def test_repeated_cross_validations_are_those_of_each_repeat(n_folds):
    folds, options = repeated_folds(Y, n_folds, 3, 0), SVCOptions()
    assert all(len(set(fold)) == n_folds for fold in folds)
    together = RepeatedCrossValidation(Y, folds, options)
    every = np.arange(3 * n_folds)
    n_correct, unfinished = together.count_correct(GRAM, every, 4)
    separate = [
        CrossValidation(Y, fold, options).count_correct(GRAM, np.arange(n_folds), 4)
        for fold in folds
    ]
    np.testing.assert_array_equal(n_correct, np.hstack([each[0] for each in separate]))
    np.testing.assert_array_equal(unfinished, np.hstack([each[1] for each in separate]))
    some = every[1::3]
    np.testing.assert_array_equal(together.count_correct(GRAM, some, 4)[0], n_correct[:, some])
    assert together.fold_sizes.sum() == 3 * len(Y)
