import numpy as np
import pytest

from rntk_bench.deadline import Deadline, TimeLimitError
from rntk_bench.networks.compiled.runs import logits_on_test, train_final, train_one
from rntk_bench.networks.cross_validation import Training
from rntk_bench.networks.models import RNN_CELLS, Classifier
from rntk_bench.networks.series import pad_series
from tests import naive_networks
from tests.networks.problems import (
    CRITERIA,
    NETWORK,
    OPTIONS,
    assert_close,
    by_loops,
    leaves,
    problem,
)


@pytest.fixture(scope="module")
def training():
    return problem()


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize(("rate", "fold", "clip"), [(0.01, 1, None), (0.03, 2, 0.5)])
def test_a_run_agrees_with_plain_loops_and_returns_the_best_epochs_weights(
    criterion, rate, fold, clip
):
    training = problem(options=OPTIONS._replace(criterion=criterion, clip=clip))
    curve, weights = train_one(training, NETWORK, fold, rate)
    n_correct, losses, parameters = by_loops(training, NETWORK, training.run(fold, rate), fold)
    assert len(set(n_correct)) > 1  # it learns something
    n_held_out = int((training.fold == fold).sum())
    epochs, best = naive_networks.stopped_epochs(n_correct, losses, n_held_out, 3, criterion)
    assert (len(curve.n_correct), curve.best_epoch) == (epochs, best)
    assert curve.n_correct == n_correct[:epochs]
    assert curve.loss == pytest.approx(losses[best - 1], rel=1e-3)
    assert not curve.diverged
    assert_close(weights, parameters[best - 1])


def test_training_on_the_whole_set_returns_the_last_epochs_weights(training):
    final = train_final(training, NETWORK, 0.01, 4)
    assert (final.epochs, final.diverged) == (4, False)
    run = training.final_run(0.01, 4)
    _, _, parameters = by_loops(training, NETWORK, run, training.n_folds)
    assert_close(final.weights, parameters[3])


def test_a_final_training_that_diverges_keeps_the_weights_before(training):
    final = train_final(training, NETWORK, 1e30, 4)
    assert final.diverged
    assert final.epochs < 4
    assert all(np.isfinite(leaf).all() for leaf in leaves(final.weights))


def test_divergence_ends_a_run_and_the_weights_before_it_are_returned(training):
    curve, weights = train_one(training, NETWORK, 0, 1e30)
    assert curve.diverged
    assert len(curve.n_correct) < 12
    for leaf in leaves(weights):
        assert np.isfinite(leaf).all()


@pytest.mark.parametrize("seed", range(3))
def test_patience_allows_learning_that_starts_late(seed):
    """The first step determines the class; for twenty epochs and more all predictions are equal."""
    rng, n = np.random.default_rng(seed), 40
    y = np.arange(n) % 2
    X = 0.1 * rng.standard_normal((n, 10))
    X[:, 0] += 2 * y - 1
    fold, network = np.arange(n) // 2 % 4, Classifier("gru", 16, 1, 1, 2)

    def best(criterion, patience):
        options = OPTIONS._replace(patience=patience, criterion=criterion)
        curve = train_one(
            Training(pad_series(X, y, 2), fold, options, 8, 100, seed), network, 0, 1e-3
        )[0]
        return curve.n_correct[curve.best_epoch - 1]

    assert best("strict-accuracy", 5) == 5  # of 10, chance
    assert best("accuracy", 20) == 10


@pytest.mark.parametrize("cell", RNN_CELLS)
def test_every_kind_of_network_learns_an_easy_problem(cell):
    """Rising and falling lines in a little noise; a margin is left for every trajectory."""
    rng, n = np.random.default_rng(0), 40
    y = np.arange(n) % 2
    X = (2 * y - 1)[:, None] * np.linspace(-1, 1, 10) + 0.2 * rng.standard_normal((n, 10))
    options = OPTIONS._replace(patience=60)
    training = Training(pad_series(X, y, 2), np.arange(n) // 2 % 4, options, 8, 60, 0)
    curve = train_one(training, Classifier(cell, 16, 1, 1, 2), 0, 3e-3).curve
    assert max(curve.n_correct) >= 9  # of 10


@pytest.mark.parametrize("cell", RNN_CELLS)
def test_logits_on_test_are_those_of_plain_loops(cell):
    rng, network = np.random.default_rng(1), Classifier(cell, 5, 2, 2, 4)
    X = [rng.standard_normal((T, 2)) for T in rng.integers(1, 9, 35)]
    parameters = network.initial(rng)
    test = pad_series(X, np.zeros(35, int), 3)
    [found] = logits_on_test(network, [parameters], test, 35)
    expected = [naive_networks.logits(network, parameters, x)[:3] for x in X]
    np.testing.assert_allclose(found[:, :3], expected, rtol=1e-4, atol=1e-5)
    assert (found[:, 3] == -1e30).all()  # a class that does not occur


def test_a_deadline_ends_training_and_tests(training):
    parameters = training.initial(NETWORK, 0)
    with Deadline(0.0) as deadline:
        deadline.stop[0] = True
        for late in (
            lambda: train_one(training, NETWORK, 0, 0.01),
            lambda: train_final(training, NETWORK, 0.01, 4),
            lambda: logits_on_test(NETWORK, [parameters], training.series, 23),
        ):
            with pytest.raises(TimeLimitError):
                late()
