import numpy as np
import pytest

from rntk_bench.networks.early_stopping import NO_EPOCH, NetworkSearch, stopped_epochs
from tests import naive_networks


def search_all(curves, sizes, prune=True):
    """Add curves[setting][fold], all of them."""
    search = NetworkSearch(np.array(sizes), len(curves), prune)
    for fold in range(len(sizes)):
        for setting, row in enumerate(curves):
            search.add(setting, fold, row[fold])
    return search


def test_the_best_mean_of_best_accuracies_wins_and_ties_go_to_the_first():
    curves = [[[1, 2], [1]], [[3, 1], [0, 2, 1]], [[0, 3], [2]]]
    choice = search_all(curves, [4, 3]).choose()
    assert (choice.setting, choice.ties) == (1, 2)
    assert choice.accuracy == pytest.approx((3 / 4 + 2 / 3) / 2)
    assert choice.best_epochs == [1, 2]
    assert choice.n_epochs == 2  # 1.5, half up


def test_folds_of_different_sizes_are_compared_exactly():
    # 1/3 + 2/3 and 2/3 + 1/3 with sizes 3 and 6: floats need not agree, integers do.
    assert search_all([[[1], [4]], [[2], [2]]], [3, 6]).choose().ties == 2


def test_a_fold_that_diverged_in_its_first_epoch_scores_nothing():
    choice = search_all([[[], [2]], [[1], [0]]], [2, 2]).choose()
    assert (choice.setting, choice.best_epochs, choice.n_epochs) == (0, [0, 1], 1)
    with pytest.raises(ValueError, match="no run"):
        search_all([[[], []]], [2, 2]).choose()
    # Nothing right is still better than nothing trained.
    assert search_all([[[], []], [[0], [0]]], [2, 2]).choose().setting == 1


def test_n_correct_holds_the_curves():
    n_correct = search_all([[[1, 2], [1]], [[0], []]], [2, 2], prune=False).n_correct
    np.testing.assert_array_equal(n_correct[0], [[1, 2], [1, NO_EPOCH]])
    np.testing.assert_array_equal(n_correct[1], [[0, NO_EPOCH], [NO_EPOCH, NO_EPOCH]])


def test_the_upper_bound_counts_unknown_predictions_as_correct():
    search = NetworkSearch(np.array([2, 2, 4]), 2)
    assert search.upper_bound(0, 0) == 12
    search.add(0, 0, [2])
    search.add(0, 1, [2])
    search.add(0, 2, [1])
    assert search.best_accuracy == pytest.approx((1 + 1 + 1 / 4) / 3)
    search.add(1, 0, [1])
    assert search.upper_bound(1, 1) == 10
    search.add(1, 1, [0])
    assert search.upper_bound(1, 2) is None
    # The folds after one do not count towards it: what is needed must not depend on the order.
    assert search.upper_bound(1, 1) == 10


@pytest.mark.parametrize("seed", range(20))
def test_pruning_in_any_order_changes_neither_the_choice_nor_the_report(seed):
    rng = np.random.default_rng(seed)
    n_settings, sizes = 8, rng.integers(2, 6, 5)
    curves = [
        [list(rng.integers(size // 2, size + 1, rng.integers(1, 5))) for size in sizes]
        for _ in range(n_settings)
    ]
    every = search_all(curves, sizes, prune=False).choose()
    reported = []
    for _ in range(3):
        search = NetworkSearch(sizes, n_settings)
        waiting = dict.fromkeys(range(n_settings), 0)
        while waiting:
            setting = int(rng.choice(list(waiting)))
            fold = waiting[setting]
            if fold == len(sizes) or search.upper_bound(setting, fold) is None:
                del waiting[setting]
                continue
            search.add(setting, fold, curves[setting][fold])
            waiting[setting] += 1
        assert search.choose() == every
        reported.append(search.n_correct)
    np.testing.assert_array_equal(reported[0], reported[1])
    np.testing.assert_array_equal(reported[0], reported[2])
    needed = search.needed
    assert (needed[:, :-1] >= needed[:, 1:]).all()


def test_if_all_tie_the_default_is_chosen_and_without_a_correct_prediction_all_epochs():
    never = search_all([[[0, 0], [0]], [[0], [0]], [[0, 0], [0]]], [2, 2])
    choice = never.choose(default=2, max_epochs=9)
    assert (choice.setting, choice.ties, choice.n_epochs, choice.by_default) == (2, 3, 9, True)
    always = search_all([[[2], [2]], [[1, 2], [2]], [[0, 2], [0, 2]]], [2, 2])
    choice = always.choose(default=1, max_epochs=9)
    assert (choice.setting, choice.n_epochs, choice.by_default) == (1, 2, True)
    decided = search_all([[[0], [1]], [[0], [0]]], [2, 2]).choose(default=1, max_epochs=9)
    assert (decided.setting, decided.n_epochs, decided.by_default) == (0, 1, False)


def test_settings_that_never_trained_do_not_count_as_tied():
    choice = search_all([[[], []], [[0], [0]], [[0], [0]]], [2, 2]).choose(default=0)
    assert (choice.setting, choice.ties, choice.by_default) == (1, 2, True)


@pytest.mark.parametrize("criterion", ["accuracy", "strict-accuracy", "loss"])
@pytest.mark.parametrize("seed", range(30))
def test_stopped_epochs_of_a_whole_curve(criterion, seed):
    rng = np.random.default_rng(seed)
    n, patience, length = 6, int(rng.integers(1, 6)), int(rng.integers(1, 40))
    n_correct = rng.integers(0, n + (seed % 2), length).tolist()
    losses = (rng.integers(0, 8, length) / 8).tolist()
    expected = naive_networks.stopped_epochs(n_correct, losses, n, patience, criterion)
    assert stopped_epochs(n_correct, losses, n, patience, criterion) == expected
    assert stopped_epochs([], [], n, patience, criterion) == (0, 0)


def test_the_best_fold_has_the_best_accuracy_then_the_smaller_loss_then_comes_first():
    search = NetworkSearch(np.array([4, 2, 2, 4, 4]), 1)
    for fold, (n_correct, loss) in enumerate([(3, 0.1), (1, 0.0), (2, 0.5), (4, 0.3), (4, 0.3)]):
        search.add(0, fold, [0, n_correct], 2, loss)
    choice = search.choose()
    assert (choice.best_fold, choice.best_epochs) == (3, [2] * 5)
    np.testing.assert_array_equal(search.best_epochs, [[2] * 5])


def test_a_fold_without_a_network_is_not_the_best():
    search = search_all([[[], [0]]], [2, 2])
    assert search.choose().best_fold == 1


def test_a_runs_score_is_that_of_its_best_epoch():
    search = NetworkSearch(np.array([4]), 2)
    search.add(0, 0, [4, 1], 2, 0.1)  # the smaller loss was the criterion
    search.add(1, 0, [2, 3], 2, 0.2)
    choice = search.choose()
    assert (choice.setting, choice.accuracy) == (1, 3 / 4)
    assert [search.may_be_chosen(setting) for setting in (0, 1)] == [False, True]
