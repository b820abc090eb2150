"""Computing the Grams of kernels of several classes, which may share computations.

A *kernel* here is any object with the methods of `rntk_bench.kernels.base.Kernel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from joblib import Parallel, delayed

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
    for family, run in groupby(kernels, type):
        yield from _grams(family, list(run), sets)


def _grams(family: Any, kernels: list[Any], sets: PreparedSets) -> Iterator[FloatArray]:
    grams: Iterator[FloatArray] = family.grams(kernels, sets.prepared_by(family))
    return grams


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

    pool = Parallel(n_jobs=n_jobs, backend="threading", return_as="generator")
    for results in pool(delayed(compute)(batch) for batch in grouped_batches(kernels)):
        yield from results
