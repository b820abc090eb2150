"""Cross-validation of recurrent classifiers: what a run trains on, and how it is done."""

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
from numpy.typing import NDArray

from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.series import (
    IntArray,
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

_INITIAL, _BATCHES = 0, 1
EPOCHS_PER_CALL = 10
"""Of many runs trained together, before those that have ended are taken out."""


class TrainingCurve(NamedTuple):
    """One run: right validation predictions after each epoch, the best epoch (from 1; 0 if the
    first diverged) and its validation loss, whether it diverged, seconds."""

    n_correct: list[int]
    best_epoch: int
    loss: float
    diverged: bool
    seconds: float


class TrainedRun(NamedTuple):
    """A run and its best epoch's weights."""

    curve: TrainingCurve
    weights: Parameters


class FinalNetwork(NamedTuple):
    """A network trained on everything: epochs, whether it diverged, and its weights."""

    epochs: int
    diverged: bool
    weights: Parameters


@dataclass(frozen=True)
class Training:
    """How every run of a cross-validation trains.

    Parameters
    ----------
    series : PaddedSeries
    fold : (n,) the fold that holds each of the first n series out
    options : TrainingOptions
    batch_size : largest mini-batch
    max_epochs : bound on a run's epochs
    seed : of the initial weights and the mini-batches
    """

    series: PaddedSeries
    fold: NDArray[np.int64]
    options: TrainingOptions
    batch_size: int
    max_epochs: int
    seed: int

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The arrays' shapes, for which a network is compiled."""
        run = self._runs[0]
        return tuple(np.shape(part) for part in (self.series.X, run.batches, run.held_out))

    def run(self, fold: int, rate: float) -> Run:
        """A run that holds one fold out; those of all folds have one shape.

        Runs of a fold share initial weights and mini-batches, whatever their rate.
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
        parts = zip(
            pad_to_common_shape(batches),
            n_batches,
            pad_to_common_shape(held_out),
            n_chunks,
            strict=True,
        )
        return [Run(*part, np.float32(0.0), self.max_epochs) for part in parts]

    def final_run(self, rate: float, n_epochs: int) -> Run:
        """A run over all series, none held out."""
        batches, n_batches = self._batches(np.arange(len(self.fold)), self.n_folds)
        none, n_none = chunks(np.empty(0, dtype=np.int64))
        return Run(batches, n_batches, none, n_none, np.float32(rate), n_epochs)

    def initial(self, classifier: Classifier, fold: int) -> Parameters:
        """Initial weights of a fold's runs; `n_folds` stands for the final run."""
        return classifier.initial(self._rng(fold, _INITIAL))

    def _batches(self, rows: NDArray[np.int64], fold: int) -> tuple[IntArray, int]:
        rng = self._rng(fold, _BATCHES)
        return mini_batches(rows, self.batch_size, self.max_epochs, rng)

    def _rng(self, fold: int, purpose: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(fold, purpose)))


def compile_run(training: Training, classifier: Classifier) -> float:
    """Compile what trains this network, if that is not done, and return the seconds it took."""
    start = time.perf_counter()
    run = training.run(0, 0.0)._replace(n_epochs=0)
    _fit(training, classifier, 0, run).n_correct.block_until_ready()
    return time.perf_counter() - start


def train_one(training: Training, classifier: Classifier, fold: int, rate: float) -> TrainedRun:
    """Train one network with one fold held out."""
    start = time.perf_counter()
    fit = _fit(training, classifier, fold, training.run(fold, rate))
    fit.n_correct.block_until_ready()
    return _trained(fit, time.perf_counter() - start)


def train_many(
    training: Training, classifier: Classifier, folds: Sequence[int], rates: Sequence[float]
) -> Iterator[dict[int, TrainedRun]]:
    """Train networks of one shape together; what has ended is taken out every few epochs, so that
    the others do not carry it along.

    Yields
    ------
    dict of int to TrainedRun
        The runs that ended since the last time, by position.
    """
    n, start = len(folds), time.perf_counter()
    initial = [training.initial(classifier, fold) for fold in folds]
    runs = jax.device_put(_stacked([*map(training.run, folds, rates)]))
    fits = start_many(training.options, _stacked(initial), training.max_epochs)
    positions = np.arange(n)
    for until in itertools.count(EPOCHS_PER_CALL, EPOCHS_PER_CALL):
        fits = advance_many(classifier, training.options, fits, training.series, runs, until)
        ended = np.asarray(fits.epochs)[: len(positions)] < until
        seconds = (time.perf_counter() - start) / n
        yield {
            int(positions[k]): _trained(jax.tree.map(itemgetter(k), fits), seconds)
            for k in np.flatnonzero(ended)
        }
        going = np.flatnonzero(~ended)
        if not len(going):
            return
        positions = positions[going]
        # As many as a bucket has, so that few shapes are compiled: the last is repeated.
        rows = np.append(going, np.repeat(going[-1:], round_up_size(len(going)) - len(going)))
        fits, runs = (jax.tree.map(itemgetter(rows), tree) for tree in (fits, runs))


def train_final(
    training: Training, classifier: Classifier, rate: float, n_epochs: int
) -> FinalNetwork:
    """Train on everything."""
    run = training.final_run(rate, n_epochs)
    fit = _fit(training, classifier, training.n_folds, run)
    return FinalNetwork(int(fit.epochs), bool(fit.diverged), _on_host(fit.parameters))


def logits_on_test(
    classifier: Classifier, networks: Sequence[Parameters], test: PaddedSeries, n_test: int
) -> list[NDArray[np.float32] | None]:
    """Logits (n_test, C) of the first `n_test` test series by each network; None if one is not
    finite."""
    rows, n_chunks = chunks(np.arange(n_test))
    result = []
    for weights in networks:
        parts = [logits_of(classifier, weights, test, part) for part in rows[:n_chunks]]
        logits = np.concatenate(parts)[:n_test]
        result.append(logits if np.isfinite(logits).all() else None)
    return result


def _fit(training: Training, classifier: Classifier, fold: int, run: Run) -> TrainingState:
    initial = training.initial(classifier, fold)
    fit = start_one(training.options, initial, training.max_epochs)
    fitted: TrainingState = advance_one(
        classifier, training.options, fit, training.series, run, training.max_epochs
    )
    return fitted


def _trained(fit: TrainingState, seconds: float) -> TrainedRun:
    n, best = int(fit.epochs), int(fit.best_epoch)
    loss = float(np.nan_to_num(fit.losses[best - 1])) if best else 0.0  # JSON has no infinity
    curve = TrainingCurve(
        np.asarray(fit.n_correct)[:n].tolist(), best, loss, bool(fit.diverged), round(seconds, 4)
    )
    return TrainedRun(curve, _on_host(fit.best))


def _on_host(parameters: Parameters) -> Parameters:
    copied: Parameters = jax.tree.map(np.asarray, parameters)
    return copied


def _stacked(trees: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)
