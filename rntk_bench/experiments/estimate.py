"""What a plan will cost, from the sizes of its datasets and a short calibration."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rntk_bench.config import Experiment
from rntk_bench.kernels import RNTK
from rntk_bench.learn.folds import stratified_folds
from rntk_bench.learn.svc import CrossValidation, SVCOptions
from rntk_bench.methods import Method

PAIR_STEP = 0.7e-9
SVM_PER_SERIES, SVM_PER_SQUARE = 1.5e-6, 1.8e-8
"""Seconds of a grid cell for a pair of classes with m series: a m + b m^2, measured on six
archive datasets (from FiftyWords, m = 18, to ProximalPhalanxOutlineCorrect, m = 600), with 10
folds and 5 values of C, on the machine where `calibrate` gave 1."""
REFERENCE = 1.95e-3
"""Seconds of `calibrate`'s work on that machine."""
OVERHEAD = 2e-4


@dataclass(frozen=True)
class Size:
    """The numbers that decide a cell's cost."""

    n_train: int
    n_test: int
    length: int
    n_classes: int


@dataclass(frozen=True)
class Cost:
    """Seconds of computing on one core, and bytes at the peak."""

    seconds: float
    memory: int


def calibrate() -> float:
    """How many times slower this machine is than the one the constants were measured on."""
    rng = np.random.default_rng(0)
    X = np.cumsum(rng.standard_normal((96, 128)), axis=1)
    y = np.repeat([0, 1], 48)
    validation = CrossValidation(y, stratified_folds(y, 10, 0), SVCOptions())
    prepared = RNTK.prepare(X / np.linalg.norm(X, axis=1, keepdims=True))
    kernel = RNTK(sigma_b=0.1, sigma_h=0.1)

    def work() -> None:
        validation.hits(kernel.gram(prepared), np.arange(10), 5)

    work()
    return min(_seconds(work) for _ in range(5)) / REFERENCE


def cell_cost(size: Size, method: Method, experiment: Experiment, slowness: float = 1.0) -> Cost:
    """Estimate one cell without pruning or cache, on one core."""
    n, kernels = size.n_train, method.kernels()
    steps = size.length if method.kernel.uses_time else 1
    gram = 0.5 * n * n * steps * PAIR_STEP
    m = 2.0 * n / size.n_classes
    pairs = size.n_classes * (size.n_classes - 1) / 2
    svm = pairs * (SVM_PER_SERIES * m + SVM_PER_SQUARE * m * m)
    svm *= experiment.n_folds * len(experiment.C) / 50
    test = n * size.n_test * steps * PAIR_STEP
    grams = method.kernel.work(kernels) * gram
    seconds = slowness * (grams + len(kernels) * (svm + OVERHEAD) + test)
    # Grams in flight (with the solver's copies of pairs), the walk's weights, the test Gram.
    memory = 8 * (10 * n * n + 4 * n * size.length + 2 * n * size.n_test)
    return Cost(seconds, memory)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
