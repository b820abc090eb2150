"""Going through a grid of kernels in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from joblib import Parallel, delayed

from rntk_bench.deadline import current_deadline
from rntk_bench.kernels.base import Array, Kernel
from rntk_bench.kernels.blas import one_blas_thread

TASKS = 64
"""Pieces into which a grid is cut for the threads."""


def pieces(kernels: Sequence[Kernel], at_most: int) -> list[list[int]]:
    """Cut a grid into pieces, by position; what is computed together stays together."""
    batches = type(kernels[0]).batches(kernels)
    size = -(-len(batches) // at_most)
    return [
        [i for batch in batches[k : k + size] for i in batch] for k in range(0, len(batches), size)
    ]


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
    first, *others = pieces(kernels, TASKS)
    limit = current_deadline()

    def run(task: list[int]) -> int:
        # What overflows is told by its Gram; a warning from each thread would say less.
        with limit.activate(), np.errstate(all="ignore"):
            for position, gram in zip(task, grams([kernels[i] for i in task]), strict=True):
                evaluate(position, gram)
                limit.check()
        return len(task)

    with one_blas_thread:
        # The first alone: it computes what all settings share.
        done = run(first)
        pool = Parallel(n_jobs=n_jobs, backend="threading", return_as="generator_unordered")
        for finished in pool(delayed(run)(task) for task in others):
            done += finished
            if progress is not None:
                progress(done)
