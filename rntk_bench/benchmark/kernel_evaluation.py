"""Evaluates a kernel: Gram matrices, cross-validated SVMs, the choice and its test (A.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rntk_bench.benchmark.evaluation import Problem, Progress, Stopwatch, finished_record
from rntk_bench.benchmark.grams import FittedGrams, Grams
from rntk_bench.benchmark.parallel import Batch, evaluate_grid, positions
from rntk_bench.config import Experiment, Value
from rntk_bench.datasets import Dataset
from rntk_bench.errors import RntkBenchError
from rntk_bench.methods import KernelMethod
from rntk_bench.storage.cache import GramCache
from rntk_bench.storage.integers import pack_counts
from rntk_bench.storage.records import Record
from rntk_bench.svm.folds import fold_note
from rntk_bench.svm.gram_scale import gram_divisor
from rntk_bench.svm.grid_search import Choice, Search, undecided_message
from rntk_bench.svm.options import SVCOptions
from rntk_bench.svm.svc import RepeatedCrossValidation, classify
from rntk_bench.types import FloatArray, IntArray


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
    n_jobs : int
        Number of threads.

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
        n_jobs: int = 1,
    ) -> None:
        self._method, self._experiment, self.n_jobs = method, experiment, n_jobs
        self.watch = Stopwatch()
        with self.watch("total"):
            self._searched = method = method.for_training_set(dataset.X_train)
            self._length = max(len(x) for x in dataset.X_train)
            kernels, inputs = method.kernels(self._length), method.inputs
            self.batches = method.batches(self._length)
            problems = {name: Problem.of(dataset, name) for name in dict.fromkeys(inputs)}
            notes = dict.fromkeys(note for problem in problems.values() for note in problem.notes)
            self._problem = replace(problems[inputs[0]], notes=tuple(notes))
            self._options = options = method.search_options(experiment)
            y = self._problem.y_train
            folds = self._problem.folds(options.n_folds, options.seed, options.n_repeats)
            self._validation = RepeatedCrossValidation(y, folds, options)
            self.search = Search(self._validation, len(kernels), prune, best, options.gram_scale)
            parts = kernels, inputs, problems, cache, self.watch
            self.grams = FittedGrams(*parts, n_jobs=n_jobs) if method.is_fittable else Grams(*parts)
            self._notes = (
                _length_note(dataset, method),
                fold_note(int(folds[0].max()) + 1, options.n_folds, dataset.n_train),
            )

    @property
    def settings(self) -> list[dict[str, Value]]:
        """The settings of the grid, without those that repeat another on this training set."""
        return self._searched.settings

    def run(self, progress: Progress | None = None) -> Record:
        """Evaluate the whole grid, choose a setting, and score it once on the test set.

        Raises
        ------
        RntkBenchError
            If no setting of the grid can be used on this dataset, or the chosen one not on its
            test series.
        TimeLimitError
            If the `Deadline` around the call passes.
        """
        self.evaluate(self.batches, progress)
        return self.finish()

    def evaluate(self, batches: Sequence[Batch], progress: Progress | None = None) -> None:
        """Cross-validate the settings in some of the grid's batches."""
        n_settings = len(positions(batches))

        def evaluate(setting: int, gram: FloatArray) -> None:
            with self.watch("svm"):
                self.search.evaluate(setting, gram)

        def report(done: int) -> None:
            if progress is not None:
                progress(done, n_settings, self.search.best_accuracy)

        with self.watch("total"):
            evaluate_grid(batches, self.grams.train, evaluate, self.n_jobs, report)

    def finish(self) -> Record:
        """Choose a setting, train it on the whole training set and classify the test series.

        Raises
        ------
        RntkBenchError
            If no setting of the grid can be used on this dataset, or the chosen one not on its
            test series.
        """
        self._validation.free_memory()
        with self.watch("total"):
            choice = self._choose()
            with self.watch("test"), np.errstate(all="ignore"):
                ((_, gram),) = self.grams.train([[choice.setting]])
                C = self._options.C[choice.C]
                results = self.classify_test(choice.setting, gram, [C])
        if results is None:
            raise RntkBenchError(
                f"The chosen setting of {self._method.name} overflows on the test series of "
                f"{self._problem.dataset.name}; leave its values out of the grid."
            )
        ((predictions, n_unfinished),) = results
        return finished_record(
            self._problem,
            self._method,
            self._experiment,
            selection=self._selection(choice),
            predictions=predictions,
            notes=[note for note in self._notes if note],
            warnings=_warnings(self.search, choice, n_unfinished, self._options),
            watch=self.watch,
        )

    def _choose(self) -> Choice:
        try:
            return self.search.choose(self._searched.default_setting)
        except ValueError:
            reasons = " or ".join(sorted(set(self.search.invalid_reasons.values())))
            raise RntkBenchError(
                f"No setting of {self._method.name}'s grid can be used on "
                f"{self._problem.dataset.name}: the Gram {reasons}; take other values."
            ) from None

    def classify_test(
        self, setting: int, gram: FloatArray, C: Sequence[float]
    ) -> list[tuple[IntArray, int]] | None:
        """Train a setting on its Gram (n, n) of the whole training set, and classify the test set.

        Returns
        -------
        For each C, the predictions (n_test,), and how many problems stopped at the bound on steps;
        None if the kernel overflows on the test series.
        """
        test = self.grams.test(setting)
        if not np.isfinite(test).all():
            return None
        divisor = gram_divisor(gram, self.search.gram_scale)
        if divisor != 1.0:
            gram, test = gram / divisor, test / divisor
        return [classify(gram, self._problem.y_train, test, c, self._options) for c in C]

    def _selection(self, choice: Choice) -> dict[str, Any]:
        method, search = self._searched, self.search
        settings = self.settings
        derived = method.derived_parameters(choice.setting, self._length)
        return {
            "axes": list(method.grid),
            "setting": settings[choice.setting],
            "setting_index": choice.setting,
            "C": self._options.C[choice.C],
            "accuracy": choice.accuracy,
            "ties": choice.ties,
            "n_settings": len(settings),
            "unusable_settings": sorted(search.invalid_reasons),
            "invalid_reasons": [search.invalid_reasons[k] for k in sorted(search.invalid_reasons)],
            "fold_sizes": search.validation.fold_sizes.tolist(),
            "pruned": search.prune,
            "n_correct": pack_counts(search.n_correct),
            **({"by_default": True} if choice.by_default else {}),
            **({"derived": derived} if derived else {}),
            **({"inputs": list(method.grid["input"])} if method != self._method else {}),
        }


def _length_note(dataset: Dataset, method: KernelMethod) -> str | None:
    if dataset.equal_length:
        return None
    if method.kernel.uses_time:
        return "Series of different lengths are read at their true lengths."
    return "Series of different lengths are padded with zeros at the end."


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
