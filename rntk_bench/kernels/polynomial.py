"""The polynomial kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rntk_bench.kernels.base import Kernel
from rntk_bench.kernels.parameters import at_least_one, at_least_zero
from rntk_bench.kernels.products import Products
from rntk_bench.kernels.series import Sequences
from rntk_bench.types import FloatArray


@dataclass(frozen=True)
class Polynomial(Kernel):
    """k(x, x') = (r + <x, x'>)^degree, (41), on series as vectors.

    Parameters
    ----------
    degree : int, at least 1
    r : float, at least 0

    Raises
    ------
    KernelError
        For a parameter outside its range.
    """

    degree: int = 1
    r: float = 0.0

    name: ClassVar[str] = "poly"

    def __post_init__(self) -> None:
        at_least_zero(self, r=self.r)
        at_least_one(self, degree=self.degree)

    @classmethod
    def prepare(cls, X: Sequences, Y: Sequences | None = None) -> Products:
        """Flatten the series, zero-padded to a common length, to vectors."""
        return Products.of(X, Y)

    def gram(self, prepared: Products) -> FloatArray:
        """Gram matrix (n_x, n_y)."""
        with np.errstate(over="ignore"):
            gram: FloatArray = (self.r + prepared.inner) ** self.degree
        return gram

    def diag(self, X: Sequences) -> FloatArray:
        """k(x, x) of each series, shape (n,)."""
        x = self.prepare(X).x
        with np.errstate(over="ignore"):
            return self.check_finite((self.r + np.einsum("nd,nd->n", x, x)) ** self.degree)
