"""One cell of the benchmark: one method on one dataset, from the series to a record (A.1)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

import rntk_bench.kernels
from rntk_bench.config import Experiment
from rntk_bench.data import Dataset, Sequences, unit_norm
from rntk_bench.errors import RntkBenchError
from rntk_bench.kernels import Kernel
from rntk_bench.learn.folds import stratified_folds
from rntk_bench.learn.selection import Choice, Search
from rntk_bench.learn.svc import CrossValidation, SVCOptions, classify
from rntk_bench.methods import Method
from rntk_bench.store.cache import GramCache
from rntk_bench.store.counts import encode_counts
from rntk_bench.store.environment import environment
from rntk_bench.store.records import Record

Array = NDArray[np.float64]
Progress = Callable[[int, int, float], None]
"""Told how many settings are done, of how many, and the best validation accuracy so far."""

TASKS = 64
"""Pieces into which a grid is cut for the threads."""
COMPUTE_STEP, STORE_PAIR, STORE_FILE = 0.65e-9, 15e-9, 0.2e-3
"""Seconds to compute one step of one pair, to store and read it once, and for the file itself,
measured on 390 series of length 300."""


class Stopwatch:
    """Seconds by stage, summed over threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._lock = Lock()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to the stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            with self._lock:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + elapsed


@dataclass(frozen=True)
class Problem:
    """A dataset as the kernels see it: unit norm, the training series sorted by class."""

    dataset: Dataset
    X_train: Sequences
    y_train: NDArray[np.int64]
    X_test: Sequences
    notes: tuple[str, ...]

    @classmethod
    def of(cls, dataset: Dataset) -> Problem:
        """Normalise and sort."""
        order = np.argsort(dataset.y_train, kind="stable")
        notes = []
        sets = []
        for split, X in (("training", dataset.X_train), ("test", dataset.X_test)):
            unit, zero = unit_norm(X)
            sets.append(unit)
            if zero:
                notes.append(f"{len(zero)} {split} series are zero and stay so: rows {zero[:10]}.")
        X_train, X_test = sets
        X_sorted = (
            X_train[order] if isinstance(X_train, np.ndarray) else [X_train[i] for i in order]
        )
        return cls(dataset, X_sorted, dataset.y_train[order], X_test, tuple(notes))


def run_cell(
    dataset: Dataset,
    method: Method,
    experiment: Experiment,
    *,
    n_jobs: int = 1,
    prune: bool = True,
    cache: GramCache | None = None,
    progress: Progress | None = None,
) -> Record:
    """Choose a setting by cross-validation, refit it and score it once on the test set.

    The record is the same for any `n_jobs`, and with or without `prune` and `cache`, but for
    timings and the folds that pruning leaves out.

    Raises
    ------
    RntkBenchError
        If no setting of the grid can be used on this dataset, or the kernel cannot read it.
    """
    watch = Stopwatch()
    with watch("total"):
        problem = Problem.of(dataset)
        options = SVCOptions(experiment.C, experiment.tolerance, experiment.max_iterations)
        fold = stratified_folds(problem.y_train, experiment.n_folds, experiment.seed)
        kernels = method.kernels()
        grams = _Grams(method.kernel, problem, cache, watch)
        search = Search(CrossValidation(problem.y_train, fold, options), len(kernels), prune)
        _evaluate(search, kernels, grams, n_jobs, watch, progress)
        try:
            choice = search.choose()
        except ValueError:
            raise RntkBenchError(
                f"No setting of {method.name}'s grid gives a finite Gram on {dataset.name}."
            ) from None
        kernel, C = kernels[choice.setting], experiment.C[choice.C]
        with watch("test"):
            predictions, unfinished = classify(
                grams.one(kernel), problem.y_train, grams.test(kernel), C, options
            )
    notes = [*problem.notes, *_length_notes(dataset, method)]
    correct = int((predictions == dataset.y_test).sum())
    return Record(
        dataset=dataset.name,
        method=method.name,
        status="ok",
        protocol=method.protocol(experiment),
        data={**describe(dataset), "notes": notes},
        selection=_selection(method, experiment, choice, search),
        test={
            "accuracy": correct / dataset.n_test,
            "correct": correct,
            "n": dataset.n_test,
            "predictions": predictions.tolist(),
            "classes": list(dataset.classes),
        },
        warnings=[*notes, *_warnings(search, unfinished, options)],
        error=None,
        timings={stage: round(seconds, 4) for stage, seconds in watch.seconds.items()},
        environment=environment(),
    )


def failed_cell(
    dataset: Dataset, method: Method, experiment: Experiment, error: RntkBenchError
) -> Record:
    """The record of a cell that could not be computed."""
    return Record(
        dataset=dataset.name,
        method=method.name,
        status="failed",
        protocol=method.protocol(experiment),
        data=describe(dataset),
        selection=None,
        test=None,
        warnings=[],
        error=str(error),
        timings={},
        environment=environment(),
    )


def describe(dataset: Dataset) -> dict[str, Any]:
    """Fingerprint, source and sizes."""
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


def _length_notes(dataset: Dataset, method: Method) -> list[str]:
    if dataset.equal_length:
        return []
    if method.kernel.uses_time:
        return ["Series of different lengths are read at their true lengths."]
    return ["Series of different lengths are padded with zeros at the end."]


def _evaluate(
    search: Search,
    kernels: list[Kernel],
    grams: _Grams,
    n_jobs: int,
    watch: Stopwatch,
    progress: Progress | None,
) -> None:
    batches = type(kernels[0]).batches(kernels)
    size = -(-len(batches) // TASKS)
    tasks = [
        [i for batch in batches[k : k + size] for i in batch] for k in range(0, len(batches), size)
    ]

    def evaluate(task: list[int]) -> int:
        for setting, gram in zip(task, grams.many([kernels[i] for i in task]), strict=True):
            with watch("svm"):
                search.evaluate(setting, gram)
        return len(task)

    # The first alone: it computes what all settings share.
    done = evaluate(tasks[0])
    pool = Parallel(n_jobs=n_jobs, backend="threading", return_as="generator_unordered")
    for finished in pool(delayed(evaluate)(task) for task in tasks[1:]):
        done += finished
        if progress is not None:
            progress(done, len(kernels), search.best_accuracy)


class _Grams:
    """Train and test Grams of one kernel family on one problem, through the cache where it pays."""

    def __init__(
        self, family: type[Kernel], problem: Problem, cache: GramCache | None, watch: Stopwatch
    ) -> None:
        self._family, self._problem, self._watch = family, problem, watch
        with watch("gram"):
            self._train = family.prepare(problem.X_train)
        pays = family.uses_time and worth_storing(len(problem.y_train), problem.dataset.length)
        self._cache = cache if pays else None

    def many(self, kernels: list[Kernel]) -> Iterator[Array]:
        for batch in self._family.batches(kernels):
            yield from self._batch([kernels[position] for position in batch])

    def _batch(self, kernels: list[Kernel]) -> Iterator[Array]:
        """Grams that share work: those not stored are computed together."""
        stored = [self._stored(kernel, "train") for kernel in kernels]
        missing = [k for k, gram in zip(kernels, stored, strict=True) if gram is None]
        computed = self._family.grams(missing, self._train)
        for kernel, gram in zip(kernels, stored, strict=True):
            if gram is None:
                with self._watch("gram"):
                    gram = next(computed)
                self._store(kernel, "train", gram)
            yield gram

    def one(self, kernel: Kernel) -> Array:
        """Kernel (n_train, n_train) of the training series."""
        return next(self._batch([kernel]))

    def test(self, kernel: Kernel) -> Array:
        """Kernel (n_train, n_test) of the training with the test series."""
        gram = self._stored(kernel, "test")
        if gram is None:
            with self._watch("gram"):
                X, Y = self._problem.X_train, self._problem.X_test
                gram = kernel.gram(self._family.prepare(X, Y))
            self._store(kernel, "test", gram)
        return gram

    def _stored(self, kernel: Kernel, part: str) -> Array | None:
        if self._cache is None:
            return None
        n, train = len(self._problem.y_train), part == "train"
        shape = n, n if train else self._problem.dataset.n_test
        with self._watch("cache"):
            return self._cache.get(self._key(kernel, part), shape, symmetric=train)

    def _store(self, kernel: Kernel, part: str, gram: Array) -> None:
        if self._cache is not None:
            with self._watch("cache"):
                self._cache.put(self._key(kernel, part), gram, symmetric=part == "train")

    def _key(self, kernel: Kernel, part: str) -> str:
        identity = (self._problem.dataset.fingerprint, part, repr(kernel), code_version())
        return hashlib.sha256("\n".join(identity).encode()).hexdigest()


def worth_storing(n: int, length: int) -> bool:
    """Whether a Gram of n series costs more to compute than to store and read once."""
    pairs = n * n / 2
    return pairs * length * COMPUTE_STEP > pairs * STORE_PAIR + STORE_FILE


@cache
def code_version() -> str:
    """Digest of the kernels' source, so that no Gram outlives the code that computed it."""
    digest = hashlib.sha256()
    for path in sorted(Path(rntk_bench.kernels.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _selection(
    method: Method, experiment: Experiment, choice: Choice, search: Search
) -> dict[str, Any]:
    return {
        "setting": method.settings()[choice.setting],
        "setting_index": choice.setting,
        "C": experiment.C[choice.C],
        "accuracy": choice.accuracy,
        "ties": choice.ties,
        "n_settings": len(search.usable),
        "unusable_settings": np.flatnonzero(~search.usable).tolist(),
        "fold_sizes": search.validation.fold_sizes.tolist(),
        "pruned": search.prune,
        "hits": encode_counts(search.hits.astype(np.int16)),
    }


def _warnings(search: Search, unfinished: int, options: SVCOptions) -> list[str]:
    messages = []
    if unusable := int((~search.usable).sum()):
        messages.append(f"{unusable} settings overflow on this dataset and were not considered.")
    bound = f"stopped at the bound of {options.max_iterations} steps"
    if hard := search.unfinished_settings:
        messages.append(f"In {hard} settings a cross-validation problem {bound}.")
    if unfinished:
        messages.append(f"{unfinished} problems of the final fit {bound}.")
    return messages
