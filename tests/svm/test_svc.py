"""The solver against scikit-learn's SVC, which is LIBSVM."""

from multiprocessing.pool import ThreadPool

import numpy as np
import pytest
from sklearn.svm import SVC

from rntk_bench import RNTK
from rntk_bench.datasets import InputScaling, load_dataset
from rntk_bench.errors import InputError
from rntk_bench.svm import one_vs_one, smo
from rntk_bench.svm.folds import stratified_folds
from rntk_bench.svm.svc import (
    CrossValidation,
    OneVsOneSVC,
    SVCOptions,
    classify,
    held_out_decision_values,
)
from tests.paths import shared

OPTIONS = SVCOptions()
BUNDLED = ["Coffee", "GunPoint", "ArrowHead", "ItalyPowerDemand"]
OTHERS = [
    *("ECG200", "Meat", "UMD", "Lightning7", "SmoothSubspace", "DistalPhalanxTW"),
    *("Herring", "Ham", "SyntheticControl", "MiddlePhalanxOutlineAgeGroup"),
]


def assert_same_predictions(ours, gram, y, query, C):
    """Equal to SVC's, but where a pairwise decision is zero to within both solvers' tolerance."""
    theirs = SVC(C=C, kernel="precomputed").fit(gram, y).predict(query.T)
    differing = np.flatnonzero(ours != theirs)
    if len(differing):
        exact = SVC(C=C, kernel="precomputed", tol=1e-8, decision_function_shape="ovo")
        decisions = exact.fit(gram, y).decision_function(query.T[differing])
        assert (np.abs(decisions.reshape(len(differing), -1)).min(axis=1) < 2e-3).all()
    return len(differing)


def training_set(name):
    folder = shared("ucr", name).parent if name in OTHERS else None
    dataset = load_dataset(name, data_dir=folder, download=False)
    order = np.argsort(dataset.y_train, kind="stable")
    scaling = InputScaling("unit-norm")
    X, Z = scaling(dataset.X_train)[order], scaling(dataset.X_test)[:100]
    return X, dataset.y_train[order], Z


@pytest.mark.parametrize("name", [*BUNDLED, *OTHERS])
def test_predictions_equal_scikit_learns_on_real_data(name):
    X, y, Z = training_set(name)
    differing = 0
    for kernel in (RNTK(1.34, sigma_b=0.0), RNTK(1.41, sigma_b=0.2), RNTK(1.47, sigma_b=2.0)):
        gram, query = kernel(X), kernel(X, Z)
        for C in OPTIONS.C:
            ours, unfinished = classify(gram, y, query, C, OPTIONS)
            assert unfinished == 0
            differing += assert_same_predictions(ours, gram, y, query, C)
    assert differing <= 0.005 * 15 * len(Z)


def random_problem(n_classes, per_class, seed, n_query=30):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), per_class)
    centres = rng.standard_normal((n_classes, 4))
    X = centres[y] + rng.standard_normal((len(y), 4))
    Z = centres[rng.integers(n_classes, size=n_query)] + rng.standard_normal((n_query, 4))
    return y, X @ X.T + 0.1, X @ Z.T + 0.1


@pytest.mark.parametrize(("n_classes", "per_class"), [(2, 3), (2, 40), (3, 11), (7, 9), (50, 4)])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_predictions_equal_scikit_learns_on_random_grams(n_classes, per_class, scale):
    y, gram, query = random_problem(n_classes, per_class, seed=n_classes)
    gram, query = scale * (gram + 0.5 * np.eye(len(y))), scale * query
    for C in OPTIONS.C:
        ours, _ = classify(gram, y, query, C, OPTIONS)
        assert assert_same_predictions(ours, gram, y, query, C) <= 1


def test_degenerate_grams():
    y = np.array([0, 0, 0, 1, 1, 2])
    for gram in (np.ones((6, 6)), np.zeros((6, 6)), np.eye(6), np.eye(6)[:, [0, 0, 2, 3, 3, 5]]):
        gram = gram @ gram.T
        for C in (0.01, 1.0, 100.0):
            ours, _ = classify(gram, y, gram, C, OPTIONS)
            theirs = SVC(C=C, kernel="precomputed").fit(gram, y).predict(gram)
            np.testing.assert_array_equal(ours, theirs)


def n_correct_from_cold_start(gram, y, fold, options):
    n_correct = np.zeros((len(options.C), fold.max() + 1), dtype=int)
    for q in range(fold.max() + 1):
        a, b = np.flatnonzero(fold != q), np.flatnonzero(fold == q)
        for c, C in enumerate(options.C):
            if len(set(y[a])) == 1:
                predicted = np.full(len(b), y[a][0])
            else:
                model = SVC(C=C, kernel="precomputed").fit(gram[np.ix_(a, a)], y[a])
                predicted = model.predict(gram[np.ix_(b, a)])
            n_correct[c, q] = (predicted == y[b]).sum()
    return n_correct


@pytest.mark.parametrize("sizes", [(30, 25), (13, 1, 20), (1, 14), (12, 3, 3, 2)])
def test_cross_validation_equals_scikit_learns_also_where_a_fold_lacks_a_class(sizes):
    rng = np.random.default_rng(sum(sizes))
    y = np.repeat(np.arange(len(sizes)), sizes)
    X = rng.standard_normal((len(y), 3)) + y[:, None]
    gram = X @ X.T + 1.0
    fold = stratified_folds(y, 10, 0)
    validation = CrossValidation(y, fold, OPTIONS)
    n_correct, unfinished = validation.count_correct(gram, np.arange(10), 5)
    np.testing.assert_array_equal(n_correct, n_correct_from_cold_start(gram, y, fold, OPTIONS))
    assert not unfinished.any()
    # What pruning relies on: any folds and any first values of C are part of the whole.
    part, _ = validation.count_correct(gram, np.array([2, 3, 7]), 2)
    np.testing.assert_array_equal(part, n_correct[:2, [2, 3, 7]])


@pytest.mark.parametrize("sizes", [(30, 25), (13, 1, 20), (12, 3, 3, 2)])
def test_what_earlier_grams_left_in_memory_does_not_matter(sizes, monkeypatch):
    """The arrays that Grams share hold no number when they are new, and one Gram's at the next."""
    rng = np.random.default_rng(sum(sizes))
    y = np.repeat(np.arange(len(sizes)), sizes)
    X = rng.standard_normal((20, len(y), 3)) + y[:, None]
    grams = list(X @ X.swapaxes(1, 2) + 1.0)
    fold, folds = stratified_folds(y, 5, 0), np.arange(5)
    expected = [
        CrossValidation(y, fold, OPTIONS).count_correct(gram, folds, 5)[0] for gram in grams
    ]
    new_buffers = one_vs_one.pair_buffers
    made = []

    def unusable_buffers(y):
        made.append(np.full_like(new_buffers(y), np.nan))
        return made[-1]

    monkeypatch.setattr(one_vs_one, "pair_buffers", unusable_buffers)
    validation = CrossValidation(y, fold, OPTIONS)
    with ThreadPool(3) as pool:
        found = pool.map(lambda gram: validation.count_correct(gram, folds, 5)[0], grams)
    np.testing.assert_array_equal(found, expected)
    assert len(made) <= 3


def dual(gram, y, C):
    """Beta and f of one pair problem, by the compiled solver from a cold start."""
    sign = np.where(y == 0, 1.0, -1.0)
    lower, upper = np.minimum(C * sign, 0.0), np.maximum(C * sign, 0.0)
    beta, f = np.zeros(len(y)), sign.copy()
    up, down = np.where(upper > 0, 0.0, -np.inf), np.where(lower < 0, 0.0, -np.inf)
    diagonal = np.diag(gram)
    curvature = diagonal[:, None] + diagonal - 2 * gram
    gain = 1 / np.where(curvature > 0, curvature, smo.TAU)
    never = np.zeros(1, dtype=bool)
    steps = smo._solve(gram, gain, beta, f, lower, upper, up, down, 1e-3, 10**6, never)
    return beta, f, sign, up, down, steps


@pytest.mark.parametrize("C", OPTIONS.C)
def test_the_dual_is_feasible_and_optimal_within_tolerance(C):
    y, gram, _ = random_problem(2, 40, seed=3)
    beta, f, sign, up, down, steps = dual(gram, y, C)
    alpha = beta * sign
    assert 0 < steps < 10**6
    assert (alpha >= 0).all()
    assert (alpha <= C).all()
    assert abs(beta.sum()) < 1e-10 * C
    np.testing.assert_allclose(f, sign - gram @ beta, atol=1e-8)
    assert (f + up).max() - (f - down).min() < 1e-3

    def objective(beta, alpha):
        return alpha.sum() - 0.5 * beta @ gram @ beta

    exact = SVC(C=C, kernel="precomputed", tol=1e-9).fit(gram, y)
    theirs = np.zeros(len(y))
    theirs[exact.support_] = exact.dual_coef_[0]
    best = objective(theirs, np.abs(theirs))
    assert objective(beta, alpha) == pytest.approx(best, abs=1e-3 * alpha.sum() + 1e-12)


def test_a_bound_on_steps_is_counted():
    y, gram, query = random_problem(3, 20, seed=4)
    _, unfinished = classify(gram, y, query, 100.0, SVCOptions(max_iterations=3))
    assert unfinished == 3


def test_votes_are_counted_and_ties_go_to_the_first_class():
    votes = np.array([[[1, 0, 2], [1, 2, 0], [1, 2, 2]]], dtype=np.int32)
    np.testing.assert_array_equal(one_vs_one.predict_from_votes(votes), [[0, 1, 0]])


@pytest.mark.parametrize(("n_classes", "per_class"), [(2, 40), (3, 11), (7, 9)])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_machines_decide_as_scikit_learns_svc_does(n_classes, per_class, C):
    y, gram, query = random_problem(n_classes, per_class, seed=n_classes)
    gram += 0.5 * np.eye(len(y))  # of full rank, so that the solution is one
    options = SVCOptions(tolerance=1e-8)
    svc = OneVsOneSVC.train(gram, y, C, options)
    theirs = SVC(C=C, kernel="precomputed", tol=1e-8, decision_function_shape="ovo").fit(gram, y)
    decisions = svc.decision_values(query)
    expected = theirs.decision_function(query.T).reshape(30, -1).T
    sign = -1.0 if n_classes == 2 else 1.0  # of two classes SVC's is that of the second
    np.testing.assert_allclose(decisions, sign * expected, atol=1e-5)
    np.testing.assert_array_equal(svc.predicted_classes(decisions), theirs.predict(query.T))
    if n_classes > 2:
        theirs.decision_function_shape = "ovr"
        scores = svc.one_vs_rest_scores(decisions)
        np.testing.assert_allclose(scores, theirs.decision_function(query.T), atol=1e-5)


def test_held_out_decision_values_are_those_of_machines_trained_without_the_fold():
    y, gram, _ = random_problem(3, 11, seed=1)
    fold = np.arange(33) % 4
    fold[y == 2] = 0  # fold 0 leaves none of the last class
    found = held_out_decision_values(gram, y, fold, 1.0, OPTIONS)
    for q in range(1, 4):
        a, b = np.flatnonzero(fold != q), np.flatnonzero(fold == q)
        svc = OneVsOneSVC.train(gram[np.ix_(a, a)], y[a], 1.0, OPTIONS)
        np.testing.assert_allclose(found[:, b], svc.decision_values(gram[np.ix_(a, b)]), atol=1e-12)
    np.testing.assert_array_equal(found[1:, fold == 0], 1.0)  # (0, 2) and (1, 2)


def test_more_series_than_the_solver_can_number_are_refused(monkeypatch):
    monkeypatch.setattr(smo, "MAX_SERIES", 8)
    options = SVCOptions()
    y = np.repeat([0, 1, 2], [3, 4, 4])  # 11 series, but at most 8 in a pair of classes
    CrossValidation(y, np.arange(11) % 3, options)
    y = np.repeat([0, 1, 2], [5, 1, 4])
    with pytest.raises(InputError, match="has 9 training series in its two largest classes"):
        CrossValidation(y, np.arange(10) % 3, options)
    with pytest.raises(InputError, match="take at most 8;"):
        OneVsOneSVC.train(np.eye(10), y, 1.0, options)
