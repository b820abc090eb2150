"""The base class of kernels that a training set determines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from rntk_bench.kernels.base import Kernel
from rntk_bench.kernels.batches import grouped_batches
from rntk_bench.kernels.cache_key import dataclass_key
from rntk_bench.kernels.normalised_sum import FittedKernel
from rntk_bench.kernels.series import Sequences


class FittableKernel(ABC):
    """A sum of kernels whose summands and weights are determined by a training set.

    An object is immutable and holds parameters only. `fit` returns an ordinary kernel.
    """

    name: ClassVar[str]
    uses_time: ClassVar[bool] = True
    """Whether series are read step by step, at their true lengths."""

    @abstractmethod
    def summands(self, X: Sequences) -> list[Kernel]:
        """The kernels of the sum, in order, before they have weights; X is the training set."""

    @abstractmethod
    def fit(self, X: Sequences, n_jobs: int = 1) -> FittedKernel:
        """The kernel for a training set, and its Gram on it, the same for any number of threads."""

    def cache_key(self) -> str | None:
        """A text that identifies the fitted kernels, as `Kernel.cache_key` does."""
        return dataclass_key(self)

    @classmethod
    def pad_to_common_length(cls, *sets: Sequences) -> list[Sequences]:
        """Return the sets unchanged."""
        return list(sets)

    @classmethod
    def batches(cls, kernels: Sequence[Self]) -> list[list[int]]:
        """One batch for each kernel."""
        return [[position] for position in range(len(kernels))]

    @classmethod
    def relative_cost(cls, kernels: Sequence[Self], length: int) -> float:
        """Cost of the Grams, as `Kernel.relative_cost`; the series are not z-normalised already."""
        costs: list[float] = [
            type(parts[0]).relative_cost(parts, length)
            for kernel in kernels
            for parts in _batched_summands(kernel, length)
        ]
        return sum(costs)

    @classmethod
    def buffer_size(cls, kernels: Sequence[Self], shape: tuple[int, int], length: int) -> int:
        """Peak number of float64 values that a thread allocates, as `Kernel.buffer_size`."""
        sizes: list[int] = [
            type(parts[0]).buffer_size(parts, shape, length)
            for kernel in kernels
            for parts in _batched_summands(kernel, length)
        ]
        return max(sizes) + 2 * shape[0] * shape[1]


def _batched_summands(kernel: FittableKernel, length: int) -> list[list[Any]]:
    """The summands for series of this length, in the batches that are computed together."""
    steps = np.arange(float(length))
    summands = kernel.summands([steps, 3.0 * steps + 1.0])
    return [[summands[position] for position in batch] for batch in grouped_batches(summands)]
