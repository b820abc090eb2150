"""One repeat of the regression experiment timed against scikit-learn's grid search."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np

from rntk_bench.kernels import RNTK
from rntk_bench.methods import KERNEL_METHODS
from rntk_bench.regression.experiment import (
    N_FOLDS,
    Conditions,
    KernelGrid,
    Sine,
    draw_segments,
    fit_best,
)
from rntk_bench.speed.timing import Speedup, shortest_time
from rntk_bench.svm.ridge import RIDGES, validation_residuals


def compare_repeat(kernels: list[RNTK], repeats: int = 5) -> Speedup:
    """Time the choice among RNTKs and ridges on 20 segments of the noisy sine, on one thread.

    The baseline is, for each kernel, a `GridSearchCV` of `KernelRidge` over the ridges, with the
    same folds and on the same precomputed Gram matrices.
    """
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.model_selection import GridSearchCV, PredefinedSplit
    from threadpoolctl import threadpool_limits

    conditions, rng = Conditions(), np.random.default_rng(0)
    signal, _ = Sine().draw(rng, conditions.noise)
    X, y = draw_segments(signal, conditions.train, Sine.T_fixed, conditions.length, rng)
    fold = rng.permutation(len(y)) % N_FOLDS
    grid = KernelGrid(KERNEL_METHODS["rntk"], [*kernels], list(range(len(kernels))))
    search = GridSearchCV(
        KernelRidge(kernel="precomputed"),
        {"alpha": list(RIDGES)},
        cv=PredefinedSplit(fold),
        scoring="neg_mean_squared_error",
    )
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # with ridge 0, Gram matrices may be singular
        _, seconds = shortest_time(partial(fit_best, grid, X, y, X, fold), repeats)
        grams = grid.grams(X)
        baseline_errors, baseline_seconds = shortest_time(
            lambda: np.array([-search.fit(gram, y).best_score_ for gram in grams])
        )
        errors = (validation_residuals(grams, y, fold) ** 2).mean(axis=-1).min(axis=-1)
    difference = float(np.abs(errors / baseline_errors - 1.0).max())
    return Speedup(
        "Regression",
        seconds,
        baseline_seconds,
        f"{len(kernels)} kernels and {len(RIDGES)} ridges in {N_FOLDS} folds, largest relative "
        f"difference of their smallest errors {difference:.0e}",
    )
