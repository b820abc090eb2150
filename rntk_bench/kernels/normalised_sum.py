"""Sums of kernels in which every summand has the same weight on a training set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rntk_bench.errors import KernelError
from rntk_bench.kernels.base import Kernel, SumKernel
from rntk_bench.kernels.batches import each_gram
from rntk_bench.kernels.prepared import PreparedSets
from rntk_bench.kernels.series import Sequences
from rntk_bench.types import FloatArray

CONSTANT = 1e-12
"""A Gram whose centred diagonal is below this fraction of its diagonal is constant but for
rounding."""


class FittedKernel(NamedTuple):
    """A kernel whose weights a training set has determined, and its Gram (n, n) on that set."""

    kernel: SumKernel
    gram: FloatArray


def mean_centred_diagonal(gram: FloatArray) -> float:
    """trace(K) / n - mean(K), the mean diagonal of the centred Gram; 0 if K is constant."""
    diagonal = float(np.trace(gram)) / len(gram)
    centred = diagonal - float(gram.mean())
    return centred if centred > CONSTANT * diagonal else 0.0


def normalised_sum(kernels: Sequence[Kernel], X: Sequences, n_jobs: int = 1) -> FittedKernel:
    """Add kernels that are divided by the `mean_centred_diagonal` of their Gram on a training set.

    The sum is divided by its own, too. Kernels whose Gram is constant distinguish no series of the
    training set, and are left out.

    Parameters
    ----------
    kernels : sequence of Kernel
    X : series of the training set
    n_jobs : int
        Number of threads. The result is the same, bit for bit, for any number.

    Returns
    -------
    FittedKernel
        The weighted sum, and its Gram on the training set, which is computed on the way.

    Raises
    ------
    KernelError
        If a Gram leaves the range of float64, or all are constant.
    """
    sets = PreparedSets(X)
    weights, gram = np.zeros(len(kernels)), np.zeros((len(sets.X), len(sets.X)))
    for position, summand in each_gram(kernels, sets, n_jobs):
        size = mean_centred_diagonal(kernels[position].check_finite(summand))
        if size > 0.0:
            weights[position] = 1.0 / size
            gram += summand / size
    if (size := mean_centred_diagonal(gram)) == 0.0:
        raise KernelError(
            "No kernel of this sum distinguishes the series of the training set; "
            "take series that differ."
        )
    return FittedKernel(weighted_sum(kernels, weights / size), gram / size)


def weighted_sum(kernels: Sequence[Kernel], weights: FloatArray) -> SumKernel:
    """The sum of kernels with these weights (k,), without those of weight 0."""
    return SumKernel(
        tuple(w * kernel for kernel, w in zip(kernels, weights.tolist(), strict=True) if w > 0.0)
    )
