"""Corrects the formula's times of kernels by evaluating a part of some grids on their data."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import geometric_mean
from typing import Final, NamedTuple

import numpy as np

from rntk_bench.benchmark.cost.formula import Size, estimate_cost
from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.benchmark.parallel import Batch, positions
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.datasets.dataset import take_series
from rntk_bench.errors import RntkBenchError
from rntk_bench.methods import KernelMethod, Method
from rntk_bench.types import IntArray

SECONDS: Final = 2.0
"""Time after which a trial evaluates no further settings, unless less is allowed."""
ALL_SECONDS: Final = 60.0
"""Time for all trials of a plan together."""
N_TRIALS: Final = 3
"""Trials of a method. By the formula, the times of a method on the datasets of
`results/reference` differ from those measured by nearly the same factor."""
PREFERRED_SECONDS: Final = 20.0
"""The datasets tried are those whose time on one core is closest to this by the formula: enough to
be more than overhead, and little enough to try most of their series."""
BATCH_FRACTION: Final = 0.15
"""If a batch of settings takes more of a trial's time by the formula, fewer series are used, unless
there are so few batches that all of them take less than the trial."""


class EvaluationSize(NamedTuple):
    """What the time of an evaluation depends on; `size` is the dataset itself if that is here."""

    size: Size
    method: Method
    experiment: Experiment
    n_jobs: int


def plan_corrections(
    plans: Sequence[EvaluationSize],
    slowness: float,
    prune: bool = True,
    on_start: Callable[[int, float], None] | None = None,
) -> list[float]:
    """For each evaluation, how many times longer it takes than by the formula.

    A few evaluations of each kernel method whose datasets are here are tried
    (`measure_correction`). The others of the method get the geometric mean of these. Where nothing
    could be tried, the formula is not corrected.

    Parameters
    ----------
    slowness : float
        Of this machine, by `calibrate`.
    prune : bool
        Whether folds that cannot change the choice are left out.
    on_start : callable, optional
        Is called with the number of trials and the seconds that they take together.
    """
    trials: dict[str, list[tuple[float, int]]] = {}
    for position, (size, method, experiment, _) in enumerate(plans):
        if isinstance(size, Dataset) and isinstance(method, KernelMethod):
            cost = estimate_cost(size, method, experiment, slowness).seconds
            distance = abs(math.log(cost / PREFERRED_SECONDS))
            trials.setdefault(method.name, []).append((distance, position))
    tried = sorted(position for each in trials.values() for _, position in sorted(each)[:N_TRIALS])
    seconds = min(SECONDS, ALL_SECONDS / max(len(tried), 1))
    if on_start is not None:
        on_start(len(tried), len(tried) * seconds)
    found: dict[int, float] = {}
    of_method: dict[str, list[float]] = {}
    for position in tried:
        size, method, experiment, n_jobs = plans[position]
        assert isinstance(size, Dataset)
        assert isinstance(method, KernelMethod)
        correction = measure_correction(size, method, experiment, n_jobs, slowness, prune, seconds)
        if correction is not None:
            found[position] = correction
            of_method.setdefault(method.name, []).append(correction)
    typical = {name: geometric_mean(corrections) for name, corrections in of_method.items()}
    return [
        found.get(position, typical.get(plan.method.name, 1.0))
        for position, plan in enumerate(plans)
    ]


def measure_correction(
    dataset: Dataset,
    method: KernelMethod,
    experiment: Experiment,
    n_jobs: int,
    slowness: float,
    prune: bool = True,
    trial_seconds: float = SECONDS,
) -> float | None:
    """How many times longer an evaluation with so many jobs takes than by the formula.

    Settings in random order are evaluated as a run evaluates them, without cached Gram matrices.
    The remaining ones are assumed to take the same time, less that of the folds that would have
    been pruned if the best score had been known from the start.

    Returns
    -------
    The ratio of the processor times, or None if even the smallest part of the training set takes
    too long or cannot be evaluated.
    """
    method = method.for_training_set(dataset.X_train)
    largest = trial_seconds * max(1.0, BATCH_FRACTION * len(method.batches(dataset.length)))
    while (estimate := estimate_cost(dataset, method, experiment, slowness).seconds) > largest:
        half = _half(dataset)
        # One series of each class is left.
        if (half.n_train, half.n_test) == (dataset.n_train, dataset.n_test):
            return None
        dataset = half
    try:
        trial = _measure(dataset, method, experiment, n_jobs, prune, trial_seconds)
    except (RntkBenchError, MemoryError):
        return None
    return n_jobs * trial / estimate


def _measure(
    dataset: Dataset,
    method: KernelMethod,
    experiment: Experiment,
    n_jobs: int,
    prune: bool,
    trial_seconds: float,
) -> float:
    start = time.perf_counter()
    evaluation = KernelEvaluation(dataset, method, experiment, prune=prune, n_jobs=n_jobs)
    batches = evaluation.batches
    order = np.random.default_rng(0).permutation(len(batches))
    # The first batch alone, as in a run: it computes what all settings share.
    done: list[Batch] = [batches[order[0]]]
    evaluation.evaluate(done)
    n_first, first_end = len(positions(done)), time.perf_counter()
    for some in _rounds(order[1:], n_jobs):
        chosen = [batches[i] for i in some]
        evaluation.evaluate(chosen)
        done = done + chosen
        if time.perf_counter() - start > trial_seconds:
            break
    end = time.perf_counter()
    settings = positions(done)
    n_left = len(positions(batches)) - len(settings)
    stages = evaluation.watch.seconds
    svm, gram = stages.get("svm", 0.0), stages.get("gram", 0.0)
    pruned = 0.0
    if n_left and prune:
        pruned = (1.0 - evaluation.search.needed_fraction(settings)) * svm / (svm + gram)
    per_setting = (end - first_end) / (len(settings) - n_first) if n_left else 0.0
    pairs = dataset.n_train * (dataset.n_train + 1) / 2
    test = gram / len(settings) * dataset.n_train * dataset.n_test / pairs
    return end - start + n_left * per_setting * (1.0 - pruned) + test


def _rounds(order: IntArray, n_jobs: int) -> Iterator[IntArray]:
    """Rounds of increasing length, since starting threads takes time."""
    start, size = 0, 2 * n_jobs
    while start < len(order):
        yield order[start : start + size]
        start, size = start + size, 2 * size


def _half(dataset: Dataset) -> Dataset:
    """Every other series of each class, in their order, of both splits."""

    def half(y: IntArray) -> IntArray:
        return np.sort(np.concatenate([np.flatnonzero(y == code)[::2] for code in np.unique(y)]))

    train, test = half(dataset.y_train), half(dataset.y_test)
    return replace(
        dataset,
        X_train=take_series(dataset.X_train, train),
        y_train=dataset.y_train[train],
        X_test=take_series(dataset.X_test, test),
        y_test=dataset.y_test[test],
    )
