"""Estimates the time of a kernel's evaluation by evaluating a part of its grid on its data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from rntk_bench.benchmark.cost.formula import estimate_cost
from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.benchmark.parallel import Batch, positions
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.datasets.dataset import take_series
from rntk_bench.errors import RntkBenchError
from rntk_bench.methods import KernelMethod
from rntk_bench.types import IntArray

SECONDS: Final = 2.0
"""Time after which no further settings are evaluated, unless less is allowed."""
BATCH_FRACTION: Final = 0.15
"""If a batch of settings takes more of that time by the formula, fewer series are used."""


def estimate_seconds(
    dataset: Dataset,
    method: KernelMethod,
    experiment: Experiment,
    n_jobs: int,
    slowness: float,
    prune: bool = True,
    trial_seconds: float = SECONDS,
) -> float:
    """Estimated seconds of an evaluation with so many jobs, without cached Gram matrices.

    Settings in random order are evaluated as a run evaluates them. The remaining ones are assumed
    to take the same time, less that of the folds that would have been pruned if the best score had
    been known from the start. If even the smallest part takes too long, the formula is used.

    Parameters
    ----------
    slowness : float
        Of this machine, by `calibrate`; it decides how many series are used.
    prune : bool
        Whether folds that cannot change the choice are left out.
    trial_seconds : float
        Time after which no further settings are evaluated.
    """
    method = method.for_training_set(dataset.X_train)
    whole = estimate = estimate_cost(dataset, method, experiment, slowness).seconds
    batches = method.batches(dataset.length)
    smaller = dataset
    while estimate > BATCH_FRACTION * trial_seconds * len(batches):
        half = _half(smaller)
        if half.n_train == smaller.n_train:  # one series of each class is left
            return whole / n_jobs
        smaller = half
        estimate = estimate_cost(smaller, method, experiment, slowness).seconds
    try:
        trial = _measure(smaller, method, experiment, n_jobs, prune, trial_seconds)
        return whole / estimate * trial
    except (RntkBenchError, MemoryError):
        return whole / n_jobs


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
    """Every other series of each class, in their order."""
    kept = np.zeros(dataset.n_train, dtype=bool)
    for code in range(dataset.n_classes):
        kept[np.flatnonzero(dataset.y_train == code)[::2]] = True
    X_half = take_series(dataset.X_train, kept)
    return replace(dataset, X_train=X_half, y_train=dataset.y_train[kept])
