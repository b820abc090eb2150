"""Training runs and tests of finite networks on a processor, each on the thread that calls."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from rntk_bench.deadline import current_deadline
from rntk_bench.networks.compiled import training as loops
from rntk_bench.networks.compiled.layout import Shape, pack, scales, unpack
from rntk_bench.networks.compiled.training import Buffers, Optimizer, Weights, new_buffers
from rntk_bench.networks.cross_validation import (
    FinalNetwork,
    Run,
    TrainedRun,
    Training,
    TrainingCurve,
    TrainingOptions,
)
from rntk_bench.networks.early_stopping import EarlyStopping
from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.series import Float32Array, Int32Array, PaddedSeries

_TEST_ROWS = 16
"""The number of test series that are classified together."""


class NetworkInTraining:
    """A network with the state of RMSProp.

    Parameters
    ----------
    network : Classifier
    parameters : dict
        The initial weights.
    options : TrainingOptions
    series : PaddedSeries
    run : Run
    """

    def __init__(
        self,
        network: Classifier,
        parameters: Parameters,
        options: TrainingOptions,
        series: PaddedSeries,
        run: Run,
    ) -> None:
        self._network, self._shape = network, Shape.of(network)
        self._series, self._run = series, run
        clip = math.inf if options.clip is None else options.clip
        self._optimizer = Optimizer(
            np.float32(run.rate), np.float32(options.decay), np.float32(options.epsilon), clip
        )
        initial, factors = pack(network, parameters), scales(network)
        zeros = np.zeros_like(initial)
        self._weights = Weights(initial, factors, factors * initial, zeros, zeros.copy())
        self._buffers: dict[int, Buffers] = {}  # by the number of steps
        self._before = initial.copy()
        self._held_out = run.held_out[run.held_out >= 0]
        self.epochs = 0

    @property
    def parameters(self) -> Parameters:
        """The weights after the last epoch in which all values were finite."""
        return unpack(self._network, self._weights.parameters)

    @property
    def n_held_out(self) -> int:
        """The number of series in the validation set."""
        return len(self._held_out)

    def train_epoch(self) -> tuple[int, float] | None:
        """Train one epoch.

        Returns
        -------
        tuple of int and float, or None
            The number of correct validation predictions and the validation loss; None if a value
            was not finite, and the weights are then those before.

        Raises
        ------
        TimeLimitError
            If the current deadline passes.
        """
        deadline = current_deadline()
        weights, parameters = self._weights, self._weights.parameters
        self._before[:] = parameters
        batches = self._run.batches[self.epochs, : self._run.n_batches]
        finite = loops.train_epoch(
            self._shape,
            self._optimizer,
            weights,
            self._series,
            batches,
            self._buffers_for(self._series),
            deadline.stop,
        )
        n_correct, loss = 0, 0.0
        if finite:
            n_correct, loss, finite = self._validate(self._series, self._held_out)
        deadline.check()
        if not (finite and np.isfinite(parameters).all()):
            parameters[:] = self._before
            return None
        self.epochs += 1
        return n_correct, loss / max(self.n_held_out, 1)

    def count_correct(self, series: PaddedSeries, n: int) -> int:
        """The number of the first `n` of some other series that are classified correctly."""
        return self._validate(series, np.arange(n, dtype=np.int32))[0]

    def _validate(self, series: PaddedSeries, rows: Int32Array) -> tuple[int, float, bool]:
        result: tuple[int, float, bool] = loops.validate(
            self._shape,
            self._weights.scaled,
            series,
            rows,
            self._buffers_for(series),
            current_deadline().stop,
        )
        return result

    def _buffers_for(self, series: PaddedSeries) -> Buffers:
        n_steps = series.X.shape[1]
        if n_steps not in self._buffers:
            n_rows = self._run.batches.shape[2]
            self._buffers[n_steps] = new_buffers(self._shape, n_steps, n_rows)
        return self._buffers[n_steps]


def train_one(training: Training, network: Classifier, fold: int, rate: float) -> TrainedRun:
    """Train one network with one fold held out."""
    start, options = time.perf_counter(), training.options
    run = training.run(fold, rate)
    trained = NetworkInTraining(
        network, training.initial(network, fold), options, training.series, run
    )
    stopping = EarlyStopping(trained.n_held_out, options.patience, options.criterion)
    n_correct, best_loss, best, diverged = [], 0.0, trained.parameters, False
    while trained.epochs < run.n_epochs and not stopping.is_over:
        result = trained.train_epoch()
        if result is None:
            diverged = True
            break
        n_correct.append(result[0])
        if stopping.add(*result):
            best_loss, best = result[1], trained.parameters
    curve = TrainingCurve(
        n_correct,
        stopping.best_epoch,
        float(np.nan_to_num(best_loss)),  # JSON has no infinity
        diverged,
        round(time.perf_counter() - start, 4),
    )
    return TrainedRun(curve, best)


def train_final(
    training: Training, network: Classifier, rate: float, n_epochs: int
) -> FinalNetwork:
    """Train a network on the whole training set."""
    initial = training.initial(network, training.n_folds)
    run = training.final_run(rate, n_epochs)
    trained = NetworkInTraining(network, initial, training.options, training.series, run)
    while trained.epochs < n_epochs:
        if trained.train_epoch() is None:
            break
    return FinalNetwork(trained.epochs, trained.epochs < n_epochs, trained.parameters)


def logits_on_test(
    network: Classifier, networks: Sequence[Parameters], test: PaddedSeries, n_test: int
) -> list[Float32Array]:
    """Compute the logits (n_test, C) of each network for the first `n_test` test series.

    Raises
    ------
    TimeLimitError
        If the current deadline passes.
    """
    deadline, shape, factors = current_deadline(), Shape.of(network), scales(network)
    rows = np.arange(n_test, dtype=np.int32)
    buffers = new_buffers(shape, test.X.shape[1], _TEST_ROWS)
    result = []
    for parameters in networks:
        scaled = factors * pack(network, parameters)
        logits = np.empty((n_test, network.n_classes), dtype=np.float32)
        loops.compute_logits(shape, scaled, test, rows, buffers, logits, deadline.stop)
        deadline.check()
        logits[:, int(test.n_classes) :] = loops.ABSENT
        result.append(logits)
    return result
