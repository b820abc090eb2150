"""What the evaluations of all methods share: the prepared data, the timings and the record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from traceback import clear_frames, format_exception
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset, InputScaling, Sequences
from rntk_bench.datasets.dataset import take_series
from rntk_bench.datasets.preprocess import zero_series
from rntk_bench.errors import RntkBenchError, StorageError, find_interrupt
from rntk_bench.methods import Method
from rntk_bench.storage.environment import environment
from rntk_bench.storage.integers import pack_integers
from rntk_bench.storage.records import Record
from rntk_bench.svm.folds import repeated_folds

REASON_LENGTH = 300
"""Characters of an exception's message that a reason contains; the traceback contains them all."""

Progress = Callable[[int, int, float], None]
"""Receives how many parts are done, how many there are, and the best validation accuracy so far."""


class Stopwatch:
    """Seconds for each stage, summed over threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._lock = Lock()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time spent inside the block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - start)

    def add(self, stage: str, seconds: float) -> None:
        """Add seconds to a stage."""
        with self._lock:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds


@dataclass(frozen=True)
class Problem:
    """A dataset as a method sees it, the training series sorted by class.

    Attributes
    ----------
    order : (n_train,) row in the dataset of each of the sorted series
    """

    dataset: Dataset
    order: NDArray[np.int64]
    X_train: Sequences
    y_train: NDArray[np.int64]
    X_test: Sequences
    notes: tuple[str, ...]

    @classmethod
    def of(cls, dataset: Dataset, input: str = "unit-norm") -> Problem:
        """Sort the training series, and scale all series by the `InputScaling` of this name."""
        scaling = InputScaling.fit(input, dataset.X_train)
        notes = []
        sets = [dataset.X_train, dataset.X_test]
        for k, split in enumerate(("training", "test") if input != "archive" else ()):
            zero = zero_series(sets[k])
            if zero:
                notes.append(f"{len(zero)} {split} series are zero and stay so: rows {zero[:10]}.")
            sets[k] = scaling(sets[k])
            constant = [i for i in zero_series(sets[k]) if i not in zero]
            if constant:
                notes.append(
                    f"{len(constant)} {split} series are constant, and zero by input {input!r}: "
                    f"rows {constant[:10]}."
                )
        X_train, X_test = sets
        order = np.argsort(dataset.y_train, kind="stable")
        X_sorted, y_sorted = take_series(X_train, order), dataset.y_train[order]
        return cls(dataset, order, X_sorted, y_sorted, X_test, tuple(notes))

    def folds(self, n_folds: int, seed: int, n_repeats: int = 1) -> list[NDArray[np.int64]]:
        """The fold (n_train,) of each of the sorted series, in each of several cross-validations.

        See `repeated_folds`.
        """
        repeats = repeated_folds(self.dataset.y_train, n_folds, n_repeats, seed)
        return [fold[self.order] for fold in repeats]


def finished_record(
    problem: Problem,
    method: Method,
    experiment: Experiment,
    *,
    selection: dict[str, Any],
    predictions: NDArray[np.int64],
    notes: Sequence[str],
    warnings: Sequence[str],
    watch: Stopwatch,
    trained_by: Mapping[str, str] | None = None,
) -> Record:
    """The record of an evaluation, from its choice and its test predictions (n_test,).

    For a network, `trained_by` names the device and the program that trained it.
    """
    dataset, notes = problem.dataset, [*problem.notes, *notes]
    correct = int((predictions == dataset.y_test).sum())
    return Record(
        dataset=dataset.name,
        method=method.name,
        status="ok",
        protocol=method.protocol(experiment),
        data={**describe_dataset(dataset), "notes": notes},
        selection=selection,
        test={
            "accuracy": correct / dataset.n_test,
            "correct": correct,
            "n": dataset.n_test,
            "predictions": pack_integers(
                predictions.astype(np.min_scalar_type(dataset.n_classes - 1))
            ),
            "classes": list(dataset.classes),
        },
        warnings=[*notes, *warnings],
        error=None,
        timings={stage: round(seconds, 4) for stage, seconds in watch.seconds.items()},
        environment=environment() | dict(trained_by or {}),
    )


def raise_if_fatal(error: Exception) -> None:
    """Raise an error that ends the run rather than failing one evaluation.

    Raises
    ------
    StorageError
        If a result could not be written, since then no record could be.
    KeyboardInterrupt
        Also if compiled code has turned it into another exception.
    """
    if isinstance(error, StorageError):
        raise error
    if interrupt := find_interrupt(error):
        raise interrupt from None


def failed_record(
    dataset: Dataset, method: Method, experiment: Experiment, error: Exception
) -> Record:
    """The record of an evaluation that failed, with a traceback if the error is unexpected."""
    trace = None if isinstance(error, RntkBenchError) else "".join(format_exception(error))
    # The frames hold arrays, and the reason may be a lack of memory.
    clear_frames(error.__traceback__)
    return Record(
        dataset=dataset.name,
        method=method.name,
        status="failed",
        protocol=method.protocol(experiment),
        data=describe_dataset(dataset),
        selection=None,
        test=None,
        warnings=[],
        error=failure_reason(error),
        timings={},
        environment=environment(),
        traceback=trace,
    )


def failure_reason(error: Exception) -> str:
    """Why something failed, in one line, with the type of an exception that is unexpected."""
    text = str(error)
    if isinstance(error, RntkBenchError):
        return text
    text = " ".join(text.split()).rstrip(".")
    text = f": {text[:REASON_LENGTH]}" if text else ""
    if isinstance(error, MemoryError):
        return (
            f"The memory did not suffice (MemoryError{text}); give it more, or use fewer --jobs "
            "or a lower --memory-limit."
        )
    return f"It was ended by an unexpected {type(error).__name__}{text}."


def describe_dataset(dataset: Dataset) -> dict[str, Any]:
    """A dataset's fingerprint, source and sizes, for records."""
    return {
        "fingerprint": dataset.fingerprint,
        "source": dataset.source,
        "n_train": dataset.n_train,
        "n_test": dataset.n_test,
        "length": dataset.length,
        "equal_length": dataset.equal_length,
        "n_dimensions": dataset.n_dimensions,
        "n_classes": dataset.n_classes,
    }
