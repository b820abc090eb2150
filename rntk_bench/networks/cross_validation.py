"""The training runs of a cross-validation of recurrent classifiers: their data and results."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.series import (
    Int32Array,
    PaddedSeries,
    chunks,
    mini_batches,
    pad_to_common_shape,
)
from rntk_bench.types import IntArray

_INITIAL, _BATCHES = 0, 1


class Run(NamedTuple):
    """The data of one training run, as indices of series.

    Attributes
    ----------
    batches : (E, K, B)
        The series in the mini-batches of each epoch; -1 is padding.
    n_batches : int
        The number of mini-batches of an epoch; the rest of the K are empty.
    held_out : (Q, V)
        The series of the validation set, in chunks; -1 is padding.
    n_chunks : int
        The number of chunks; the rest of the Q are empty.
    rate : float
        The learning rate.
    n_epochs : int
        The largest number of epochs, at most E.
    """

    batches: Int32Array
    n_batches: int
    held_out: Int32Array
    n_chunks: int
    rate: np.float32
    n_epochs: int


class TrainingOptions(NamedTuple):
    """The optimizer's parameters and the stopping rule, as in `config.Network`.

    They are the same for all runs. JAX takes them as constants of what it compiles.
    """

    decay: float
    epsilon: float
    patience: int
    criterion: str = "accuracy"
    clip: float | None = None


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
