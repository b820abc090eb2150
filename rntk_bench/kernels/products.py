"""Inner products of series as vectors, shared by all kernels that treat a series as one vector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from rntk_bench.datasets import zero_pad
from rntk_bench.kernels.blas import one_blas_thread
from rntk_bench.kernels.series import Sequences, read_set
from rntk_bench.types import BoolArray, FloatArray

CLOSE = 1e-6
"""Values of 1 - cos, or of |x - x'|^2 relative to |x|^2 + |x'|^2, below this have lost too many
digits, and are recomputed from differences."""


@dataclass(frozen=True)
class Products:
    """Two sets of series as vectors x (n_x, d) and y (n_y, d); y is x for one set."""

    x: FloatArray
    y: FloatArray
    symmetric: bool

    @classmethod
    def of(cls, X: Sequences, Y: Sequences | None = None) -> Self:
        """Flatten the series, zero-padded to a common length, to vectors."""
        x = _vectors(X)
        if Y is None:
            return cls(x, x, True)
        y = _vectors(Y)
        d = max(x.shape[1], y.shape[1])
        x, y = (np.pad(v, ((0, 0), (0, d - v.shape[1]))) for v in (x, y))
        return cls(x, y, False)

    @property
    def dimension(self) -> int:
        """Length d of the vectors."""
        return int(self.x.shape[1])

    @cached_property
    def inner(self) -> FloatArray:
        """<x, x'>, shape (n_x, n_y)."""
        return matmul(self.x, self.y)

    @cached_property
    def square_distance(self) -> FloatArray:
        """|x - x'|^2, shape (n_x, n_y); zero on the diagonal of one set."""
        with np.errstate(over="ignore", invalid="ignore"):
            squares_x, squares_y = (np.einsum("nd,nd->n", v, v) for v in (self.x, self.y))
            total = squares_x[:, None] + squares_y
            square: FloatArray = total - 2.0 * self.inner
            _recompute(square, square < CLOSE * total, self.x, self.y)
        if self.symmetric:
            np.fill_diagonal(square, 0.0)
        return square

    @cached_property
    def norms(self) -> tuple[FloatArray, FloatArray]:
        """|x| and |x'|, shapes (n_x,) and (n_y,), computed without overflow."""
        return _norms(self.x), _norms(self.y)

    @cached_property
    def one_minus_correlation(self) -> FloatArray:
        """1 - cos(x, x'), shape (n_x, n_y), accurate for nearly equal directions."""
        unit_x, unit_y = (
            v / np.where(norm > 0.0, norm, 1.0)[:, None]
            for v, norm in zip((self.x, self.y), self.norms, strict=True)
        )
        result = 1.0 - matmul(unit_x, unit_y)
        _recompute(result, result < CLOSE, unit_x, unit_y, 0.5)
        return np.minimum(result, 2.0)


def _recompute(
    result: FloatArray, close: BoolArray, x: FloatArray, y: FloatArray, factor: float = 1.0
) -> None:
    """Set the entries that are close to factor * |x - y|^2, from the differences."""
    for i in np.flatnonzero(close.any(axis=1)):
        j = np.flatnonzero(close[i])
        difference = x[i] - y[j]
        result[i, j] = factor * np.einsum("nd,nd->n", difference, difference)


def _vectors(X: Sequences) -> FloatArray:
    series = read_set(X)
    values = series if isinstance(series, np.ndarray) else zero_pad(series)
    return values.reshape(len(values), -1)


def _norms(x: FloatArray) -> FloatArray:
    largest: FloatArray = np.abs(x).max(axis=1)
    scale = np.where(largest > 0.0, largest, 1.0)
    norms: FloatArray = np.linalg.norm(x / scale[:, None], axis=1) * scale
    return norms


def matmul(x: FloatArray, y: FloatArray) -> FloatArray:
    """x @ y.T on one thread, so that the last bits do not depend on the number of threads."""
    with one_blas_thread, np.errstate(over="ignore", invalid="ignore"):
        product: FloatArray = x @ y.T
    return product
