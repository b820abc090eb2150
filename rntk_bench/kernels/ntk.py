"""The Neural Tangent Kernel of a multi-layer perceptron."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import ClassVar, Self

import numpy as np

from rntk_bench.deadline import current_deadline
from rntk_bench.kernels.base import Kernel
from rntk_bench.kernels.parameters import at_least_one, at_least_zero
from rntk_bench.kernels.products import Products
from rntk_bench.kernels.recursion.ntk import ntk_grams
from rntk_bench.kernels.recursion.operators import Curves
from rntk_bench.kernels.series import Sequences
from rntk_bench.types import FloatArray, IntArray


@dataclass(frozen=True)
class NTK(Kernel):
    r"""ReLU NTK of an L-layer perceptron on series as vectors x in R^m.

        Sigma(1) = sigma_w^2 / m <x, x'> + sigma_b^2                                     (30)
        Sigma(l) = sigma_w^2 V[Sigma(l-1)] + sigma_b^2                                   (31)
        theta(l) = Sigma(l) + sigma_w^2 V'[Sigma(l-1)] theta(l-1),   theta(1) = Sigma(1)
        k        = sigma_v^2 (V[Sigma(L)] + V'[Sigma(L)] theta(L))                  (34), (35)

    Parameters
    ----------
    sigma_w, sigma_b, sigma_v : float, at least 0
        Standard deviations of the weights, biases and readout.
    n_layers : int, at least 1
        The depth L.

    Raises
    ------
    KernelError
        For a parameter outside its range.
    """

    sigma_w: float = math.sqrt(2.0)
    sigma_b: float = 0.0
    sigma_v: float = 1.0
    n_layers: int = 1

    name: ClassVar[str] = "ntk"
    temporaries: ClassVar[int] = 0

    def __post_init__(self) -> None:
        at_least_zero(self, sigma_w=self.sigma_w, sigma_b=self.sigma_b, sigma_v=self.sigma_v)
        at_least_one(self, n_layers=self.n_layers)

    @classmethod
    def prepare(cls, X: Sequences, Y: Sequences | None = None) -> Products:
        """Flatten the series, zero-padded to a common length, to vectors."""
        return Products.of(X, Y)

    def gram(self, prepared: Products) -> FloatArray:
        """Gram matrix (n_x, n_y)."""
        return next(self.grams([self], prepared))

    @classmethod
    def grams(cls, kernels: Sequence[Self], prepared: Products) -> Iterator[FloatArray]:
        """Yield the Gram of each kernel; those that differ only in depth share a pass."""
        for shallow, run in groupby(kernels, key=lambda kernel: replace(kernel, n_layers=1)):
            depths = [kernel.n_layers for kernel in run]
            ascending = np.unique(depths)
            stack = shallow._compute_depths(prepared, ascending)
            for depth in depths:
                yield stack[np.searchsorted(ascending, depth)]

    @classmethod
    def batches(cls, kernels: Sequence[Self]) -> list[list[int]]:
        """Positions of the kernels, grouped by their parameters except the depth."""
        runs: dict[Self, list[int]] = {}
        for position, kernel in enumerate(kernels):
            runs.setdefault(replace(kernel, n_layers=1), []).append(position)
        return list(runs.values())

    def diag(self, X: Sequences) -> FloatArray:
        """k(x, x) of each series, shape (n,), in closed form (c = 1)."""
        prepared = self.prepare(X)
        s = self._standard_deviations(prepared.norms[0], prepared.dimension, self.n_layers)
        theta = s[0] ** 2
        with np.errstate(over="ignore"):
            for layer in range(1, self.n_layers):
                theta = s[layer] ** 2 + 0.5 * self.sigma_w**2 * theta
            return self.check_finite(0.5 * self.sigma_v**2 * (s[-1] ** 2 + theta))

    def _compute_depths(self, prepared: Products, depths: IntArray) -> FloatArray:
        """Compute the Grams (n_depths, n_x, n_y) for ascending depths in one pass."""
        sides = []
        for norm in prepared.norms:
            s = self._standard_deviations(norm, prepared.dimension, int(depths[-1]))
            before = np.vstack([math.sqrt(2.0 / prepared.dimension) * norm, s[:-1]])
            inverse = np.divide(1.0, s, out=np.zeros_like(s), where=s > 0.0)
            alpha = 0.5 * self.sigma_w * before * inverse
            delta = math.sqrt(0.5) * self.sigma_b * inverse
            sides.append((np.stack([alpha, delta]), self.sigma_v * s))
        (rows, scale_x), (columns, scale_y) = sides
        distance = prepared.one_minus_correlation
        out = np.empty((len(depths), *distance.shape))
        limit = current_deadline()
        ntk_grams(
            distance,
            rows,
            columns,
            scale_x,
            scale_y,
            prepared.symmetric,
            depths,
            _RELU,
            limit.stop,
            out,
        )
        limit.check()
        return out

    def _standard_deviations(self, norm: FloatArray, dimension: int, n_layers: int) -> FloatArray:
        """sqrt(Sigma(l)(x, x)) of each layer, shape (n_layers, n)."""
        s = [np.hypot(self.sigma_w / math.sqrt(dimension) * norm, self.sigma_b)]
        for _ in range(1, n_layers):
            s.append(np.hypot(self.sigma_w * math.sqrt(0.5) * s[-1], self.sigma_b))
        return np.array(s)


_RELU = Curves.of()
