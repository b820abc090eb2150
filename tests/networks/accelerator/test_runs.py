import re
from dataclasses import replace
from functools import partial

import jax
import numpy as np
import pytest

from rntk_bench.networks.accelerator import runs as accelerated
from rntk_bench.networks.accelerator.training import advance_many, logits_of, start_many
from rntk_bench.networks.compiled import runs as compiled
from rntk_bench.networks.models import RNN_CELLS, Classifier
from tests.networks.problems import NETWORK, OPTIONS, assert_close, problem


def together(training, network, folds, rates):
    """The batches in which the runs end, and all of them by position."""
    batches = list(accelerated.train_many(training, network, folds, rates))
    return batches, {position: run for ended in batches for position, run in ended.items()}


def test_runs_trained_together_equal_single_runs_and_are_removed_when_they_end(monkeypatch):
    monkeypatch.setattr(accelerated, "EPOCHS_PER_CALL", 3)
    training = problem()
    folds, rates = [0, 0, 1, 2, 1], [0.03, 1e30, 0.01, 1e-4, 1e-3]
    batches, runs = together(training, NETWORK, folds, rates)
    assert sorted(runs) == [0, 1, 2, 3, 4] == sorted(k for ended in batches for k in ended)
    assert len(batches) > 2
    for position, (fold, rate) in enumerate(zip(folds, rates, strict=True)):
        alone = compiled.train_one(training, NETWORK, fold, rate)
        curve = runs[position].curve
        assert (curve.n_correct, curve.diverged) == (alone.curve.n_correct, alone.curve.diverged)
        if curve.best_epoch == alone.curve.best_epoch:  # losses may tie up to rounding
            assert_close(runs[position].weights, alone.weights)


@pytest.mark.parametrize("cell", RNN_CELLS)
@pytest.mark.parametrize(("n_layers", "m", "clip"), [(1, 2, 0.5), (2, 1, None)])
def test_both_trainers_take_the_same_steps(cell, n_layers, m, clip):
    options = OPTIONS._replace(clip=clip, criterion="loss")
    training = replace(problem(options=options, m=m, n_classes=3), max_epochs=4)
    network = Classifier(cell, 6, n_layers, m, 4)
    _, runs = together(training, network, [1], [3e-3])
    alone = compiled.train_one(training, network, 1, 3e-3)
    assert len(alone.curve.n_correct) == len(runs[0].curve.n_correct)
    assert alone.curve.best_epoch == runs[0].curve.best_epoch > 0
    assert alone.curve.loss == pytest.approx(runs[0].curve.loss, rel=1e-3)
    assert_close(alone.weights, runs[0].weights)


def test_a_gpu_multiplies_matrices_in_single_precision():
    training = problem()
    network = Classifier("gru", 6, 2, 1, 2)
    weights, series = training.initial(network, 0), training.series
    stack = partial(jax.tree.map, lambda leaf: np.stack([leaf]))
    states = start_many(training.options, stack(weights), training.max_epochs)
    run = stack(training.run(0, 1e-3))
    for lowered in (
        advance_many.lower(network, training.options, states, series, run, 1),
        logits_of.lower(network, weights, series, np.arange(4)),
    ):
        products = re.findall("stablehlo.dot_general.*", lowered.as_text())
        assert products
        assert all("precision = [HIGHEST, HIGHEST]" in product for product in products)


def test_training_on_the_whole_set_and_its_test_are_those_of_the_other_trainer():
    training = problem()
    found = accelerated.train_final(training, NETWORK, 0.01, 4)
    expected = compiled.train_final(training, NETWORK, 0.01, 4)
    assert (found.epochs, found.diverged) == (4, False) == (expected.epochs, expected.diverged)
    assert_close(found.weights, expected.weights)
    test = NETWORK, [found.weights], training.series, 23
    [one], [other] = accelerated.logits_on_test(*test), compiled.logits_on_test(*test)
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
