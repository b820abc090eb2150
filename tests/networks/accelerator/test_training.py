import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rntk_bench.networks.accelerator.training import (
    Validation,
    class_logits,
    initial_state,
    record_epoch,
    should_continue,
)
from rntk_bench.networks.models import Classifier
from rntk_bench.networks.series import pad_series
from tests import naive_networks
from tests.networks.problems import CRITERIA, OPTIONS


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
