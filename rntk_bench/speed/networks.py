"""Whole grids of finite networks timed against an ordinary training loop in PyTorch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from rntk_bench.benchmark.evaluation import Problem
from rntk_bench.benchmark.network_evaluation import (
    evaluate_network,
    make_training,
    network_problem,
    network_settings,
)
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.errors import ExtraError
from rntk_bench.methods import NetworkMethod
from rntk_bench.networks.cross_validation import Training
from rntk_bench.networks.early_stopping import EarlyStopping, NetworkChoice, NetworkSearch
from rntk_bench.networks.models import RNN_CELLS, Classifier
from rntk_bench.networks.pool import Setting
from rntk_bench.speed.timing import Speedup, shortest_time

try:
    import torch
except ImportError:
    raise ExtraError("Timing networks", "PyTorch", "speed") from None


Progress = Callable[[str, int, int], None]
"""Called with the side that trains, the number of its runs that are finished, and of all."""


def compare_networks(
    dataset: Dataset,
    method: NetworkMethod,
    experiment: Experiment,
    n_jobs: int,
    progress: Progress,
) -> Speedup:
    """Time a method's whole grid on `n_jobs` cores, with compiled loops.

    PyTorch trains one run after another, from the same initial weights and with the same
    mini-batches, so that both sides do the same work up to rounding.
    """
    record, seconds = shortest_time(
        partial(
            evaluate_network,
            dataset,
            method,
            experiment,
            n_jobs=n_jobs,
            progress=lambda done, total, _: progress("compiled loops", done, total),
        )
    )
    torch.set_num_threads(n_jobs)
    (accuracy, n_correct, n_epochs), baseline_seconds = shortest_time(
        partial(_baseline, dataset, method, experiment, partial(progress, "PyTorch"))
    )
    selection, test = record.selection or {}, record.test or {}
    return Speedup(
        method.name,
        seconds,
        baseline_seconds,
        f"validation {100 * selection['accuracy']:.2f} against {100 * accuracy:.2f} %, "
        f"test {test['correct']} against {n_correct} correct, {n_epochs} epochs in PyTorch",
    )


def train_on_one_core(
    problem: Problem, training: Training, setting: Setting, fold: int, experiment: Experiment
) -> list[int]:
    """Train one network, and return the number of correct validation predictions of each epoch."""
    torch.set_num_threads(1)
    X, y = _series_tensor(problem.X_train), torch.as_tensor(problem.y_train)
    return _train(training, setting, X, y, fold, experiment).n_correct


def _baseline(
    dataset: Dataset,
    method: NetworkMethod,
    experiment: Experiment,
    progress: Callable[[int, int], None],
) -> tuple[float, int, int]:
    """Best validation accuracy, number of correct test predictions, and number of epochs."""
    problem = network_problem(dataset, experiment)
    training = make_training(problem, experiment)
    settings = network_settings(dataset, method)
    X, y = _series_tensor(problem.X_train), torch.as_tensor(problem.y_train)
    search = NetworkSearch(np.bincount(training.fold), len(settings), prune=False)
    networks = {}
    n_epochs = 0
    for index, setting in enumerate(settings):
        for fold in range(training.n_folds):
            run = _train(training, setting, X, y, fold, experiment)
            search.add(index, fold, run.n_correct, run.best_epoch, run.best_loss)
            networks[index, fold] = run.network
            n_epochs += len(run.n_correct)
            progress(len(networks), len(settings) * training.n_folds)
    choice = search.choose(method.default_setting, experiment.network.max_epochs)
    folds = {
        "best-fold": [choice.best_fold],
        "ensemble": [fold for fold, epoch in enumerate(choice.best_epochs) if epoch],
        "retrain": [],
    }[experiment.network.final]
    tested = [networks[choice.setting, fold] for fold in folds]
    if not tested:
        tested = [_retrain(training, settings[choice.setting], X, y, choice, experiment)]
    with torch.no_grad():
        X_test = _series_tensor(problem.X_test)
        predicted = sum(network(X_test).softmax(dim=1) for network in tested).argmax(dim=1)
    return choice.accuracy, int((predicted.numpy() == dataset.y_test).sum()), n_epochs


class _Run(NamedTuple):
    """Numbers of correct validation predictions after each epoch, the best epoch and its loss, and
    the network with the weights of that epoch."""

    n_correct: list[int]
    best_epoch: int
    best_loss: float
    network: Any


def _train(
    training: Training, setting: Setting, X: Any, y: Any, fold: int, experiment: Experiment
) -> _Run:
    """Train one network with one fold held out, with the experiment's early stopping."""
    classifier, rate = setting
    network = RecurrentClassifier(training, classifier, fold)
    optimizer = _optimizer(network, rate, experiment)
    held_out = np.flatnonzero(training.fold == fold)
    protocol = experiment.network
    stopping = EarlyStopping(len(held_out), protocol.patience, protocol.criterion)
    n_correct: list[int] = []
    best_loss, best_state = 0.0, copy.deepcopy(network.state_dict())
    for rows in np.asarray(training.run(fold, rate).batches):
        _train_epoch(network, optimizer, X, y, rows, protocol.clip)
        with torch.no_grad():
            logits = network(X[held_out])
            loss = float(torch.nn.functional.cross_entropy(logits, y[held_out]))
            correct = int((logits.argmax(dim=1) == y[held_out]).sum())
        if not torch.isfinite(logits).all():
            break
        n_correct.append(correct)
        if stopping.add(correct, loss):
            best_loss, best_state = loss, copy.deepcopy(network.state_dict())
        if stopping.is_over:
            break
    network.load_state_dict(best_state)
    return _Run(n_correct, stopping.best_epoch, best_loss, network)


def _retrain(
    training: Training,
    setting: Setting,
    X: Any,
    y: Any,
    choice: NetworkChoice,
    experiment: Experiment,
) -> Any:
    """Train a network of the chosen setting on the whole training set."""
    network = RecurrentClassifier(training, setting[0], training.n_folds)
    optimizer = _optimizer(network, setting[1], experiment)
    for rows in np.asarray(training.final_run(0.0, 0).batches)[: choice.n_epochs]:
        _train_epoch(network, optimizer, X, y, rows, experiment.network.clip)
    return network


def _train_epoch(
    network: Any, optimizer: Any, X: Any, y: Any, batches: Any, clip: float | None
) -> None:
    for batch in batches:
        rows = batch[batch >= 0]
        if len(rows):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(X[rows]), y[rows]).backward()
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
            optimizer.step()


def _optimizer(network: Any, rate: float, experiment: Experiment) -> Any:
    protocol = experiment.network
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return torch.optim.RMSprop(trainable, lr=rate, alpha=protocol.decay, eps=protocol.epsilon)


def _series_tensor(X: Any) -> Any:
    series = torch.as_tensor(np.asarray(X, dtype=np.float32))
    return series if series.ndim == 3 else series[:, :, None]


class _NTKScale(torch.nn.Module):  # type: ignore[misc]
    """Multiplies a parameter by its standard deviation, the NTK parametrisation."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self._scale = scale

    def forward(self, weight: Any) -> Any:
        return self._scale * weight


class RecurrentClassifier(torch.nn.Module):  # type: ignore[misc]
    """`nn.RNN` or `nn.GRU` with a readout of its last state, and the initial weights of a fold."""

    def __init__(self, training: Training, classifier: Classifier, fold: int) -> None:
        super().__init__()
        cell, n = RNN_CELLS[classifier.cell], classifier.width
        sizes = classifier.n_dimensions, n, classifier.n_layers
        if cell.gates == 3:
            self.body = torch.nn.GRU(*sizes, batch_first=True)
        else:
            self.body = torch.nn.RNN(*sizes, nonlinearity="relu", batch_first=True)
        self.readout = torch.nn.Linear(n, classifier.n_classes)
        self.n_classes = int(training.series.n_classes)
        initial = training.initial(classifier, fold)
        inputs = [classifier.n_dimensions, *[n] * (classifier.n_layers - 1)]
        for k, (layer, m) in enumerate(zip(initial["layers"], inputs, strict=True)):
            self._set(self.body, f"weight_hh_l{k}", layer["W"].T, cell.scale("recurrent", n))
            self._set(self.body, f"weight_ih_l{k}", layer["U"].T, cell.scale("input", m))
            self._set(self.body, f"bias_ih_l{k}", layer["b"], cell.scale("bias", 1))
            second = layer.get("c", np.zeros_like(layer["b"]))
            self._set(self.body, f"bias_hh_l{k}", second, float(cell.two_biases))
        self._set(self.readout, "weight", initial["V"].T, cell.scale("readout", n))
        self._set(self.readout, "bias", initial["d"], cell.scale("bias", 1))

    def _set(self, module: Any, name: str, value: Any, scale: float) -> None:
        parameter = getattr(module, name)
        parameter.data = torch.as_tensor(np.ascontiguousarray(value))
        if scale == 0.0:
            parameter.requires_grad = False
        elif scale != 1.0:
            torch.nn.utils.parametrize.register_parametrization(module, name, _NTKScale(scale))

    def forward(self, X: Any) -> Any:
        """Logits (B, C) of series X (B, T, m), for the classes that occur."""
        with torch.nn.utils.parametrize.cached():
            states, _ = self.body(X)
        return self.readout(states[:, -1])[:, : self.n_classes]
