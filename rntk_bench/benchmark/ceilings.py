"""The best test accuracy that any setting of a grid has: what no choice of a setting can exceed.

Nothing is chosen by it, for it knows the test labels. It tells whether a published accuracy can be
had from a kernel at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.benchmark.parallel import evaluate_grid
from rntk_bench.config import Experiment, Value
from rntk_bench.datasets import Dataset
from rntk_bench.errors import RntkBenchError
from rntk_bench.methods import KernelMethod
from rntk_bench.svm.gram_check import invalid_reason
from rntk_bench.types import FloatArray, IntArray

CEILING_C = tuple(10.0**exponent for exponent in range(-3, 7))
"""A grid of C that reaches far beyond the paper's (24) on both sides."""


@dataclass(frozen=True)
class Ceiling:
    """The largest number of correct test predictions, and the first setting that has it.

    Of several such settings it is that of the smallest C, then the first of the grid.
    """

    dataset: str
    method: str
    n_correct: int
    n_test: int
    setting: dict[str, Value]
    C: float

    @property
    def accuracy(self) -> float:
        """The test accuracy, a fraction."""
        return self.n_correct / self.n_test


def ceiling(
    dataset: Dataset,
    method: KernelMethod,
    experiment: Experiment,
    C: Sequence[float] = CEILING_C,
    n_jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Ceiling:
    """Score every setting of a method's grid with every C on the test set.

    Parameters
    ----------
    C : sequence of float
        Ascending values of C in place of the experiment's.
    progress : callable, optional
        Receives the number of settings that have been scored.

    Raises
    ------
    RntkBenchError
        If no setting of the grid can be used on this dataset.
    TimeLimitError
        If the `Deadline` around the call passes.
    """
    experiment = replace(experiment, C=tuple(C))
    evaluation = KernelEvaluation(dataset, method, experiment, n_jobs=n_jobs)
    n_correct: dict[int, IntArray] = {}

    def score(setting: int, gram: FloatArray) -> None:
        if invalid_reason(gram) is None:
            results = evaluation.classify_test(setting, gram, C)
            if results is not None:
                predictions = np.array([predicted for predicted, _ in results])
                n_correct[setting] = (predictions == dataset.y_test).sum(axis=1)

    evaluate_grid(evaluation.batches, evaluation.grams.train, score, n_jobs, progress)
    if not n_correct:
        raise RntkBenchError(
            f"No setting of {method.name}'s grid can be used on {dataset.name}; its Grams are not "
            "finite or leave nothing to learn."
        )
    best, c, position = min(
        (-int(count), c, position)
        for position, counts in n_correct.items()
        for c, count in enumerate(counts)
    )
    setting = evaluation.settings[position]
    return Ceiling(dataset.name, method.name, -best, dataset.n_test, setting, C[c])
