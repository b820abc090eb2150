"""Gram matrices and SVM grids timed against vectorised NumPy and scikit-learn's SVC."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from rntk_bench.benchmark.evaluation import Problem
from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.kernels import RNTK
from rntk_bench.kernels.plain import numpy_rntk
from rntk_bench.methods import KERNEL_METHODS
from rntk_bench.speed.timing import Speedup, shortest_time
from rntk_bench.storage.records import Record
from rntk_bench.svm.options import SVCOptions
from rntk_bench.svm.svc import CrossValidation
from rntk_bench.types import FloatArray, IntArray


def sklearn_n_correct(
    gram: FloatArray, y: IntArray, fold: IntArray, options: SVCOptions
) -> IntArray:
    """Numbers of correct validation predictions (n_C, n_folds) by scikit-learn's SVC."""
    from sklearn.svm import SVC

    n_correct = np.zeros((len(options.C), fold.max() + 1), dtype=np.int64)
    for q in range(fold.max() + 1):
        train, held_out = np.flatnonzero(fold != q), np.flatnonzero(fold == q)
        K_train, K_held_out = gram[np.ix_(train, train)], gram[np.ix_(held_out, train)]
        for c, C in enumerate(options.C):
            model = SVC(C=C, kernel="precomputed", tol=options.tolerance, cache_size=2000)
            predicted = model.fit(K_train, y[train]).predict(K_held_out)
            n_correct[c, q] = (predicted == y[held_out]).sum()
    return n_correct


def compare_gram(problem: Problem, kernels: list[RNTK], repeats: int = 5) -> Speedup:
    """Time the training Gram matrices of some kernels on one thread."""
    prepared = RNTK.prepare(problem.X_train)
    X = np.asarray(problem.X_train)
    baseline_seconds = max_difference = 0.0
    with threadpool_limits(1):
        # The kernels are computed in one call, as those of a grid are.
        _, seconds = shortest_time(lambda: sum(1 for _ in RNTK.grams(kernels, prepared)), repeats)
        for kernel, gram in zip(kernels, RNTK.grams(kernels, prepared), strict=True):
            baseline, kernel_seconds = shortest_time(partial(numpy_rntk, X, kernel))
            baseline_seconds += kernel_seconds
            scale = np.sqrt(np.outer(np.diag(baseline), np.diag(baseline)))
            max_difference = max(max_difference, float((np.abs(gram - baseline) / scale).max()))
    n, T = X.shape
    n_pair_steps = len(kernels) * T * n * (n + 1) / 2
    ns, baseline_ns = 1e9 * seconds / n_pair_steps, 1e9 * baseline_seconds / n_pair_steps
    return Speedup(
        "Gram",
        seconds,
        baseline_seconds,
        f"{ns:.2f} against {baseline_ns:.2f} ns per pair-step, "
        f"largest difference {max_difference:.0e}",
    )


def compare_svm(problem: Problem, kernels: list[RNTK], experiment: Experiment) -> Speedup:
    """Time the cross-validation of all C for some kernels on one thread."""
    options = KERNEL_METHODS["rntk"].search_options(experiment)
    y = problem.y_train
    (fold,) = problem.folds(experiment.n_folds, experiment.seed)
    validation = CrossValidation(y, fold, options)
    folds = np.arange(len(validation.fold_sizes))
    prepared = RNTK.prepare(problem.X_train)
    total = baseline_total = 0.0
    n_different = 0
    with threadpool_limits(1):
        for kernel in kernels:
            gram = kernel.gram(prepared)
            (n_correct, _), seconds = shortest_time(
                partial(validation.count_correct, gram, folds, len(options.C)), 2
            )
            baseline, baseline_seconds = shortest_time(
                partial(sklearn_n_correct, gram, y, fold, options)
            )
            total += seconds
            baseline_total += baseline_seconds
            n_different += int(np.abs(n_correct - baseline).sum())
    n_predictions = len(kernels) * len(options.C) * len(y)
    return Speedup(
        "SVM grid",
        total,
        baseline_total,
        f"{n_different} of {n_predictions} predictions are correct on one side only",
    )


def compare_whole_grid(dataset: Dataset, experiment: Experiment, n_jobs: int) -> Speedup:
    """Time the whole RNTK grid on `n_jobs` cores; nothing is cached, and loops are compiled.

    Both sides cross-validate once and do not scale the Grams, whatever the experiment says.
    """
    experiment = replace(experiment, n_repeats=1, gram_scale="none")

    def evaluate() -> Record:
        return KernelEvaluation(dataset, KERNEL_METHODS["rntk"], experiment, n_jobs=n_jobs).run()

    record, seconds = shortest_time(evaluate)
    (accuracy, n_correct), baseline_seconds = shortest_time(
        partial(_baseline, dataset, experiment, n_jobs)
    )
    selection, test = record.selection or {}, record.test or {}
    return Speedup(
        "Whole grid",
        seconds,
        baseline_seconds,
        f"validation {100 * selection['accuracy']:.2f} against {100 * accuracy:.2f} %, "
        f"test {test['correct']} against {n_correct} correct",
    )


def sample_grid(n: int) -> list[RNTK]:
    """n different kernels at even intervals of the paper's grid; n is at most its size."""
    kernels = _paper_grid()
    return [kernels[i * len(kernels) // n] for i in range(n)]


def _paper_grid() -> list[RNTK]:
    return [kernel for kernel in KERNEL_METHODS["rntk"].kernels() if isinstance(kernel, RNTK)]


def _baseline(dataset: Dataset, experiment: Experiment, n_jobs: int) -> tuple[float, int]:
    """Validation accuracy and number of correct test predictions, by NumPy and scikit-learn."""
    from sklearn.svm import SVC

    problem = Problem.of(dataset)
    options = KERNEL_METHODS["rntk"].search_options(experiment)
    X, y = np.asarray(problem.X_train), problem.y_train
    (fold,) = problem.folds(experiment.n_folds, experiment.seed)
    kernels = _paper_grid()
    accuracies = Parallel(n_jobs=n_jobs, batch_size=4)(
        delayed(_baseline_accuracies)(X, y, fold, options, kernel) for kernel in kernels
    )
    c, setting = np.unravel_index(
        np.argmax(np.transpose(accuracies)), (len(options.C), len(kernels))
    )
    X_all = np.concatenate([X, np.asarray(problem.X_test)])
    K = numpy_rntk(X_all, kernels[int(setting)])
    n_train = len(y)
    model = SVC(C=options.C[int(c)], kernel="precomputed", tol=options.tolerance)
    predicted = model.fit(K[:n_train, :n_train], y).predict(K[n_train:, :n_train])
    return float(np.max(accuracies)), int((predicted == dataset.y_test).sum())


def _baseline_accuracies(
    X: FloatArray, y: IntArray, fold: IntArray, options: SVCOptions, kernel: RNTK
) -> FloatArray:
    """Mean validation accuracy for each C, (n_C,)."""
    with threadpool_limits(1):
        n_correct = sklearn_n_correct(numpy_rntk(X, kernel), y, fold, options)
    accuracies: FloatArray = (n_correct / np.bincount(fold)).mean(axis=1)
    return accuracies
