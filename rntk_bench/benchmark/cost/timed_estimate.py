"""How long a kernel's cell will take, from a short trial on its own data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rntk_bench.benchmark.cost.formula import estimate_cost
from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.errors import RntkBenchError
from rntk_bench.methods import KernelMethod

SECONDS: Final = 2.0
"""After which a trial begins no further round."""
BATCH_SECONDS: Final = 0.3
"""A batch of settings that takes longer by estimate is tried on fewer series."""


def estimate_seconds(
    dataset: Dataset,
    method: KernelMethod,
    experiment: Experiment,
    n_jobs: int,
    slowness: float,
    prune: bool = True,
) -> float:
    """Seconds of a cell with so many jobs, without cached Grams.

    Settings in random order are evaluated as a run evaluates them. Those that are not reached are
    taken to cost what these do, less the folds that would have been pruned had the best score
    been known from the beginning. A cell that cannot be tried in a short time is estimated by its
    sizes.

    Parameters
    ----------
    slowness : of this machine, by `calibrate`; decides how many series are tried
    prune : whether folds that cannot change the choice are left out
    """
    whole = estimate = estimate_cost(dataset, method, experiment, slowness).seconds
    batches = method.kernel.batches(method.kernels())
    tried = dataset
    while estimate > BATCH_SECONDS * len(batches):
        half = _half(tried)
        if half.n_train == tried.n_train:  # one series of each class is left
            return whole / n_jobs
        tried = half
        estimate = estimate_cost(tried, method, experiment, slowness).seconds
    try:
        return whole / estimate * _trial(tried, method, experiment, n_jobs, batches, prune)
    except (RntkBenchError, MemoryError):
        return whole / n_jobs


def _trial(
    dataset: Dataset,
    method: KernelMethod,
    experiment: Experiment,
    n_jobs: int,
    batches: list[list[int]],
    prune: bool,
) -> float:
    started = time.perf_counter()
    cell = KernelEvaluation(dataset, method, experiment, prune=prune)
    search = cell.search()
    order = np.random.default_rng(0).permutation(len(batches))
    # The first alone, as in a run: it computes what all settings share.
    done = batches[order[0]]
    cell.evaluate(search, done, n_jobs)
    first, alone = len(done), time.perf_counter()
    for some in _rounds(order[1:], n_jobs):
        settings = [setting for batch in some for setting in batches[batch]]
        cell.evaluate(search, settings, n_jobs)
        done = done + settings
        if time.perf_counter() - started > SECONDS:
            break
    ended = time.perf_counter()
    left = len(cell.kernels) - len(done)
    stages = cell.watch.seconds
    svm, gram = stages.get("svm", 0.0), stages.get("gram", 0.0)
    spared = (1.0 - search.needed_share(done)) * svm / (svm + gram) if left and prune else 0.0
    pace = (ended - alone) / (len(done) - first) if left else 0.0
    pairs = dataset.n_train * (dataset.n_train + 1) / 2
    test = gram / len(done) * dataset.n_train * dataset.n_test / pairs
    return ended - started + left * pace * (1.0 - spared) + test


def _rounds(order: NDArray[np.int64], n_jobs: int) -> Iterator[NDArray[np.int64]]:
    """Ever longer parts, since threads take time to start."""
    start, size = 0, 2 * n_jobs
    while start < len(order):
        yield order[start : start + size]
        start, size = start + size, 2 * size


def _half(dataset: Dataset) -> Dataset:
    """Every other series of each class, in their order."""
    kept = np.zeros(dataset.n_train, dtype=bool)
    for code in range(dataset.n_classes):
        kept[np.flatnonzero(dataset.y_train == code)[::2]] = True
    rows = np.flatnonzero(kept)
    X = dataset.X_train
    some = X[rows] if isinstance(X, np.ndarray) else [X[row] for row in rows]
    return replace(dataset, X_train=some, y_train=dataset.y_train[rows])
