"""Evaluating a grid of kernels in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import numpy as np
from joblib import Parallel, delayed

from rntk_bench.deadline import current_deadline
from rntk_bench.kernels.blas import one_blas_thread
from rntk_bench.types import FloatArray

Batch = list[int]
"""Positions in a grid of kernels whose Gram matrices are computed together."""

N_TASKS = 64
"""Number of tasks into which a grid is divided for the threads."""


def split(batches: Sequence[Batch], n_chunks: int) -> list[list[Batch]]:
    """Divide batches into at most `n_chunks` chunks of equal size, but for the last."""
    size = -(-len(batches) // n_chunks)
    return [list(batches[start : start + size]) for start in range(0, len(batches), size)]


def positions(batches: Sequence[Batch]) -> list[int]:
    """The positions in all batches, in order."""
    return list(chain.from_iterable(batches))


def evaluate_grid(
    batches: Sequence[Batch],
    grams: Callable[[Sequence[Batch]], Iterator[tuple[int, FloatArray]]],
    evaluate: Callable[[int, FloatArray], None],
    n_jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Compute and evaluate the Gram matrices of some batches of a grid.

    Parameters
    ----------
    batches : sequence of list of int
    grams : callable
        Yields the position and the Gram matrix of each kernel in the given batches.
    evaluate : callable
        Receives a position and a Gram matrix; it is called from several threads.
    n_jobs : int
        Number of threads.
    progress : callable, optional
        Receives the number of kernels that have been evaluated.
    """
    first, *others = split(batches, N_TASKS)
    deadline = current_deadline()

    def run(task: list[Batch]) -> int:
        # An overflow is found in the Gram matrix; NumPy's warnings would come from every thread.
        with deadline.activate(), np.errstate(all="ignore"):
            for position, gram in grams(task):
                evaluate(position, gram)
                deadline.check()
        return len(positions(task))

    with one_blas_thread:
        n_threads = max(1, min(n_jobs, len(others)))
        pool = Parallel(n_jobs=n_threads, backend="threading", return_as="generator_unordered")
        done = 0
        # The first task runs alone, since it computes what all kernels share.
        for n_evaluated in chain([run(first)], pool(delayed(run)(task) for task in others)):
            done += n_evaluated
            if progress is not None:
                progress(done)
