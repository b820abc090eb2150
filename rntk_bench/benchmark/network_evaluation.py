"""Evaluates a finite network: cross-validated training, the choice and its test (A.1)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rntk_bench.benchmark.evaluation import Problem, Progress, Stopwatch, finished_record
from rntk_bench.benchmark.tested_networks import classify_retrained, classify_test
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.errors import RntkBenchError
from rntk_bench.methods import NetworkMethod
from rntk_bench.networks.cross_validation import (
    TrainedRun,
    Training,
    TrainingCurve,
    TrainingOptions,
)
from rntk_bench.networks.early_stopping import NetworkChoice, NetworkSearch
from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.pool import Setting, train_all, trained_by
from rntk_bench.networks.schedule import Task
from rntk_bench.networks.series import pad_series, round_up_size
from rntk_bench.storage.checkpoint import Checkpoint
from rntk_bench.storage.environment import environment
from rntk_bench.storage.integers import pack_counts, pack_integers
from rntk_bench.storage.records import Record
from rntk_bench.svm.folds import fold_note
from rntk_bench.svm.grid_search import undecided_message


def evaluate_network(
    dataset: Dataset,
    method: NetworkMethod,
    experiment: Experiment,
    *,
    n_jobs: int = 1,
    prune: bool = True,
    checkpoint_path: Path | None = None,
    progress: Progress | None = None,
) -> Record:
    """Choose a setting by cross-validation, and score it once on the test set.

    The protocol says which network of the setting is tested. On the same kind of device and with
    the same versions the record is the same for any `n_jobs`, and with or without `prune`, but for
    timings and for the folds that pruning leaves out.

    Parameters
    ----------
    checkpoint_path : Path, optional
        File of the finished runs. These are not trained again, unless their weights are needed. The
        file can be removed when the record is stored.

    Raises
    ------
    RntkBenchError
        If no run finishes an epoch, or the chosen network's outputs on the test set overflow.
    TimeLimitError
        If the `Deadline` around the call passes; on an accelerator some more epochs are trained.
    """
    if dataset.n_train < 2:
        raise RntkBenchError(
            f"{dataset.name} has a single training series, and networks need two; use a kernel."
        )
    watch = Stopwatch()
    with watch("total"):
        problem = network_problem(dataset, experiment)
        training = make_training(problem, experiment)
        settings = network_settings(dataset, method)
        search = NetworkSearch(np.bincount(training.fold), len(settings), prune)
        checkpoint = None
        if checkpoint_path:
            checkpoint = Checkpoint(checkpoint_path, _header(dataset, method, experiment))
        runs = _Runs(search, len(settings), checkpoint, progress)
        watch.add("total", runs.elapsed_before)
        train_all(training, settings, runs.missing, runs.upper_bound, runs.add, n_jobs)
        watch.add("training", runs.seconds)
        try:
            choice = search.choose(method.default_setting, experiment.network.max_epochs)
        except ValueError:
            raise RntkBenchError(
                f"Every network of {method.name}'s grid diverges on {dataset.name} in its first "
                "epoch; try smaller learning rates."
            ) from None
        warnings, setting = runs.warnings(), settings[choice.setting]
        with watch("test"):
            weights = runs.weights(choice, training, settings, n_jobs)
            tested = classify_test(problem, setting, weights)
            match experiment.network.final:
                case "best-fold":
                    predictions = tested.folds[choice.best_fold]
                case "ensemble":
                    predictions = tested.ensemble
                case _:
                    predictions = classify_retrained(problem, training, setting, choice, warnings)
    if predictions is None:
        raise RntkBenchError(
            f"The chosen network of {method.name} overflows on the test series of {dataset.name}; "
            "scale them down, or try smaller learning rates."
        )
    if choice.by_default:
        warnings.append(undecided_message(f"{choice.ties} settings", choice.accuracy))
    record = finished_record(
        problem,
        method,
        experiment,
        selection=_selection(method, experiment, choice, search, runs),
        predictions=predictions,
        notes=_notes(dataset, training.n_folds, experiment.network.n_folds),
        warnings=warnings,
        watch=watch,
        trained_by=trained_by(),
    )
    return replace(record, test=(record.test or {}) | tested.correct(dataset.y_test))


def _notes(dataset: Dataset, n_folds: int, wanted: int) -> list[str]:
    lengths = "Series of different lengths are read at their true lengths."
    fewer = fold_note(n_folds, wanted, dataset.n_train)
    return [lengths] * (not dataset.equal_length) + ([fewer] if fewer else [])


def _header(dataset: Dataset, method: NetworkMethod, experiment: Experiment) -> dict[str, Any]:
    """Everything on which the result of a run depends."""
    machine = {key: value for key, value in environment().items() if key != "cores"}
    return {
        "data": dataset.fingerprint,
        "protocol": method.protocol(experiment),
        **trained_by(),
        "entry": [*TrainingCurve._fields, "elapsed"],
        **machine,
    }


def network_problem(dataset: Dataset, experiment: Experiment) -> Problem:
    """A dataset as the experiment's networks read it."""
    return Problem.of(dataset, experiment.network.input)


def make_training(problem: Problem, experiment: Experiment) -> Training:
    """The training set, folds and rules with which the experiment trains networks."""
    protocol, dataset = experiment.network, problem.dataset
    return Training(
        pad_series(problem.X_train, problem.y_train, dataset.n_classes),
        problem.folds(protocol.n_folds, experiment.seed)[0],
        TrainingOptions(
            protocol.decay,
            protocol.epsilon,
            protocol.patience,
            protocol.criterion,
            protocol.clip,
        ),
        protocol.batch_size,
        protocol.max_epochs,
        experiment.seed,
    )


def network_settings(dataset: Dataset, method: NetworkMethod) -> list[Setting]:
    """The network and the learning rate of each of a method's settings."""
    n_classes = round_up_size(dataset.n_classes)
    return [
        (
            Classifier(
                method.name,
                int(setting["width"]),
                int(setting["n_layers"]),
                dataset.n_dimensions,
                n_classes,
            ),
            float(setting["learning_rate"]),
        )
        for setting in method.settings
    ]


class _Runs:
    """The training runs of an evaluation, including those of an interrupted one.

    Attributes
    ----------
    elapsed_before : float
        Seconds that the evaluation took until the last run of the checkpoint had ended.
    """

    def __init__(
        self,
        search: NetworkSearch,
        n_settings: int,
        checkpoint: Checkpoint | None,
        progress: Progress | None,
    ) -> None:
        folds = range(len(search.fold_sizes))
        self._tasks = [(setting, fold) for setting in range(n_settings) for fold in folds]
        self._search, self._checkpoint, self._progress = search, checkpoint, progress
        self._curves: dict[Task, TrainingCurve] = {}
        self._weights: dict[Task, Parameters] = {}
        entries = checkpoint.entries if checkpoint else []
        for entry in entries:
            curve = TrainingCurve(*(entry[key] for key in TrainingCurve._fields))
            self._add_curve((entry["setting"], entry["fold"]), curve)
        self.elapsed_before = entries[-1]["elapsed"] if entries else 0.0
        self._start = time.perf_counter()
        self._report()

    @property
    def missing(self) -> list[Task]:
        """The runs that are not finished."""
        return [task for task in self._tasks if task not in self._curves]

    @property
    def seconds(self) -> float:
        """The time of all runs."""
        return sum(curve.seconds for curve in self._curves.values())

    def upper_bound(self, task: Task) -> int | None:
        """The highest score that the run's setting can have; None if it is not needed."""
        return self._search.upper_bound(*task)

    def add(self, task: Task, trained: TrainedRun) -> None:
        """Add a finished run, and append it to the checkpoint."""
        if self._checkpoint is not None:
            setting, fold = task
            elapsed = round(self.elapsed_before + time.perf_counter() - self._start, 4)
            entry = {"setting": setting, "fold": fold, "elapsed": elapsed}
            self._checkpoint.append(entry | trained.curve._asdict())
        self._add_curve(task, trained.curve)
        self._weights[task] = trained.weights
        for other in list(self._weights):  # only the weights that may be needed
            if not self._search.may_be_chosen(other[0]):
                del self._weights[other]
        self._report()

    def weights(
        self,
        choice: NetworkChoice,
        training: Training,
        settings: Sequence[Setting],
        n_jobs: int,
    ) -> list[Parameters | None]:
        """The weights of the best epoch of each fold of the chosen setting, None if there is none.

        The runs of an interrupted evaluation are trained once more, since a checkpoint has no
        weights.
        """

        def keep(task: Task, trained: TrainedRun) -> None:
            self._weights[task] = trained.weights

        tasks = [(choice.setting, fold) for fold in range(len(choice.best_epochs))]
        needed = [task for task in tasks if self._curves[task].best_epoch]
        missing = [task for task in needed if task not in self._weights]
        if missing:
            train_all(training, settings, missing, lambda _: 0, keep, n_jobs)
        return [self._weights[task] if task in needed else None for task in tasks]

    @property
    def diverged(self) -> list[Task]:
        """Settings and folds of the runs that diverged, of those that the choice needs."""
        needed = self._search.needed
        return sorted(task for task, curve in self._curves.items() if curve.diverged & needed[task])

    def warnings(self) -> list[str]:
        """The warnings for the record."""
        if not self.diverged:
            return []
        return [
            f"{len(self.diverged)} of {self._search.needed.sum()} runs diverged and count with "
            "their accuracy before."
        ]

    def _add_curve(self, task: Task, curve: TrainingCurve) -> None:
        self._curves[task] = curve
        self._search.add(*task, curve.n_correct, curve.best_epoch, curve.loss)

    def _report(self) -> None:
        if self._progress is not None:
            left = sum(self.upper_bound(task) is not None for task in self.missing)
            total = len(self._tasks)
            self._progress(total - left, total, self._search.best_accuracy)


def _selection(
    method: NetworkMethod,
    experiment: Experiment,
    choice: NetworkChoice,
    search: NetworkSearch,
    runs: _Runs,
) -> dict[str, Any]:
    epochs = {
        "best-fold": {"epochs": choice.best_epochs[choice.best_fold]},
        "ensemble": {},
        "retrain": {"epochs": choice.n_epochs},
    }[experiment.network.final]
    return {
        "axes": list(method.grid),
        "setting": method.settings[choice.setting],
        "setting_index": choice.setting,
        "accuracy": choice.accuracy,
        "ties": choice.ties,
        "n_settings": len(method.settings),
        "fold_sizes": search.fold_sizes.tolist(),
        "best_epochs": choice.best_epochs,
        "best_fold": choice.best_fold,
        **epochs,
        "diverged": [list(task) for task in runs.diverged],
        "pruned": search.prune,
        "n_correct": pack_counts(search.n_correct),
        "run_epochs": pack_integers(search.best_epochs.astype(np.int32)),
        **({"by_default": True} if choice.by_default else {}),
    }
