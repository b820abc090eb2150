import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rntk_bench.networks.cross_validation import Training, train_many, train_one
from rntk_bench.networks.fitting import Fit, Rules, class_logits, counted, fit_one, goes_on
from rntk_bench.networks.models import Classifier
from rntk_bench.networks.series import pack
from tests import naive_networks

RULES = Rules(0.9, 1e-8, 3)
NETWORK = Classifier("rnn-gaussian", 8, 1, 1, 2)


def problem(n=23, seed=0, rules=RULES, max_epochs=12):
    """Rising and falling series; `Training` with three folds and batches of at most 8."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = [
        1.0 * rng.standard_normal(T) + (2 * c - 1) * np.linspace(-1, 1, T)
        for c, T in zip(y, rng.integers(4, 8, n), strict=True)
    ]
    return Training(pack(X, y, 2), np.arange(n) % 3, rules, 8, max_epochs, 0)


@pytest.fixture(scope="module")
def training():
    return problem()


@pytest.mark.parametrize("seed", range(30))
def test_early_stopping_on_made_up_curves(seed):
    rng = np.random.default_rng(seed)
    n, patience = 9, int(rng.integers(1, 6))
    curve = [int(hits) for hits in rng.integers(0, n + (seed % 2), 40)]
    sofar = Fit({}, jnp.array(0), jnp.full(40, -1), jnp.array(0), jnp.array(False))
    while goes_on(sofar, n, 40, patience):
        sofar = counted(sofar, curve[int(sofar.epochs)])
    assert (int(sofar.epochs), int(sofar.best_epoch)) == naive_networks.stopped_epochs(
        curve, n, patience
    )
    assert sofar.hits[: int(sofar.epochs)].tolist() == curve[: int(sofar.epochs)]


def test_the_bound_on_epochs_and_nothing_held_out():
    sofar = Fit({}, jnp.array(7), jnp.full(9, 0), jnp.array(1), jnp.array(False))
    assert not goes_on(sofar, 3, 9, 3)
    assert not goes_on(sofar, 3, 7, 99)
    assert goes_on(sofar, 0, 9, 3)
    assert not goes_on(sofar._replace(diverged=jnp.array(True)), 0, 9, 3)


def by_loops(training, network, fold, rate):
    """RMSProp on the mean cross-entropy of each mini-batch, written out; hits after each epoch."""
    run, rules = training.run(fold, rate), training.rules
    parameters = jax.tree.map(jnp.asarray, training.initial(network, fold))
    square = jax.tree.map(jnp.zeros_like, parameters)
    held_out = np.flatnonzero(training.fold == fold)

    @jax.jit
    def logits_of(parameters, rows):
        return class_logits(network, parameters, training.series, rows)

    @jax.jit
    @jax.grad
    def slope_of(parameters, rows):
        logits = logits_of(parameters, rows)
        right = logits[np.arange(len(rows)), jnp.asarray(training.series.y)[rows]]
        return (jax.nn.logsumexp(logits, axis=1) - right).mean()

    hits = []
    for epoch in np.asarray(run.batches):
        for batch in epoch:
            rows = batch[batch >= 0]
            if not len(rows):
                continue
            slope = slope_of(parameters, rows)
            square = jax.tree.map(
                lambda s, g: rules.decay * s + (1 - rules.decay) * g**2, square, slope
            )
            parameters = jax.tree.map(
                lambda p, g, s: p - rate * g / (jnp.sqrt(s) + rules.epsilon),
                parameters,
                slope,
                square,
            )
        logits = logits_of(parameters, held_out)
        hits.append(int((logits.argmax(axis=1) == training.series.y[held_out]).sum()))
    return hits, parameters


@pytest.mark.parametrize(("rate", "fold"), [(0.01, 1), (0.03, 2)])
def test_a_run_is_what_plain_loops_do(training, rate, fold):
    run = training.run(fold, rate)
    initial = training.initial(NETWORK, fold)
    result = fit_one(NETWORK, initial, training.series, run, RULES)
    epochs = int(result.epochs)
    hits, _ = by_loops(training, NETWORK, fold, rate)
    assert len(set(hits)) > 1  # it learns something
    n_held_out = int((training.fold == fold).sum())
    assert (epochs, int(result.best_epoch)) == naive_networks.stopped_epochs(hits, n_held_out, 3)
    assert result.hits.tolist() == hits[:epochs] + [-1] * (12 - epochs)
    assert not result.diverged


def test_the_parameters_are_those_of_plain_loops(training):
    run = training.run(0, 0.01)._replace(n_epochs=12)
    result = fit_one(
        NETWORK, training.initial(NETWORK, 0), training.series, run, RULES._replace(patience=99)
    )
    hits, parameters = by_loops(training, NETWORK, 0, 0.01)
    if int(result.epochs) == 12:
        jax.tree.map(
            lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3),
            result.parameters,
            parameters,
        )
    assert result.hits.tolist()[: int(result.epochs)] == hits[: int(result.epochs)]


def test_divergence_ends_a_run_and_keeps_what_was_before(training):
    curve = train_one(training, NETWORK, 0, 1e30)
    assert curve.diverged
    run = training.run(0, 1e30)
    result = fit_one(NETWORK, training.initial(NETWORK, 0), training.series, run, RULES)
    assert int(result.epochs) == len(curve.hits) < 12
    for leaf in jax.tree.leaves(result.parameters):
        assert np.isfinite(leaf).all()


def test_vectorised_runs_are_those_one_by_one(training):
    folds, rates = [0, 0, 1, 2], [0.03, 1e30, 0.01, 1e-4]
    together = train_many(training, NETWORK, folds, rates)
    for curve, fold, rate in zip(together, folds, rates, strict=True):
        alone = train_one(training, NETWORK, fold, rate)
        assert (curve.hits, curve.diverged) == (alone.hits, alone.diverged)


def test_classes_that_do_not_occur_are_out_of_reach():
    wide = Classifier("gru", 4, 1, 1, 4)
    series = pack(np.ones((3, 5)), np.array([0, 1, 2]), 3)
    parameters = wide.initial(np.random.default_rng(0))
    logits = class_logits(wide, parameters, series, jnp.arange(3))
    assert (logits[:, 3] == -1e30).all()
    slope = jax.grad(
        lambda p: jax.nn.log_softmax(class_logits(wide, p, series, jnp.arange(3)))[0, 0]
    )(parameters)
    assert not slope["V"][:, 3].any()
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slope))


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
