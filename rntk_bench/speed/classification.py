"""This package's Gram and SVM grid against what one would otherwise write."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from rntk_bench.benchmark.evaluation import Problem
from rntk_bench.benchmark.kernel_evaluation import run_kernel_cell
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.kernels import RNTK
from rntk_bench.methods import KERNEL_METHODS
from rntk_bench.svm.folds import stratified_folds
from rntk_bench.svm.svc import CrossValidation, SVCOptions
from rntk_bench.types import FloatArray, IntArray


def numpy_rntk(X: FloatArray, kernel: RNTK) -> FloatArray:
    """The recursion (15)-(18) and its tangent kernel as one would vectorise it in NumPy."""
    n, T = X.shape
    w, u, b = (kernel.per_layer(name)[0] ** 2 for name in ("sigma_w", "sigma_u", "sigma_b"))
    h = kernel.sigma_h**2
    sigma = w * h * np.eye(n) + u * np.outer(X[:, 0], X[:, 0]) + b
    theta = sigma.copy()
    for t in range(1, T + 1):
        deviation = np.sqrt(np.diag(sigma))
        scale = np.outer(deviation, deviation)
        c = np.divide(sigma, scale, out=np.zeros_like(sigma), where=scale > 0.0)
        np.clip(c, -1.0, 1.0, out=c)
        angle = math.pi - np.arccos(c)
        V = scale * (c * angle + np.sqrt(1.0 - c * c)) / (2.0 * math.pi)
        slope = angle / (2.0 * math.pi)
        if t < T:
            sigma = w * V + u * np.outer(X[:, t], X[:, t]) + b
            theta = sigma + w * slope * theta
    gram: FloatArray = kernel.sigma_v**2 * (V + slope * theta)
    return gram


def sklearn_hits(gram: FloatArray, y: IntArray, fold: IntArray, options: SVCOptions) -> IntArray:
    """Correct validation predictions (n_C, n_folds) by scikit-learn's SVC, fold by fold."""
    from sklearn.svm import SVC

    hits = np.zeros((len(options.C), fold.max() + 1), dtype=np.int64)
    for q in range(fold.max() + 1):
        train, held_out = np.flatnonzero(fold != q), np.flatnonzero(fold == q)
        inside, across = gram[np.ix_(train, train)], gram[np.ix_(held_out, train)]
        for c, C in enumerate(options.C):
            model = SVC(C=C, kernel="precomputed", tol=options.tolerance, cache_size=2000)
            predicted = model.fit(inside, y[train]).predict(across)
            hits[c, q] = (predicted == y[held_out]).sum()
    return hits


@dataclass(frozen=True)
class Comparison:
    """Seconds of this package and of the obvious way, and how far their answers agree."""

    what: str
    ours: float
    obvious: float
    agreement: str

    @property
    def ratio(self) -> float:
        """How many times faster."""
        return self.obvious / self.ours


def compare_gram(problem: Problem, kernels: list[RNTK], repeats: int = 5) -> Comparison:
    """One training Gram, summed over the kernels, on one thread."""
    prepared = RNTK.prepare(problem.X_train)
    X = np.asarray(problem.X_train)
    ours = obvious = largest = 0.0
    with threadpool_limits(1):
        for kernel in kernels:
            gram, seconds = _best(partial(kernel.gram, prepared), repeats)
            ours += seconds
            reference, seconds = _best(partial(numpy_rntk, X, kernel), 1)
            obvious += seconds
            scale = np.sqrt(np.outer(np.diag(reference), np.diag(reference)))
            largest = max(largest, float((np.abs(gram - reference) / scale).max()))
    n, T = X.shape
    steps = len(kernels) * T * n * (n + 1) / 2
    return Comparison(
        "Gram",
        ours,
        obvious,
        f"{ours / steps * 1e9:.2f} against {obvious / steps * 1e9:.2f} ns a pair-step, "
        f"largest difference {largest:.0e}",
    )


def compare_svm(problem: Problem, kernels: list[RNTK], experiment: Experiment) -> Comparison:
    """One grid cell, 10 folds times 5 C, summed over the kernels, on one thread."""
    options = SVCOptions(experiment.C, experiment.tolerance, experiment.max_iterations)
    y = problem.y_train
    fold = stratified_folds(y, experiment.n_folds, experiment.seed)
    validation = CrossValidation(y, fold, options)
    folds = np.arange(len(validation.fold_sizes))
    prepared = RNTK.prepare(problem.X_train)
    ours = obvious = 0.0
    differing = 0
    with threadpool_limits(1):
        for kernel in kernels:
            gram = kernel.gram(prepared)
            (hits, _), seconds = _best(partial(validation.hits, gram, folds, len(options.C)), 2)
            ours += seconds
            reference, seconds = _best(partial(sklearn_hits, gram, y, fold, options), 1)
            obvious += seconds
            differing += int(np.abs(hits - reference).sum())
    n_predictions = len(kernels) * len(options.C) * len(y)
    return Comparison(
        "SVM grid",
        ours,
        obvious,
        f"{differing} of {n_predictions} predictions differ in being right",
    )


def compare_whole(dataset: Dataset, experiment: Experiment, n_jobs: int) -> Comparison:
    """The RNTK's whole grid, both on `n_jobs` cores; nothing cached, loops compiled."""
    record, ours = _best(
        partial(run_kernel_cell, dataset, KERNEL_METHODS["rntk"], experiment, n_jobs=n_jobs), 1
    )
    (accuracy, correct), obvious = _best(partial(_obvious, dataset, experiment, n_jobs), 1)
    selection, test = record.selection or {}, record.test or {}
    return Comparison(
        "Whole grid",
        ours,
        obvious,
        f"validation {100 * selection['accuracy']:.2f} against {100 * accuracy:.2f} %, "
        f"test {test['correct']} against {correct} right",
    )


def spread(n: int) -> list[RNTK]:
    """n different kernels spread evenly over the paper's grid, n at most its size."""
    kernels = _paper_grid()
    return [kernels[i * len(kernels) // n] for i in range(n)]


def _paper_grid() -> list[RNTK]:
    return [kernel for kernel in KERNEL_METHODS["rntk"].kernels() if isinstance(kernel, RNTK)]


def _obvious(dataset: Dataset, experiment: Experiment, n_jobs: int) -> tuple[float, int]:
    from sklearn.svm import SVC

    problem = Problem.of(dataset)
    options = SVCOptions(experiment.C, experiment.tolerance, experiment.max_iterations)
    X, y = np.asarray(problem.X_train), problem.y_train
    fold = stratified_folds(y, experiment.n_folds, experiment.seed)
    kernels = _paper_grid()
    scores = Parallel(n_jobs=n_jobs, batch_size=4)(
        delayed(_obvious_setting)(X, y, fold, options, kernel) for kernel in kernels
    )
    c, setting = np.unravel_index(np.argmax(np.transpose(scores)), (len(options.C), len(kernels)))
    kernel = kernels[int(setting)]
    both = numpy_rntk(np.concatenate([X, np.asarray(problem.X_test)]), kernel)
    model = SVC(C=options.C[int(c)], kernel="precomputed", tol=options.tolerance)
    predicted = model.fit(both[: len(y), : len(y)], y).predict(both[len(y) :, : len(y)])
    return float(np.max(scores)), int((predicted == dataset.y_test).sum())


def _obvious_setting(
    X: FloatArray, y: IntArray, fold: IntArray, options: SVCOptions, kernel: RNTK
) -> FloatArray:
    with threadpool_limits(1):
        hits = sklearn_hits(numpy_rntk(X, kernel), y, fold, options)
    accuracy: FloatArray = (hits / np.bincount(fold)).mean(axis=1)
    return accuracy


def _best(work: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    shortest, result = math.inf, None
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        shortest = min(shortest, time.perf_counter() - start)
    return result, shortest
