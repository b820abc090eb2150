"""The radial basis function kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rntk_bench.kernels.base import Kernel
from rntk_bench.kernels.parameters import at_least_zero
from rntk_bench.kernels.products import Products
from rntk_bench.kernels.series import Sequences, read_set
from rntk_bench.types import FloatArray


@dataclass(frozen=True)
class RBF(Kernel):
    """k(x, x') = exp(-alpha |x - x'|^2), (39), on series as vectors.

    Parameters
    ----------
    alpha : float, at least 0

    Raises
    ------
    KernelError
        For a parameter outside its range.
    """

    alpha: float = 1.0

    name: ClassVar[str] = "rbf"

    def __post_init__(self) -> None:
        at_least_zero(self, alpha=self.alpha)

    @classmethod
    def prepare(cls, X: Sequences, Y: Sequences | None = None) -> Products:
        """Flatten the series, zero-padded to a common length, to vectors."""
        return Products.of(X, Y)

    def gram(self, prepared: Products) -> FloatArray:
        """Gram matrix (n_x, n_y)."""
        gram: FloatArray = np.exp(-self.alpha * prepared.square_distance)
        return gram

    def diag(self, X: Sequences) -> FloatArray:
        """Ones, shape (n,)."""
        return np.ones(len(read_set(X)))
