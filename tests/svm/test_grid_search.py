from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from rntk_bench.svm.gram_check import OVERFLOWS, VANISHES
from rntk_bench.svm.grid_search import NOT_EVALUATED, Search


class Prescribed:
    """A cross-validation with known answers; a setting's Gram is its number from 1."""

    def __init__(self, n_correct, sizes, n_repeats=1):
        self.answers, self.fold_sizes = n_correct, np.array(sizes)
        self.n_repeats = n_repeats
        self.options = SimpleNamespace(C=tuple(range(n_correct.shape[1])))
        self.evaluated = 0

    def count_correct(self, gram, folds, n_C):
        self.evaluated += n_C * len(folds)
        part = self.answers[int(gram[0, 0]) - 1][:n_C][:, folds]
        return part, (part == 0).astype(np.int64)


def searched(n_correct, sizes, order=None, prune=True, n_repeats=1):
    search = Search(Prescribed(n_correct, sizes, n_repeats), len(n_correct), prune)
    for setting in range(len(n_correct)) if order is None else order:
        search.evaluate(setting, np.array([[1.0 + setting]]))
    return search


def random_counts(seed, n_settings=40, n_C=5):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 6, size=10)
    quality = rng.uniform(0.3, 1.0, size=(n_settings, n_C, 1))
    return rng.binomial(sizes, quality, size=(n_settings, n_C, 10)), sizes


@pytest.mark.parametrize("n_repeats", [1, 2, 5])
@pytest.mark.parametrize("seed", range(10))
def test_pruning_order_and_threads_change_nothing(seed, n_repeats):
    n_correct, sizes = random_counts(seed)
    full = searched(n_correct, sizes, prune=False, n_repeats=n_repeats)
    np.testing.assert_array_equal(full.n_correct, n_correct)
    pruned = searched(n_correct, sizes, n_repeats=n_repeats)
    order = range(len(n_correct) - 1, -1, -1)
    backwards = searched(n_correct, sizes, order, n_repeats=n_repeats)
    threaded = Search(Prescribed(n_correct, sizes, n_repeats), len(n_correct))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda s: threaded.evaluate(s, np.array([[1.0 + s]])), range(len(n_correct))))
    assert full.choose() == pruned.choose() == backwards.choose() == threaded.choose()
    for other in (backwards, threaded):
        np.testing.assert_array_equal(pruned.n_correct, other.n_correct)
        assert pruned.unfinished_settings == other.unfinished_settings
    kept = pruned.n_correct
    np.testing.assert_array_equal(kept[kept >= 0], n_correct[kept >= 0])
    assert pruned.validation.evaluated < full.validation.evaluated


@pytest.mark.parametrize("seed", range(5))
def test_chunks_searched_elsewhere_give_the_same_as_one_search(seed):
    n_correct, sizes = random_counts(seed)
    whole = searched(n_correct, sizes)
    merged = Search(Prescribed(n_correct, sizes), len(n_correct))
    order, best, evaluated = np.random.default_rng(seed).permutation(len(n_correct)), 0, 0
    for settings in np.split(order, 8):
        # Each knows of the best score of those before it, and of nothing else.
        search = Search(Prescribed(n_correct, sizes), len(n_correct), best=best)
        for setting in settings:
            search.evaluate(setting, np.array([[1.0 + setting]]))
        part = search.partial_result(settings.tolist())
        merged.merge(part)
        best, evaluated = part.best, evaluated + search.validation.evaluated
    assert merged.choose() == whole.choose()
    np.testing.assert_array_equal(merged.n_correct, whole.n_correct)
    assert merged.unfinished_settings == whole.unfinished_settings
    assert merged.invalid_reasons == whole.invalid_reasons
    assert evaluated < n_correct.size


@pytest.mark.parametrize("seed", range(5))
def test_the_choice_is_the_best_exact_mean(seed):
    n_correct, sizes = random_counts(seed, n_settings=6)
    choice = searched(n_correct, sizes).choose()
    means = {
        (c, s): sum(Fraction(int(h), int(n)) for h, n in zip(n_correct[s, c], sizes, strict=True))
        for s in range(6)
        for c in range(5)
    }
    best = max(means.values())
    tied = sorted(key for key, mean in means.items() if mean == best)
    assert (choice.C, choice.setting) == tied[0]
    assert choice.ties == len(tied)
    assert choice.accuracy == pytest.approx(float(best / 10))


def test_ties_go_to_the_smallest_cost_then_to_the_first_setting():
    n_correct = np.zeros((3, 2, 2), dtype=int)
    n_correct[0, 1] = n_correct[1, 0] = n_correct[2, 0] = [3, 3]
    choice = searched(n_correct, [3, 3]).choose()
    assert (choice.setting, choice.C, choice.ties) == (1, 0, 3)


def test_unequal_folds_have_equal_weights():
    # 1/3 + 1 ties with 1 + 1/3 of another pair of folds, but not with more predictions right.
    n_correct = np.array([[[1, 4]], [[3, 1]]])
    choice = searched(n_correct, [3, 4]).choose()
    assert choice.setting == 0
    assert choice.accuracy == pytest.approx((1 / 3 + 1) / 2)
    assert choice.ties == 1


def test_unusable_settings_are_never_chosen():
    n_correct = np.full((2, 1, 2), 2)
    search = Search(Prescribed(n_correct, [2, 2]), 3)
    search.evaluate(0, np.array([[np.nan]]))
    search.evaluate(1, np.array([[2.0]]))
    search.evaluate(2, np.array([[0.0]]))
    assert search.choose().setting == 1
    assert search.invalid_reasons == {0: OVERFLOWS, 2: VANISHES}
    assert (search.n_correct[[0, 2]] == NOT_EVALUATED).all()


def test_nothing_usable_is_an_error():
    search = Search(Prescribed(np.zeros((1, 1, 2), dtype=int), [2, 2]), 1)
    search.evaluate(0, np.array([[np.nan]]))
    with pytest.raises(ValueError, match="usable"):
        search.choose()


@pytest.mark.parametrize("right", [0, 2, 3])
def test_where_all_tie_the_default_is_taken_with_the_middle_cost(right):
    n_correct = np.full((4, 5, 2), right)
    for prune in (True, False):
        choice = searched(n_correct, [3, 3], prune=prune).choose(default=2)
        assert (choice.setting, choice.C, choice.ties) == (2, 2, 20)
        assert choice.by_default
        assert choice.accuracy == pytest.approx(right / 3)
    first = searched(n_correct, [3, 3]).choose()
    assert (first.setting, first.C, first.by_default) == (0, 0, False)


def test_the_middle_of_an_even_number_of_costs_is_the_smaller():
    assert searched(np.zeros((3, 4, 2), dtype=int), [3, 3]).choose(default=1).C == 1


def test_one_right_prediction_more_is_a_choice():
    n_correct = np.zeros((4, 5, 2), dtype=int)
    n_correct[3, 4, 1] = 1
    choice = searched(n_correct, [3, 3]).choose(default=2)
    assert (choice.setting, choice.C, choice.by_default) == (3, 4, False)
    n_correct[:3] = n_correct[3] = [0, 1]
    n_correct[0, 0] = 0
    assert not searched(n_correct, [3, 3]).choose(default=2).by_default


def test_a_single_pair_is_no_tie():
    assert not searched(np.zeros((1, 1, 2), dtype=int), [3, 3]).choose(default=0).by_default


def test_a_default_that_cannot_be_used_leaves_the_first_that_can():
    search = Search(Prescribed(np.zeros((4, 3, 2), dtype=int), [2, 2]), 4)
    for setting, entry in enumerate([0.0, 2.0, np.nan, 4.0]):
        search.evaluate(setting, np.array([[entry]]))
    choice = search.choose(default=2)
    assert (choice.setting, choice.C, choice.ties, choice.by_default) == (1, 1, 6, True)
