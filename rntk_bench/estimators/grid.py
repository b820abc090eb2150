"""Going through a grid of kernels in threads, and the table of what cross-validation found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.stats import rankdata

from rntk_bench.kernels import Kernel

Array = NDArray[np.float64]
TASKS = 64
"""Pieces into which a grid is cut for the threads."""


def evaluate_grid(
    kernels: Sequence[Kernel],
    grams: Callable[[list[Kernel]], Iterator[Array]],
    evaluate: Callable[[int, Array], None],
    n_jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Evaluate the Gram of every kernel, those that share work side by side.

    Parameters
    ----------
    kernels : kernels of one family
    grams : yields the Gram of each of some kernels
    evaluate : told the position of a kernel and its Gram, from several threads
    n_jobs : threads
    progress : told how many kernels are done
    """
    batches = type(kernels[0]).batches(kernels)
    size = -(-len(batches) // TASKS)
    tasks = [
        [i for batch in batches[k : k + size] for i in batch] for k in range(0, len(batches), size)
    ]

    def run(task: list[int]) -> int:
        for position, gram in zip(task, grams([kernels[i] for i in task]), strict=True):
            evaluate(position, gram)
        return len(task)

    # The first alone: it computes what all settings share.
    done = run(tasks[0])
    pool = Parallel(n_jobs=n_jobs, backend="threading", return_as="generator_unordered")
    for finished in pool(delayed(run)(task) for task in tasks[1:]):
        done += finished
        if progress is not None:
            progress(done)


def table(axes: Mapping[str, Sequence[Any]], scores: Array, means: Array) -> dict[str, Any]:
    """`cv_results_` as scikit-learn's searches have it.

    Parameters
    ----------
    axes : values of each parameter; the N rows are their combinations, the last varying fastest
    scores : (N, n_folds) of each fold, NaN where it was not evaluated
    means : (N,) what the choice goes by, the larger the better, NaN where it was not evaluated

    Returns
    -------
    dict with `params`, a masked array `param_<name>` a parameter, `split<i>_test_score`,
    `mean_test_score`, `std_test_score` and `rank_test_score`; settings without a mean come last
    """
    params = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    found: dict[str, Any] = {"params": params}
    for name in axes:
        values = np.ma.empty(len(params), dtype=object)
        values[:] = [setting[name] for setting in params]
        found[f"param_{name}"] = values
    found |= {f"split{i}_test_score": score for i, score in enumerate(scores.T)}
    found["mean_test_score"] = means
    found["std_test_score"] = scores.std(axis=1)
    ranks = rankdata(np.where(np.isnan(means), np.inf, -means), method="min")
    found["rank_test_score"] = ranks.astype(np.int32)
    return found
