"""Cross-validation of recurrent classifiers: what a run trains on, and how it is done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from rntk_bench.networks.fitting import Fit, Rules, Run, fit_many, fit_one, logits_of
from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.series import IntArray, Series, alike, chunks, mini_batches

_INITIAL, _BATCHES = 0, 1


class Curve(NamedTuple):
    """One run: right validation predictions after each epoch, whether it diverged, seconds."""

    hits: list[int]
    diverged: bool
    seconds: float


class Final(NamedTuple):
    """A network trained on everything: epochs, whether it diverged, and its predictions (n_test,),
    None if a logit was not finite."""

    epochs: int
    diverged: bool
    predictions: NDArray[np.int64] | None


@dataclass(frozen=True)
class Training:
    """How every run of a cross-validation trains.

    Parameters
    ----------
    series : Series
    fold : (n,) the fold that holds each of the first n series out
    rules : Rules
    batch_size : largest mini-batch
    max_epochs : bound on a run's epochs
    seed : of the initial weights and the mini-batches
    """

    series: Series
    fold: NDArray[np.int64]
    rules: Rules
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
        parts = zip(alike(batches), n_batches, alike(held_out), n_chunks, strict=True)
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
    fitted = _fit(training, classifier, 0, training.run(0, 0.0)._replace(n_epochs=0))
    fitted.hits.block_until_ready()
    return time.perf_counter() - start


def train_one(training: Training, classifier: Classifier, fold: int, rate: float) -> Curve:
    """Train one network with one fold held out."""
    start = time.perf_counter()
    result = _fit(training, classifier, fold, training.run(fold, rate))
    hits, diverged = np.asarray(result.hits), np.asarray(result.diverged)
    return _curve(hits, diverged, time.perf_counter() - start)


def train_many(
    training: Training, classifier: Classifier, folds: Sequence[int], rates: Sequence[float]
) -> list[Curve]:
    """Train networks of one shape in one vectorised call, those that are finished frozen."""
    start = time.perf_counter()
    runs = [training.run(fold, rate) for fold, rate in zip(folds, rates, strict=True)]
    initial = [training.initial(classifier, fold) for fold in folds]
    results = fit_many(
        classifier,
        jax.tree.map(lambda *parts: np.stack(parts), *initial),
        training.series,
        Run(*(np.stack(parts) for parts in zip(*runs, strict=True))),
        training.rules,
    )
    hits, diverged = np.asarray(results.hits), np.asarray(results.diverged)
    seconds = (time.perf_counter() - start) / len(runs)
    return [_curve(*curve, seconds) for curve in zip(hits, diverged, strict=True)]


def train_final(
    training: Training,
    classifier: Classifier,
    rate: float,
    n_epochs: int,
    test: Series,
    n_test: int,
) -> Final:
    """Train on everything and classify the first `n_test` test series."""
    result = _fit(training, classifier, training.n_folds, training.final_run(rate, n_epochs))
    rows, n_chunks = chunks(np.arange(n_test))
    logits = np.concatenate(
        [
            np.asarray(logits_of(classifier, result.parameters, test, part))
            for part in rows[:n_chunks]
        ]
    )[:n_test]
    predictions = logits.argmax(axis=1) if np.isfinite(logits).all() else None
    return Final(int(result.epochs), bool(result.diverged), predictions)


def _fit(training: Training, classifier: Classifier, fold: int, run: Run) -> Fit:
    initial = training.initial(classifier, fold)
    result: Fit = fit_one(classifier, initial, training.series, run, training.rules)
    return result


def _curve(hits: NDArray[np.int32], diverged: NDArray[np.bool_], seconds: float) -> Curve:
    return Curve(hits[hits >= 0].tolist(), bool(diverged), round(seconds, 4))
