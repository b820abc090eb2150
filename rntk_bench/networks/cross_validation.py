"""The training runs of a cross-validation of recurrent classifiers."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple

import jax
import numpy as np

from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.series import (
    Float32Array,
    Int32Array,
    PaddedSeries,
    chunks,
    mini_batches,
    pad_to_common_shape,
    round_up_size,
)
from rntk_bench.networks.training import (
    Run,
    TrainingOptions,
    TrainingState,
    advance_many,
    advance_one,
    logits_of,
    start_many,
    start_one,
)
from rntk_bench.types import IntArray

_INITIAL, _BATCHES = 0, 1
EPOCHS_PER_CALL = 10
"""How many epochs of many runs are trained before the runs that have ended are removed."""


class TrainingCurve(NamedTuple):
    """The course of one run.

    Attributes
    ----------
    n_correct : list of int
        The number of correct validation predictions after each epoch.
    best_epoch : int
        The best epoch, from 1; 0 if training diverged in the first.
    loss : float
        The validation loss after the best epoch.
    diverged : bool
    seconds : float
    """

    n_correct: list[int]
    best_epoch: int
    loss: float
    diverged: bool
    seconds: float


class TrainedRun(NamedTuple):
    """The course of a run, and the weights after its best epoch."""

    curve: TrainingCurve
    weights: Parameters


class FinalNetwork(NamedTuple):
    """A network trained on the whole training set: epochs, whether it diverged, and its weights."""

    epochs: int
    diverged: bool
    weights: Parameters


@dataclass(frozen=True)
class Training:
    """The data and the options of all runs of a cross-validation.

    Parameters
    ----------
    series : PaddedSeries
    fold : (n,) ndarray of int
        The fold in which each of the first n series is held out.
    options : TrainingOptions
    batch_size : int
        Size of the largest mini-batch.
    max_epochs : int
        Largest number of epochs of a run.
    seed : int
        Seed of the initial weights and the mini-batches.
    """

    series: PaddedSeries
    fold: IntArray
    options: TrainingOptions
    batch_size: int
    max_epochs: int
    seed: int

    @property
    def n_folds(self) -> int:
        """The number of folds."""
        return int(self.fold.max()) + 1

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the arrays, for which a network is compiled."""
        run = self._runs[0]
        return tuple(np.shape(array) for array in (self.series.X, run.batches, run.held_out))

    def run(self, fold: int, rate: float) -> Run:
        """Return the run in which one fold is held out.

        The arrays of all folds have the same shapes. Runs with the same fold have the same initial
        weights and mini-batches, whatever their learning rates.
        """
        return self._runs[fold]._replace(rate=np.float32(rate))

    @cached_property
    def _runs(self) -> list[Run]:
        folds = range(self.n_folds)
        batches, n_batches = zip(
            *(self._batches(np.flatnonzero(self.fold != q), q) for q in folds), strict=True
        )
        held_out, n_chunks = zip(
            *(chunks(np.flatnonzero(self.fold == q)) for q in folds), strict=True
        )
        arrays = zip(
            pad_to_common_shape(batches),
            n_batches,
            pad_to_common_shape(held_out),
            n_chunks,
            strict=True,
        )
        return [Run(*fold_arrays, np.float32(0.0), self.max_epochs) for fold_arrays in arrays]

    def final_run(self, rate: float, n_epochs: int) -> Run:
        """Return the run on the whole training set, without a validation set."""
        batches, n_batches = self._batches(np.arange(len(self.fold)), self.n_folds)
        held_out, n_chunks = chunks(np.empty(0, dtype=np.int64))
        return Run(batches, n_batches, held_out, n_chunks, np.float32(rate), n_epochs)

    def initial(self, classifier: Classifier, fold: int) -> Parameters:
        """Return the initial weights of the runs of a fold; `n_folds` stands for the final run."""
        return classifier.initial(self._rng(fold, _INITIAL))

    def _batches(self, rows: IntArray, fold: int) -> tuple[Int32Array, int]:
        rng = self._rng(fold, _BATCHES)
        return mini_batches(rows, self.batch_size, self.max_epochs, rng)

    def _rng(self, fold: int, purpose: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(fold, purpose)))


def compile_run(training: Training, classifier: Classifier) -> float:
    """Compile the training of a network, unless it is compiled, and return the seconds it took."""
    start = time.perf_counter()
    run = training.run(0, 0.0)._replace(n_epochs=0)
    _train(training, classifier, 0, run).n_correct.block_until_ready()
    return time.perf_counter() - start


def train_one(training: Training, classifier: Classifier, fold: int, rate: float) -> TrainedRun:
    """Train one network with one fold held out."""
    start = time.perf_counter()
    state = _train(training, classifier, fold, training.run(fold, rate))
    state.n_correct.block_until_ready()
    return _trained_run(state, time.perf_counter() - start)


def train_many(
    training: Training, classifier: Classifier, folds: Sequence[int], rates: Sequence[float]
) -> Iterator[dict[int, TrainedRun]]:
    """Train networks of one shape together.

    Runs that have ended are removed every few epochs, so that no time is spent on them.

    Yields
    ------
    dict of int to TrainedRun
        The runs that have ended since the last iteration, by position.
    """
    n, start = len(folds), time.perf_counter()
    initial = [training.initial(classifier, fold) for fold in folds]
    runs = jax.device_put(_stacked([*map(training.run, folds, rates)]))
    states = start_many(training.options, _stacked(initial), training.max_epochs)
    positions = np.arange(n)
    for until in itertools.count(EPOCHS_PER_CALL, EPOCHS_PER_CALL):
        states = advance_many(classifier, training.options, states, training.series, runs, until)
        ended = np.asarray(states.epochs)[: len(positions)] < until
        seconds = (time.perf_counter() - start) / n
        yield {
            int(positions[k]): _trained_run(jax.tree.map(itemgetter(k), states), seconds)
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
    run = training.final_run(rate, n_epochs)
    state = _train(training, classifier, training.n_folds, run)
    return FinalNetwork(int(state.epochs), bool(state.diverged), _to_numpy(state.parameters))


def logits_on_test(
    classifier: Classifier, networks: Sequence[Parameters], test: PaddedSeries, n_test: int
) -> list[Float32Array | None]:
    """Compute the logits (n_test, C) of each network for the first `n_test` test series.

    None stands for logits that are not all finite.
    """
    rows, n_chunks = chunks(np.arange(n_test))
    result = []
    for weights in networks:
        chunk_logits = [logits_of(classifier, weights, test, chunk) for chunk in rows[:n_chunks]]
        logits = np.concatenate(chunk_logits)[:n_test]
        result.append(logits if np.isfinite(logits).all() else None)
    return result


def _train(training: Training, classifier: Classifier, fold: int, run: Run) -> TrainingState:
    initial = training.initial(classifier, fold)
    start = start_one(training.options, initial, training.max_epochs)
    state: TrainingState = advance_one(
        classifier, training.options, start, training.series, run, training.max_epochs
    )
    return state


def _trained_run(state: TrainingState, seconds: float) -> TrainedRun:
    epochs, best_epoch = int(state.epochs), int(state.best_epoch)
    # JSON has no infinity.
    loss = float(np.nan_to_num(state.losses[best_epoch - 1])) if best_epoch else 0.0
    curve = TrainingCurve(
        np.asarray(state.n_correct)[:epochs].tolist(),
        best_epoch,
        loss,
        bool(state.diverged),
        round(seconds, 4),
    )
    return TrainedRun(curve, _to_numpy(state.best))


def _to_numpy(parameters: Parameters) -> Parameters:
    arrays: Parameters = jax.tree.map(np.asarray, parameters)
    return arrays


def _stacked(trees: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)
