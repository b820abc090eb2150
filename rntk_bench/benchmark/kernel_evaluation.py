"""A kernel's cell: Grams, cross-validated SVMs, the choice and its test (A.1)."""

from __future__ import annotations

import hashlib
import inspect
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import rntk_bench.kernels
from rntk_bench.benchmark.evaluation import Problem, Progress, Stopwatch, finished_record
from rntk_bench.benchmark.parallel import evaluate_grid
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.errors import RntkBenchError
from rntk_bench.kernels import Kernel
from rntk_bench.methods import KernelMethod
from rntk_bench.storage.cache import GramCache
from rntk_bench.storage.counts import encode_counts
from rntk_bench.storage.environment import source_digest
from rntk_bench.storage.records import Record
from rntk_bench.svm.folds import stratified_folds
from rntk_bench.svm.grid_search import Choice, Search, undecided
from rntk_bench.svm.svc import CrossValidation, SVCOptions, classify

Array = NDArray[np.float64]
COMPUTE_STEP, STORE_PAIR, STORE_FILE = 0.65e-9, 15e-9, 0.2e-3
"""Seconds to compute one step of one pair, to store and read it once, and for the file itself,
measured on 390 series of length 300."""


def evaluate_kernel(
    dataset: Dataset,
    method: KernelMethod,
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
    TimeLimitError
        If the `Deadline` around the call passes.
    """
    cell = KernelEvaluation(dataset, method, experiment, prune=prune, cache=cache)
    with cell.watch("total"):
        search = cell.search()
        cell.evaluate(search, range(len(cell.kernels)), n_jobs, progress)
        fit = cell.fit(search)
    return cell.record(search, fit)


class KernelEvaluation:
    """What the pieces of one cell share: its problem, its folds and its Grams.

    Raises
    ------
    RntkBenchError
        If the kernel cannot read the dataset.
    """

    def __init__(
        self,
        dataset: Dataset,
        method: KernelMethod,
        experiment: Experiment,
        *,
        prune: bool = True,
        cache: GramCache | None = None,
    ) -> None:
        self.method, self.experiment, self.prune = method, experiment, prune
        self.watch = Stopwatch()
        with self.watch("total"):
            self.problem = Problem.of(dataset)
            self.kernels = method.kernels()
            self._options = SVCOptions(
                experiment.C, experiment.tolerance, experiment.max_iterations
            )
            y = self.problem.y_train
            fold = stratified_folds(y, experiment.n_folds, experiment.seed)
            self._validation = CrossValidation(y, fold, self._options)
            self._grams = _Grams(method.kernel, self.problem, cache, self.watch)

    def search(self, best: int = 0) -> Search:
        """A search that has evaluated nothing, but may know of a score reached elsewhere."""
        return Search(self._validation, len(self.kernels), self.prune, best)

    def evaluate(
        self,
        search: Search,
        settings: Sequence[int],
        n_jobs: int = 1,
        progress: Progress | None = None,
    ) -> None:
        """Cross-validate some settings of the grid."""

        def evaluate(position: int, gram: Array) -> None:
            with self.watch("svm"):
                search.evaluate(settings[position], gram)

        def report(done: int) -> None:
            if progress is not None:
                progress(done, len(settings), search.best_accuracy)

        kernels = [self.kernels[i] for i in settings]
        evaluate_grid(kernels, self._grams.many, evaluate, n_jobs, report)

    def fit(self, search: Search) -> Fit:
        """Choose, train on everything and classify the test series.

        Raises
        ------
        RntkBenchError
            If no setting of the grid can be used on this dataset, or the chosen one not on its
            test series.
        """
        name = self.problem.dataset.name
        try:
            choice = search.choose(self.method.default_setting)
        except ValueError:
            found = " or ".join(sorted(set(search.flaws.values())))
            raise RntkBenchError(
                f"No setting of {self.method.name}'s grid can be used on {name}: the Gram {found}."
            ) from None
        kernel, C = self.kernels[choice.setting], self.experiment.C[choice.C]
        with self.watch("test"), np.errstate(all="ignore"):
            test = self._grams.test(kernel)
            if not np.isfinite(test).all():
                raise RntkBenchError(
                    f"The chosen setting of {self.method.name} overflows on the test series of "
                    f"{name}."
                )
            train = self._grams.one(kernel)
            return Fit(choice, *classify(train, self.problem.y_train, test, C, self._options))

    def record(self, search: Search, fit: Fit) -> Record:
        """The record of a cell that is done."""
        return finished_record(
            self.problem,
            self.method,
            self.experiment,
            selection=_selection(self.method, self.experiment, fit.choice, search),
            predictions=fit.predictions,
            notes=_length_notes(self.problem.dataset, self.method),
            warnings=_warnings(search, fit, self._options),
            watch=self.watch,
        )


class Fit(NamedTuple):
    """The choice, its predictions (n_test,), and its problems that stopped at the bound."""

    choice: Choice
    predictions: NDArray[np.int64]
    unfinished: int


def _length_notes(dataset: Dataset, method: KernelMethod) -> list[str]:
    if dataset.equal_length:
        return []
    if method.kernel.uses_time:
        return ["Series of different lengths are read at their true lengths."]
    return ["Series of different lengths are padded with zeros at the end."]


class _Grams:
    """Train and test Grams of one kernel family on one problem, through the cache where it pays."""

    def __init__(
        self, family: type[Kernel], problem: Problem, cache: GramCache | None, watch: Stopwatch
    ) -> None:
        self._family, self._problem, self._watch = family, problem, watch
        self._X_train, self._X_test = family.read_alike(problem.X_train, problem.X_test)
        with watch("gram"):
            self._train = family.prepare(self._X_train)
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
                gram = kernel.gram(self._family.prepare(self._X_train, self._X_test))
            self._store(kernel, "test", gram)
        return gram

    def _stored(self, kernel: Kernel, part: str) -> Array | None:
        key = self._key(kernel, part)
        if self._cache is None or key is None:
            return None
        n, train = len(self._problem.y_train), part == "train"
        shape = n, n if train else self._problem.dataset.n_test
        with self._watch("cache"):
            return self._cache.get(key, shape, symmetric=train)

    def _store(self, kernel: Kernel, part: str, gram: Array) -> None:
        key = self._key(kernel, part)
        if self._cache is not None and key is not None:
            with self._watch("cache"):
                self._cache.put(key, gram, symmetric=part == "train")

    def _key(self, kernel: Kernel, part: str) -> str | None:
        if self._cache is None or (identity := gram_identity(kernel)) is None:
            return None
        text = "\n".join((self._problem.dataset.fingerprint, part, identity))
        return hashlib.sha256(text.encode()).hexdigest()


def worth_storing(n: int, length: int) -> bool:
    """Whether a Gram of n series costs more to compute than to store and read once."""
    pairs = n * n / 2
    return pairs * length * COMPUTE_STEP > pairs * STORE_PAIR + STORE_FILE


def gram_identity(kernel: Kernel) -> str | None:
    """What the Grams of this kernel have in common, and of no other: its key and source code.

    None where they do not tell kernels apart: the kernel has no key, or its class was not
    defined in a file.
    """
    key = kernel.cache_key()
    try:
        return None if key is None else f"{key}\n{_code_version(type(kernel))}"
    except (OSError, TypeError):
        return None


@cache
def _code_version(family: type[Kernel]) -> str:
    """Digest of the source of all kernels and of the modules of the family and its bases."""
    digest = hashlib.sha256(source_digest(rntk_bench.kernels).encode())
    for cls in family.__mro__:
        if issubclass(cls, Kernel):
            digest.update(Path(inspect.getfile(cls)).read_bytes())
    return digest.hexdigest()


def _selection(
    method: KernelMethod, experiment: Experiment, choice: Choice, search: Search
) -> dict[str, Any]:
    return {
        "axes": list(method.grid),
        "setting": method.settings()[choice.setting],
        "setting_index": choice.setting,
        "C": experiment.C[choice.C],
        "accuracy": choice.accuracy,
        "ties": choice.ties,
        "n_settings": len(method.settings()),
        "unusable_settings": sorted(search.flaws),
        "flaws": [search.flaws[setting] for setting in sorted(search.flaws)],
        "fold_sizes": search.validation.fold_sizes.tolist(),
        "pruned": search.prune,
        "hits": encode_counts(search.hits.astype(np.int16)),
        **({"by_default": True} if choice.by_default else {}),
    }


def _warnings(search: Search, fit: Fit, options: SVCOptions) -> list[str]:
    choice, messages = fit.choice, []
    if choice.by_default:
        messages.append(undecided(f"{choice.ties} pairs of setting and C", choice.accuracy))
    for found, count in sorted(Counter(search.flaws.values()).items()):
        messages.append(f"The Gram of {count} settings {found}; they were not considered.")
    bound = f"stopped at the bound of {options.max_iterations} steps"
    if hard := search.unfinished_settings:
        messages.append(f"In {hard} settings a cross-validation problem {bound}.")
    if fit.unfinished:
        messages.append(f"{fit.unfinished} problems of the final fit {bound}.")
    return messages
