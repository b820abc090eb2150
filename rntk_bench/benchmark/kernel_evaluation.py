"""Evaluates a kernel: Gram matrices, cross-validated SVMs, the choice and its test (A.1)."""

from __future__ import annotations

import hashlib
import inspect
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rntk_bench.kernels
from rntk_bench.benchmark.evaluation import Problem, Progress, Stopwatch, finished_record
from rntk_bench.benchmark.parallel import Batch, evaluate_grid, positions
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
from rntk_bench.svm.grid_search import Choice, Search, undecided_message
from rntk_bench.svm.svc import CrossValidation, SVCOptions, classify

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
COMPUTE_STEP, STORE_PAIR, STORE_FILE = 0.65e-9, 15e-9, 0.2e-3
"""Seconds to compute one step of a pair of series, to store and read the pair's entry once, and for
the file itself, measured on 390 series of length 300."""


class KernelEvaluation:
    """Evaluates a kernel method on a dataset.

    The record is the same for any `n_jobs`, and with or without `prune` and `cache`, but for
    timings and for the folds that pruning leaves out. A grid may also be evaluated in chunks by
    several instances: see `evaluate`, `search` and `finish`.

    Parameters
    ----------
    dataset : Dataset
    method : KernelMethod
    experiment : Experiment
    prune : bool
        Leave out folds that cannot change the choice.
    cache : GramCache, optional
    best : int
        A score that another instance has reached on the same grid.

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
        best: int = 0,
    ) -> None:
        self._method, self._experiment = method, experiment
        self.watch = Stopwatch()
        with self.watch("total"):
            self._problem = Problem.of(dataset)
            self._kernels = method.kernels()
            self.batches = method.kernel.batches(self._kernels)
            self._options = SVCOptions(
                experiment.C, experiment.tolerance, experiment.max_iterations
            )
            y = self._problem.y_train
            fold = stratified_folds(y, experiment.n_folds, experiment.seed)
            validation = CrossValidation(y, fold, self._options)
            self.search = Search(validation, len(self._kernels), prune, best)
            self._grams = _Grams(method.kernel, self._kernels, self._problem, cache, self.watch)

    def run(self, n_jobs: int = 1, progress: Progress | None = None) -> Record:
        """Evaluate the whole grid, choose a setting, and score it once on the test set.

        Raises
        ------
        RntkBenchError
            If no setting of the grid can be used on this dataset, or the chosen one not on its
            test series.
        TimeLimitError
            If the `Deadline` around the call passes.
        """
        self.evaluate(self.batches, n_jobs, progress)
        return self.finish()

    def evaluate(
        self, batches: Sequence[Batch], n_jobs: int = 1, progress: Progress | None = None
    ) -> None:
        """Cross-validate the settings in some of the grid's batches."""
        n_settings = len(positions(batches))

        def evaluate(setting: int, gram: Array) -> None:
            with self.watch("svm"):
                self.search.evaluate(setting, gram)

        def report(done: int) -> None:
            if progress is not None:
                progress(done, n_settings, self.search.best_accuracy)

        with self.watch("total"):
            evaluate_grid(batches, self._grams.train, evaluate, n_jobs, report)

    def finish(self) -> Record:
        """Choose a setting, train it on the whole training set and classify the test series.

        Raises
        ------
        RntkBenchError
            If no setting of the grid can be used on this dataset, or the chosen one not on its
            test series.
        """
        with self.watch("total"):
            choice = self._choose()
            with self.watch("test"), np.errstate(all="ignore"):
                predictions, n_unfinished = self._classify(choice)
        return finished_record(
            self._problem,
            self._method,
            self._experiment,
            selection=_selection(self._method, self._experiment, choice, self.search),
            predictions=predictions,
            notes=_length_notes(self._problem.dataset, self._method),
            warnings=_warnings(self.search, choice, n_unfinished, self._options),
            watch=self.watch,
        )

    def _choose(self) -> Choice:
        try:
            return self.search.choose(self._method.default_setting)
        except ValueError:
            reasons = " or ".join(sorted(set(self.search.invalid_reasons.values())))
            raise RntkBenchError(
                f"No setting of {self._method.name}'s grid can be used on "
                f"{self._problem.dataset.name}: the Gram {reasons}; take other values."
            ) from None

    def _classify(self, choice: Choice) -> tuple[IntArray, int]:
        """Test predictions (n_test,), and how many problems stopped at the bound on steps."""
        test = self._grams.test(choice.setting)
        if not np.isfinite(test).all():
            raise RntkBenchError(
                f"The chosen setting of {self._method.name} overflows on the test series of "
                f"{self._problem.dataset.name}; leave its values out of the grid."
            )
        ((_, train),) = self._grams.train([[choice.setting]])
        C = self._experiment.C[choice.C]
        return classify(train, self._problem.y_train, test, C, self._options)


def _length_notes(dataset: Dataset, method: KernelMethod) -> list[str]:
    if dataset.equal_length:
        return []
    if method.kernel.uses_time:
        return ["Series of different lengths are read at their true lengths."]
    return ["Series of different lengths are padded with zeros at the end."]


class _Grams:
    """Gram matrices of a grid of kernels, read from the cache or computed and stored there.

    Gram matrices that are computed faster than they are read are not stored.
    """

    def __init__(
        self,
        family: type[Kernel],
        kernels: Sequence[Kernel],
        problem: Problem,
        cache: GramCache | None,
        watch: Stopwatch,
    ) -> None:
        self._family, self._kernels, self._problem = family, kernels, problem
        self._watch = watch
        self._X_train, self._X_test = family.pad_to_common_length(problem.X_train, problem.X_test)
        with watch("gram"):
            self._prepared = family.prepare(self._X_train)
        n, length = len(problem.y_train), problem.dataset.length
        self._cache = cache if family.uses_time and worth_storing(n, length) else None

    def train(self, batches: Sequence[Batch]) -> Iterator[tuple[int, Array]]:
        """Yield each setting of the batches and its Gram matrix of the training series."""
        for batch in batches:
            cached = {setting: self._read(setting, "train") for setting in batch}
            missing = [self._kernels[setting] for setting in batch if cached[setting] is None]
            computed = self._family.grams(missing, self._prepared)
            for setting in batch:
                gram = cached[setting]
                if gram is None:
                    with self._watch("gram"):
                        gram = next(computed)
                    self._store(setting, "train", gram)
                yield setting, gram

    def test(self, setting: int) -> Array:
        """Gram matrix (n_train, n_test) of the training and the test series."""
        gram = self._read(setting, "test")
        if gram is None:
            with self._watch("gram"):
                prepared = self._family.prepare(self._X_train, self._X_test)
                gram = self._kernels[setting].gram(prepared)
            self._store(setting, "test", gram)
        return gram

    def _read(self, setting: int, split: str) -> Array | None:
        key = self._key(setting, split)
        if self._cache is None or key is None:
            return None
        n, train = len(self._problem.y_train), split == "train"
        shape = n, n if train else self._problem.dataset.n_test
        with self._watch("cache"):
            return self._cache.get(key, shape, symmetric=train)

    def _store(self, setting: int, split: str, gram: Array) -> None:
        key = self._key(setting, split)
        if self._cache is not None and key is not None:
            with self._watch("cache"):
                self._cache.put(key, gram, symmetric=split == "train")

    def _key(self, setting: int, split: str) -> str | None:
        if self._cache is None or (identity := gram_identity(self._kernels[setting])) is None:
            return None
        text = "\n".join((self._problem.dataset.fingerprint, split, identity))
        return hashlib.sha256(text.encode()).hexdigest()


def worth_storing(n: int, length: int) -> bool:
    """Whether the Gram matrix of n series takes longer to compute than to store and read once."""
    pairs = n * n / 2
    return pairs * length * COMPUTE_STEP > pairs * STORE_PAIR + STORE_FILE


def gram_identity(kernel: Kernel) -> str | None:
    """Text that identifies a kernel's Gram matrices: its cache key and a digest of its source code.

    None if the kernel has no cache key, or its class was not defined in a file.
    """
    key = kernel.cache_key()
    try:
        return None if key is None else f"{key}\n{_code_version(type(kernel))}"
    except (OSError, TypeError):
        return None


@cache
def _code_version(family: type[Kernel]) -> str:
    """Digest of the source code of all kernels, and of the modules of a class and its bases."""
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
        "unusable_settings": sorted(search.invalid_reasons),
        "flaws": [search.invalid_reasons[setting] for setting in sorted(search.invalid_reasons)],
        "fold_sizes": search.validation.fold_sizes.tolist(),
        "pruned": search.prune,
        "hits": encode_counts(search.n_correct.astype(np.int16)),
        **({"by_default": True} if choice.by_default else {}),
    }


def _warnings(search: Search, choice: Choice, n_unfinished: int, options: SVCOptions) -> list[str]:
    messages = []
    if choice.by_default:
        messages.append(undecided_message(f"{choice.ties} pairs of setting and C", choice.accuracy))
    for reason, count in sorted(Counter(search.invalid_reasons.values()).items()):
        messages.append(f"The Gram of {count} settings {reason}; they were not considered.")
    bound = f"stopped at the bound of {options.max_iterations} steps"
    if n_settings := search.unfinished_settings:
        messages.append(f"In {n_settings} settings a cross-validation problem {bound}.")
    if n_unfinished:
        messages.append(f"{n_unfinished} problems of the final fit {bound}.")
    return messages
