"""One repeat of the regression experiment against scikit-learn's grid search."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

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
from rntk_bench.speed.classification import Comparison
from rntk_bench.svm.ridge import RIDGES, validation_residuals


def compare_repeat(kernels: list[RNTK], repeats: int = 5) -> Comparison:
    """Choosing among RNTKs and ridges on 20 segments of the noisy sine, on one thread.

    The other side is a `GridSearchCV` of `KernelRidge` over the ridges for each kernel, on the
    same folds and the same Grams, which it is given.
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
        warnings.simplefilter("ignore")  # of ridge 0 on singular Grams
        ours = min(_seconds(lambda: fit_best(grid, X, y, X, fold)) for _ in range(repeats))
        grams = grid.grams(X)
        start = time.perf_counter()
        found = np.array([-search.fit(gram, y).best_score_ for gram in grams])
        obvious = time.perf_counter() - start
        errors = (validation_residuals(grams, y, fold) ** 2).mean(axis=-1).min(axis=-1)
    difference = float(np.abs(errors / found - 1.0).max())
    return Comparison(
        "Regression",
        ours,
        obvious,
        f"{len(kernels)} kernels and {len(RIDGES)} ridges in {N_FOLDS} folds, largest relative "
        f"difference of their least errors {difference:.0e}",
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
