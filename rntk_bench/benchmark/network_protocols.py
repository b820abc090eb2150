"""Compares protocols for the training of finite networks, by the training sets alone.

Of the folds of a training set, one is used for early stopping, one for scoring the stopped
network, and the rest for training; every fold is used for scoring once. (If the same fold were
used for both, longer training would always look better.) For each size of mini-batches, networks
are trained to the last epoch once; where a shorter patience or another criterion would have
stopped is read off the learning curves.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from rntk_bench.benchmark.evaluation import Problem
from rntk_bench.benchmark.network_evaluation import make_training, network_problem, network_settings
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.datasets.dataset import take_series
from rntk_bench.errors import InputError, StorageError
from rntk_bench.methods import NetworkMethod, resolve
from rntk_bench.networks.cross_validation import Training
from rntk_bench.networks.early_stopping import NetworkSearch, stopped_epochs
from rntk_bench.networks.full_training import FullCurve, train_all_epochs
from rntk_bench.networks.pool import call_all
from rntk_bench.networks.series import PaddedSeries, pad_series
from rntk_bench.storage.atomic import write_atomically
from rntk_bench.storage.records import protocol_id
from rntk_bench.types import BoolArray

BATCH_SIZES = (4, 8, 16, 32)
PATIENCE = (5, 20, 50, 200)
CRITERIA = ("accuracy", "loss")

Row = dict[str, str]


@dataclass(frozen=True)
class Comparison:
    """A method on a dataset with one size of mini-batches and every patience and criterion.

    The dataset is loaded by its name when it is needed: what is finished needs no data. But where
    `fingerprint` knows the dataset, what is finished must be of the same data.
    """

    dataset: str
    method: NetworkMethod
    experiment: Experiment
    load: Callable[[str], Dataset]
    fingerprint: Callable[[str], str | None] = lambda _: None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The first fields of its rows: dataset, method, batch size and protocol of the runs."""
        identifier = protocol_id(self.method.protocol(self.experiment))
        batch_size = str(self.experiment.network.batch_size)
        return self.dataset, self.method.name, batch_size, identifier

    def is_finished(self, rows: Sequence[Row]) -> bool:
        """Whether these rows are all that it has, and of the dataset as it is now."""
        if len(rows) != len(CRITERIA) * len(PATIENCE):
            return False
        known = self.fingerprint(self.dataset)
        return known is None or all(row["data"] == short_fingerprint(known) for row in rows)

    def rows(self, n_jobs: int) -> list[Row]:
        """Train all runs, and determine the choice of every protocol from their curves."""
        dataset = self.load(self.dataset)
        problem = network_problem(dataset, self.experiment)
        training = make_training(problem, self.experiment)
        if training.n_folds < 3:
            raise InputError(
                f"{self.dataset} has {training.n_folds} folds, but a comparison of protocols needs "
                "three, to train, to stop and to score; leave it out, or raise network.n_folds."
            )
        curves = self._curves(problem, training, n_jobs)
        return [
            self._row(training, curves, patience, criterion)
            | {"data": short_fingerprint(dataset.fingerprint)}
            for criterion in CRITERIA
            for patience in PATIENCE
        ]

    def _curves(
        self, problem: Problem, training: Training, n_jobs: int
    ) -> dict[tuple[int, int], FullCurve]:
        """The learning curve of each setting and scoring fold."""
        settings = network_settings(problem.dataset, self.method)
        rotations = [_rotation(problem, training, fold) for fold in range(training.n_folds)]
        tasks = [
            (setting, fold) for setting in range(len(settings)) for fold in range(training.n_folds)
        ]
        calls = []
        for setting, fold in tasks:
            rest, to_score, n_scoring = rotations[fold]
            network, rate = settings[setting]
            stopping = _stopping(training, fold)
            calls.append((rest, network, stopping, rate, to_score, n_scoring))
        return dict(zip(tasks, call_all(train_all_epochs, calls, n_jobs), strict=True))

    def _row(
        self,
        training: Training,
        curves: dict[tuple[int, int], FullCurve],
        patience: int,
        criterion: str,
    ) -> Row:
        sizes = np.bincount(training.fold)
        folds = range(training.n_folds)
        stopping = np.array([sizes[_stopping(training, fold)] for fold in folds])
        settings = self.method.settings
        search = NetworkSearch(stopping, len(settings), prune=False)
        epochs = {}
        for (setting, fold), curve in curves.items():
            n, best = stopped_epochs(
                curve.n_correct, curve.losses, stopping[fold], patience, criterion
            )
            epochs[setting, fold] = n
            search.add(
                setting, fold, curve.n_correct[:n], best, curve.losses[best - 1] if best else 0.0
            )
        choice = search.choose()
        scored = [
            Fraction(curves[choice.setting, fold].n_correct_evaluation[best - 1], int(sizes[fold]))
            if best
            else Fraction(0)
            for fold, best in enumerate(choice.best_epochs)
        ]
        values = {
            "criterion": criterion,
            "patience": patience,
            **settings[choice.setting],
            "validation": f"{choice.accuracy:.6f}",
            "scored": f"{float(sum(scored) / len(scored)):.6f}",
            "epochs": sum(epochs.values()),
            "seconds": f"{sum(curve.seconds for curve in curves.values()):.1f}",
        }
        key = dict(zip(_KEY, self.key, strict=True))
        return key | {name: str(value) for name, value in values.items()}


_KEY = ("dataset", "method", "batch_size", "protocol")
_FIELDS = (
    *_KEY,
    "data",
    *("criterion", "patience", "n_layers", "width", "learning_rate"),
    *("validation", "scored", "epochs", "seconds"),
)


def compare(comparisons: Sequence[Comparison], path: Path, n_jobs: int) -> Iterator[list[Row]]:
    """Compute the comparisons that the file lacks, add each to it, and yield its rows.

    Rows of a comparison that is incomplete, or of other data, are replaced.

    Raises
    ------
    StorageError
        If the file cannot be written.
    InputError
        As for `read_rows`.
    """
    stored: dict[tuple[str, ...], list[Row]] = {}
    for row in read_rows(path):
        stored.setdefault(_key(row), []).append(row)
    for comparison in comparisons:
        if not comparison.is_finished(stored.get(comparison.key, [])):
            new = comparison.rows(n_jobs)
            stored.pop(comparison.key, None)
            stored[comparison.key] = new
            _write_rows(path, [row for rows in stored.values() for row in rows])
            yield new


def short_fingerprint(fingerprint: str) -> str:
    """The first digits of a dataset's fingerprint, which tell its versions apart."""
    return fingerprint[:12]


def rows_of(comparisons: Sequence[Comparison], path: Path) -> list[Row]:
    """The rows of these comparisons in a file of `compare`, which may have others.

    Raises
    ------
    InputError
        As for `read_rows`.
    """
    keys = {comparison.key for comparison in comparisons}
    return [row for row in read_rows(path) if _key(row) in keys]


def _key(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in _KEY)


def read_rows(path: Path) -> list[Row]:
    """The rows of a file of `compare`; none if there is no file.

    Raises
    ------
    InputError
        If the file cannot be read, or contains something else.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, strict=True)
            rows = list(reader)
            valid = tuple(reader.fieldnames or ()) == _FIELDS and all(map(_is_row, rows))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (csv.Error, UnicodeDecodeError):
        valid = False
    if not valid:
        raise InputError(
            f"{path} is not the result of a comparison of protocols; choose another file."
        )
    return rows


def _is_row(row: Row) -> bool:
    """Whether a row has all its fields and no more, and numbers where numbers are read."""
    try:
        _ = int(row["batch_size"]), int(row["patience"])
        shares = float(row["scored"]), float(row["validation"])
    except (TypeError, ValueError):  # a missing field is None
        return False
    return (
        all(0.0 <= share <= 1.0 for share in shares)
        and None not in row
        and None not in row.values()
    )


def _rotation(
    problem: Problem, training: Training, fold: int
) -> tuple[Training, PaddedSeries, int]:
    """The training without a fold, and the series of the fold, which are used for scoring."""
    scoring = training.fold == fold

    def padded(rows: BoolArray) -> PaddedSeries:
        series = take_series(problem.X_train, rows)
        return pad_series(series, problem.y_train[rows], problem.dataset.n_classes)

    rest = replace(training, series=padded(~scoring), fold=training.fold[~scoring])
    return rest, padded(scoring), int(scoring.sum())


def _stopping(training: Training, fold: int) -> int:
    """The fold for early stopping if this one is used for scoring."""
    return (fold + 1) % training.n_folds


def _write_rows(path: Path, rows: Sequence[Row]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, _FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    try:
        write_atomically(path, text.getvalue().encode())
    except OSError as error:
        raise StorageError(f"Cannot write {path}: {error.strerror}; make room for it.") from error


def comparisons(
    experiment: Experiment,
    datasets: Sequence[str],
    load: Callable[[str], Dataset],
    fingerprint: Callable[[str], str | None],
) -> list[Comparison]:
    """The comparisons of the experiment's networks, with each size of mini-batches.

    Parameters
    ----------
    experiment : Experiment
    datasets : sequence of str
    load : callable
        Loads a dataset by its name.
    fingerprint : callable
        The fingerprint of a dataset that is on this machine, otherwise None.

    Raises
    ------
    InputError
        If the experiment has no finite network.
    """
    methods = [method for method in resolve(experiment) if isinstance(method, NetworkMethod)]
    if not methods:
        raise InputError("The configuration has no finite network among its methods; add one.")
    return [
        Comparison(name, method, replace(experiment, network=network), load, fingerprint)
        for name in datasets
        for method in methods
        for network in (replace(experiment.network, batch_size=size) for size in BATCH_SIZES)
    ]
