"""Training runs and tests of finite networks on an accelerator."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import jax
import numpy as np

from rntk_bench.networks.accelerator.training import (
    TrainingState,
    advance_many,
    logits_of,
    start_many,
)
from rntk_bench.networks.cross_validation import FinalNetwork, TrainedRun, Training, TrainingCurve
from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.series import Float32Array, PaddedSeries, chunks, round_up_size

EPOCHS_PER_CALL = 10
"""How many epochs of many runs are trained before the runs that have ended are removed."""


def train_many(
    training: Training, classifier: Classifier, folds: Sequence[int], rates: Sequence[float]
) -> Iterator[dict[int, TrainedRun]]:
    """Train networks of one shape together.

    Runs that have ended are removed every few epochs, so that no time is spent on them.

    Yields
    ------
    dict of int to TrainedRun
        The runs that have ended since the last iteration, by position; empty if none has.
    """
    n, start = len(folds), time.perf_counter()
    initial = [training.initial(classifier, fold) for fold in folds]
    runs = jax.device_put(_stacked([*map(training.run, folds, rates)]))
    states = start_many(training.options, _stacked(initial), training.max_epochs)
    positions = np.arange(n)
    for until in itertools.count(EPOCHS_PER_CALL, EPOCHS_PER_CALL):
        states = advance_many(classifier, training.options, states, training.series, runs, until)
        ended = np.asarray(states.epochs)[: len(positions)] < until
        if not ended.any():
            yield {}
            continue
        seconds = (time.perf_counter() - start) / n
        # One copy of what a finished run needs; to slice each array on the device takes longer.
        finished = jax.device_get(states._replace(parameters=None, optimizer_state=None))
        yield {
            int(positions[k]): _trained_run(jax.tree.map(itemgetter(k), finished), seconds)
            for k in np.flatnonzero(ended)
        }
        unfinished = np.flatnonzero(~ended)
        if not len(unfinished):
            return
        positions = positions[unfinished]
        # The last run is repeated up to a rounded number, so that few shapes are compiled.
        n_padding = round_up_size(len(unfinished)) - len(unfinished)
        rows = np.append(unfinished, np.repeat(unfinished[-1:], n_padding))
        states, runs = (jax.tree.map(itemgetter(rows), tree) for tree in (states, runs))


def train_final(
    training: Training, classifier: Classifier, rate: float, n_epochs: int
) -> FinalNetwork:
    """Train a network on the whole training set."""
    runs = _stacked([training.final_run(rate, n_epochs)])
    initial = _stacked([training.initial(classifier, training.n_folds)])
    states = start_many(training.options, initial, training.max_epochs)
    states = advance_many(classifier, training.options, states, training.series, runs, n_epochs)
    state = jax.tree.map(itemgetter(0), states)
    return FinalNetwork(int(state.epochs), bool(state.diverged), _to_numpy(state.parameters))


def logits_on_test(
    classifier: Classifier, networks: Sequence[Parameters], test: PaddedSeries, n_test: int
) -> list[Float32Array]:
    """Compute the logits (n_test, C) of each network for the first `n_test` test series."""
    rows, n_chunks = chunks(np.arange(n_test))
    result = []
    for weights in networks:
        chunk_logits = [logits_of(classifier, weights, test, chunk) for chunk in rows[:n_chunks]]
        result.append(np.concatenate(chunk_logits)[:n_test])
    return result


def _trained_run(state: TrainingState, seconds: float) -> TrainedRun:
    epochs, best_epoch = int(state.epochs), int(state.best_epoch)
    # JSON has no infinity.
    loss = float(np.nan_to_num(state.losses[best_epoch - 1])) if best_epoch else 0.0
    curve = TrainingCurve(
        state.n_correct[:epochs].tolist(),
        best_epoch,
        loss,
        bool(state.diverged),
        round(seconds, 4),
    )
    return TrainedRun(curve, _to_numpy(state.best))


def _to_numpy(parameters: Parameters) -> Parameters:
    """Copy parameters, so that those of one run do not keep those of all runs in memory."""
    arrays: Parameters = jax.tree.map(np.array, parameters)
    return arrays


def _stacked(trees: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)
