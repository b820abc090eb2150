"""Computing the Grams of kernels of several classes, which may share computations.

A *kernel* here is any object with the methods of `rntk_bench.kernels.base.Kernel`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from typing import Any

import numpy as np
from joblib import effective_n_jobs

from rntk_bench.deadline import current_deadline
from rntk_bench.kernels.prepared import PreparedSets
from rntk_bench.types import FloatArray


def grouped_batches(kernels: Sequence[Any]) -> list[list[int]]:
    """`Kernel.batches` for kernels of several classes."""
    families: dict[Any, list[int]] = {}
    for position, kernel in enumerate(kernels):
        families.setdefault(type(kernel), []).append(position)
    return [
        [positions[i] for i in batch]
        for family, positions in families.items()
        for batch in family.batches([kernels[position] for position in positions])
    ]


def grams_of(kernels: Sequence[Any], sets: PreparedSets) -> Iterator[FloatArray]:
    """`Kernel.grams` for kernels of several classes."""
    family: Any
    for family, run in groupby(kernels, type):
        yield from family.grams(list(run), sets.prepared_by(family))


def each_gram(
    kernels: Sequence[Any], sets: PreparedSets, n_jobs: int = 1
) -> Iterator[tuple[int, FloatArray]]:
    """Yield the position and the Gram of each kernel, one batch after the other.

    The order depends on the kernels alone, and not on the number of threads `n_jobs`.
    """
    deadline = current_deadline()

    def compute(batch: list[int]) -> list[tuple[int, FloatArray]]:
        # An overflow is found in the Gram; NumPy's warnings would come from every thread.
        with deadline.activate(), np.errstate(all="ignore"):
            return list(zip(batch, grams_of([kernels[i] for i in batch], sets), strict=True))

    batches, n_threads = grouped_batches(kernels), effective_n_jobs(n_jobs)
    if n_threads == 1:
        for batch in batches:
            yield from compute(batch)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        # At most one batch more than threads is ahead of the consumer, which bounds the memory.
        pending: deque[Future[list[tuple[int, FloatArray]]]] = deque()
        for batch in batches:
            pending.append(pool.submit(compute, batch))
            if len(pending) > n_threads:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()
