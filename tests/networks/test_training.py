from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rntk_bench.networks.cross_validation import Training, train_final, train_many, train_one
from rntk_bench.networks.models import RNN_CELLS, Classifier
from rntk_bench.networks.series import pad_series
from rntk_bench.networks.training import (
    TrainingOptions,
    Validation,
    advance_one,
    class_logits,
    initial_state,
    record_epoch,
    should_continue,
    start_one,
)
from tests import naive_networks

CRITERIA = ("accuracy", "strict-accuracy", "loss")
OPTIONS = TrainingOptions(0.9, 1e-8, 3)
NETWORK = Classifier("rnn-gaussian", 8, 1, 1, 2)


def problem(n=23, seed=0, options=OPTIONS, max_epochs=12):
    """Rising and falling series; `Training` with three folds and batches of at most 8."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = [
        1.0 * rng.standard_normal(T) + (2 * c - 1) * np.linspace(-1, 1, T)
        for c, T in zip(y, rng.integers(4, 8, n), strict=True)
    ]
    return Training(pad_series(X, y, 2), np.arange(n) % 3, options, 8, max_epochs, 0)


@pytest.fixture(scope="module")
def training():
    return problem()


def empty_state(n_epochs):
    return initial_state(OPTIONS, {"w": np.zeros(1)}, n_epochs)


def after_epoch(state, n_correct, loss, criterion, value=0.0):
    moved = state._replace(parameters={"w": jnp.full(1, value)})
    return record_epoch(moved, Validation(jnp.array(n_correct), jnp.array(loss), True), criterion)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("seed", range(10))
def test_early_stopping_on_random_curves(criterion, seed):
    rng = np.random.default_rng(seed)
    n, options = 9, OPTIONS._replace(patience=int(rng.integers(1, 6)), criterion=criterion)
    n_correct = rng.integers(0, n + (seed % 2), 40).tolist()
    losses = (rng.integers(0, 8, 40) / 8).tolist()
    state = empty_state(40)
    while should_continue(state, n, 40, options):
        epoch = int(state.epochs)
        state = after_epoch(state, n_correct[epoch], losses[epoch], criterion, epoch + 1.0)
    expected = naive_networks.stopped_epochs(n_correct, losses, n, options.patience, criterion)
    assert (int(state.epochs), int(state.best_epoch)) == expected
    assert state.n_correct[: int(state.epochs)].tolist() == n_correct[: int(state.epochs)]
    assert float(state.best["w"][0]) == expected[1]  # the weights of that epoch


def test_equal_accuracy_is_no_setback_and_the_smaller_loss_is_better():
    state = empty_state(9)
    for n_correct, loss in [(5, 0.9), (5, 0.7), (5, 0.8), (4, 0.1)]:
        state = after_epoch(state, n_correct, loss, "accuracy")
    assert (int(state.best_epoch), int(state.setbacks)) == (2, 1)
    state = after_epoch(state, 5, 0.95, "accuracy")
    assert (int(state.best_epoch), int(state.setbacks)) == (2, 0)


def test_the_largest_number_of_epochs_and_no_validation_set():
    state = empty_state(9)._replace(epochs=jnp.array(7), setbacks=jnp.array(6))
    assert not should_continue(state, 3, 9, OPTIONS)
    assert not should_continue(state, 3, 7, OPTIONS._replace(patience=99))
    assert should_continue(state, 0, 9, OPTIONS)
    assert not should_continue(state._replace(diverged=jnp.array(True)), 0, 9, OPTIONS)


@partial(jax.jit, static_argnums=0)
def logits_of(network, parameters, series, rows):
    return class_logits(network, parameters, series, rows)


@partial(jax.jit, static_argnums=0)
def loss_of(network, parameters, series, rows):
    logits = logits_of(network, parameters, series, rows)
    right = logits[np.arange(len(rows)), jnp.asarray(series.y)[rows]]
    return (jax.nn.logsumexp(logits, axis=1) - right).mean()


gradient_of = jax.jit(jax.grad(loss_of, argnums=1), static_argnums=0)


@cache
def by_loops(network, fold, rate, clip):
    """RMSProp on the mean cross-entropy of each mini-batch, written out; right predictions, loss
    and parameters after each epoch. No criterion changes them."""
    training = problem(options=OPTIONS._replace(clip=clip))
    run, options, series = training.run(fold, rate), training.options, training.series
    parameters = jax.tree.map(jnp.asarray, training.initial(network, fold))
    square = jax.tree.map(jnp.zeros_like, parameters)
    held_out = np.flatnonzero(training.fold == fold)
    epochs = []
    for epoch in np.asarray(run.batches):
        for batch in epoch:
            rows = batch[batch >= 0]
            if not len(rows):
                continue
            gradient = gradient_of(network, parameters, series, rows)
            if options.clip is not None:
                norm = np.sqrt(sum(float((g**2).sum()) for g in jax.tree.leaves(gradient)))
                shorter = min(1.0, options.clip / norm)
                gradient = jax.tree.map(lambda g, s=shorter: g * s, gradient)
            square = jax.tree.map(
                lambda s, g: options.decay * s + (1 - options.decay) * g**2, square, gradient
            )
            parameters = jax.tree.map(
                lambda p, g, s: p - rate * g / (jnp.sqrt(s) + options.epsilon),
                parameters,
                gradient,
                square,
            )
        predicted = logits_of(network, parameters, series, held_out).argmax(axis=1)
        n_correct = int((predicted == series.y[held_out]).sum())
        epochs.append(
            (n_correct, float(loss_of(network, parameters, series, held_out)), parameters)
        )
    return tuple(map(list, zip(*epochs, strict=True)))


def assert_close(one, other):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3),
        one,
        jax.tree.map(np.asarray, other),
    )


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize(("rate", "fold", "clip"), [(0.01, 1, None), (0.03, 2, 0.5)])
def test_a_run_agrees_with_plain_loops_and_returns_the_best_epochs_weights(
    criterion, rate, fold, clip
):
    training = problem(options=OPTIONS._replace(criterion=criterion, clip=clip))
    curve, weights = train_one(training, NETWORK, fold, rate)
    n_correct, losses, parameters = by_loops(NETWORK, fold, rate, clip)
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
    whole = training.final_run(0.01, 4)
    state = start_one(OPTIONS, training.initial(NETWORK, 3), 12)
    for until in (1, 4, 9):  # in parts or at once
        state = advance_one(NETWORK, OPTIONS, state, training.series, whole, until)
    assert (final.epochs, final.diverged) == (4, False) == (int(state.epochs), bool(state.diverged))
    jax.tree.map(np.testing.assert_array_equal, final.weights, state.parameters)


def test_divergence_ends_a_run_and_the_weights_before_it_are_returned(training):
    curve, weights = train_one(training, NETWORK, 0, 1e30)
    assert curve.diverged
    assert len(curve.n_correct) < 12
    for leaf in jax.tree.leaves(weights):
        assert np.isfinite(leaf).all()


def test_runs_trained_together_equal_single_runs_and_are_removed_when_they_end(
    training, monkeypatch
):
    monkeypatch.setattr("rntk_bench.networks.cross_validation.EPOCHS_PER_CALL", 3)
    folds, rates = [0, 0, 1, 2, 1], [0.03, 1e30, 0.01, 1e-4, 1e-3]
    batches = list(train_many(training, NETWORK, folds, rates))
    together = {position: run for ended in batches for position, run in ended.items()}
    assert sorted(together) == [0, 1, 2, 3, 4] == sorted(k for ended in batches for k in ended)
    assert len(batches) > 2
    for position, (fold, rate) in enumerate(zip(folds, rates, strict=True)):
        alone = train_one(training, NETWORK, fold, rate)
        curve = together[position].curve
        assert (curve.n_correct, curve.diverged) == (alone.curve.n_correct, alone.curve.diverged)
        if curve.best_epoch == alone.curve.best_epoch:  # losses may tie up to rounding
            assert_close(together[position].weights, alone.weights)


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


def test_classes_that_do_not_occur_are_never_predicted():
    wide = Classifier("gru", 4, 1, 1, 4)
    series = pad_series(np.ones((3, 5)), np.array([0, 1, 2]), 3)
    parameters = wide.initial(np.random.default_rng(0))
    logits = class_logits(wide, parameters, series, jnp.arange(3))
    assert (logits[:, 3] == -1e30).all()
    gradient = jax.grad(
        lambda p: jax.nn.log_softmax(class_logits(wide, p, series, jnp.arange(3)))[0, 0]
    )(parameters)
    assert not gradient["V"][:, 3].any()
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_folds_share_a_shape_and_rates_share_weights_and_batches(training):
    runs = [training.run(fold, 0.1) for fold in range(3)]
    assert len({np.shape(run.batches) for run in runs}) == 1
    assert len({np.shape(run.held_out) for run in runs}) == 1
    for fold, run in enumerate(runs):
        used = np.unique(run.batches)
        np.testing.assert_array_equal(used[used >= 0], np.flatnonzero(training.fold != fold))
        out = np.asarray(run.held_out)
        np.testing.assert_array_equal(out[out >= 0], np.flatnonzero(training.fold == fold))
    np.testing.assert_array_equal(training.run(0, 0.1).batches, training.run(0, 0.2).batches)
    first, second = (training.initial(NETWORK, fold)["V"] for fold in (0, 1))
    assert (first != second).any()
    final = np.unique(training.final_run(0.1, 5).batches)
    np.testing.assert_array_equal(final[final >= 0], np.arange(23))
