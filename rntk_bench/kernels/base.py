"""The base class of the kernels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self, cast

import numpy as np

from rntk_bench.datasets import zero_pad
from rntk_bench.errors import KernelError
from rntk_bench.kernels.cache_key import dataclass_key
from rntk_bench.kernels.parameters import at_least_zero
from rntk_bench.kernels.series import Sequences, warn_of_one_step
from rntk_bench.types import FloatArray

__all__ = ["Kernel", "Sequences", "at_least_zero"]


class Kernel(ABC):
    """A positive semi-definite function of two time series.

    A kernel object is immutable and holds parameters only; it is equal to another with the same
    parameters. `kernel(X)` is the Gram matrix of one set of series, `kernel(X, Y)` that between
    two sets; `kernel(X, X)` with one and the same object is `kernel(X)`.
    """

    name: ClassVar[str]
    uses_time: ClassVar[bool] = False
    """Whether the kernel processes series step by step, at their true lengths.

    An entry is then expensive, so that Grams are worth caching. Other kernels treat a series as one
    vector, padded with zeros at the end.
    """
    temporaries: ClassVar[int] = 1
    """Number of temporary arrays of a Gram's size that computing a Gram needs."""

    @classmethod
    @abstractmethod
    def prepare(cls, X: Sequences, Y: Sequences | None = None) -> Any:
        """Compute what all kernels of this class share for one pair of sets of series."""

    @abstractmethod
    def gram(self, prepared: Any) -> FloatArray:
        """Gram matrix (n_x, n_y) from what `prepare` returned; not checked to be finite."""

    @abstractmethod
    def diag(self, X: Sequences) -> FloatArray:
        """Diagonal (n_x,) of `kernel(X)`."""

    @classmethod
    def pad_to_common_length(cls, *sets: Sequences) -> list[Sequences]:
        """Pad several sets of series to a common length, if the kernel needs it.

        Kernels that treat series as vectors need it, because an entry may depend on the dimension
        of the vectors, as that of the NTK does. Others return the sets unchanged.
        """
        if cls.uses_time:
            return list(sets)
        length = max(len(x) for X in sets for x in X)  # type: ignore[arg-type]
        return [zero_pad([np.asarray(x) for x in X], length) for X in sets]

    @classmethod
    def grams(cls, kernels: Sequence[Self], prepared: Any) -> Iterator[FloatArray]:
        """Yield the Gram of each kernel in order; subclasses may share computations."""
        for kernel in kernels:
            yield kernel.gram(prepared)

    @classmethod
    def batches(cls, kernels: Sequence[Self]) -> list[list[int]]:
        """Positions of the kernels, grouped into the batches that `grams` computes together."""
        return [[position] for position in range(len(kernels))]

    @classmethod
    def relative_cost(
        cls,
        kernels: Sequence[Self],
        length: int,  # noqa: ARG003 - for subclasses
    ) -> float:
        """Cost of the Grams for series of this length, relative to one of the simplest kernel."""
        return float(len(kernels))

    @classmethod
    def buffer_size(
        cls,
        kernels: Sequence[Self],
        shape: tuple[int, int],
        length: int,  # noqa: ARG003 - for subclasses
    ) -> int:
        """Peak number of float64 values that `grams` allocates for one of the `batches`.

        The Grams have this shape, the series this length. `prepared` is not counted.
        """
        return (len(kernels) + cls.temporaries) * shape[0] * shape[1]

    def cache_key(self) -> str | None:
        """A text that identifies the Grams of this kernel, or None if they must not be cached.

        For a dataclass it contains the class and the exact values of its fields, if these are
        numbers, strings, arrays of numbers or tuples of them, and there is no other state. Other
        classes must override this method.
        """
        return dataclass_key(self)

    def __call__(self, X: Sequences, Y: Sequences | None = None) -> FloatArray:
        """Gram matrix (n_x, n_y) of the series X with the series Y, or with themselves.

        If X and Y are the same object, they are one set, as scikit-learn's SVC passes it. Two
        one-dimensional arrays are two series, for which their entry is returned: scikit-learn's
        `pairwise_kernels`, and so `KernelRidge`, calls a kernel like this.

        Raises
        ------
        KernelError
            If the inputs are not series of finite numbers, or an entry leaves the range of float64.
        """
        if _is_row(X) and _is_row(Y):
            entry: FloatArray = self(
                [cast(FloatArray, X)], None if Y is X else [cast(FloatArray, Y)]
            )[0, 0]
            return entry
        return self.check_finite(self.gram(self.read(X, Y)))

    def read(self, X: Sequences, Y: Sequences | None = None) -> Any:
        """Call `prepare` on series from users; if X and Y are the same object, they are one set."""
        Y = None if Y is X else Y
        if self.uses_time:
            for series in (X, Y):
                warn_of_one_step(series, stacklevel=3)
        return self.prepare(X, Y)

    def check_finite(self, values: FloatArray) -> FloatArray:
        """Return `values` if all are finite; otherwise raise a KernelError naming the kernel."""
        if not np.isfinite(values).all():
            raise KernelError(
                f"{self} leaves the range of float64 on these series; scale them down."
            )
        return values


def _is_row(X: object) -> bool:
    """Whether X is one series of numbers rather than a set."""
    return isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype != object
