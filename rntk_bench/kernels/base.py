"""What every kernel has in common: how it is called, its identity, finite results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self, cast

import numpy as np

from rntk_bench.datasets import zero_pad
from rntk_bench.errors import KernelError
from rntk_bench.kernels.cache_key import dataclass_key
from rntk_bench.kernels.parameters import at_least_zero
from rntk_bench.kernels.series import Array, Sequences, warn_of_one_step

__all__ = ["Array", "Kernel", "Sequences", "at_least_zero"]


class Kernel(ABC):
    """A positive semi-definite function of two time series.

    A kernel object is immutable and holds parameters only; it is equal to another with the same
    parameters. `kernel(X)` is the Gram matrix of one set of series, `kernel(X, Y)` that between
    two sets; `kernel(X, X)` with one and the same object is `kernel(X)`.
    """

    name: ClassVar[str]
    uses_time: ClassVar[bool] = False
    """Whether the kernel reads series step by step and at their true lengths.

    An entry then costs work at every step, so that Grams are worth storing; a kernel that does not
    sees a series as one vector, padded with zeros at the end.
    """
    temporaries: ClassVar[int] = 1
    """Arrays of a Gram's size that computing one takes besides it."""

    @classmethod
    @abstractmethod
    def prepare(cls, X: Sequences, Y: Sequences | None = None) -> Any:
        """Compute what all kernels of this family share on one pair of sets."""

    @abstractmethod
    def gram(self, prepared: Any) -> Array:
        """Gram matrix (n_x, n_y) from what `prepare` returned; not checked to be finite."""

    @abstractmethod
    def diag(self, X: Sequences) -> Array:
        """Diagonal (n_x,) of `kernel(X)`."""

    @classmethod
    def read_alike(cls, *sets: Sequences) -> list[Sequences]:
        """Sets whose Grams, alone and with one another, must belong together.

        A family that sees vectors has them padded to one length, since an entry may depend on
        the dimension, as the NTK's does.
        """
        if cls.uses_time:
            return list(sets)
        length = max(len(x) for X in sets for x in X)  # type: ignore[arg-type]
        return [zero_pad([np.asarray(x) for x in X], length) for X in sets]

    @classmethod
    def grams(cls, kernels: Sequence[Self], prepared: Any) -> Iterator[Array]:
        """Yield the Gram of each kernel in order; families with shared work override this."""
        for kernel in kernels:
            yield kernel.gram(prepared)

    @classmethod
    def batches(cls, kernels: Sequence[Self]) -> list[list[int]]:
        """Positions of the kernels, those that `grams` computes together side by side."""
        return [[position] for position in range(len(kernels))]

    @classmethod
    def work(
        cls,
        kernels: Sequence[Self],
        length: int,  # noqa: ARG003 - for families that work at every step
    ) -> float:
        """Cost of all their Grams of series of this length, in Grams of the plainest kernel."""
        return float(len(kernels))

    @classmethod
    def room(
        cls,
        kernels: Sequence[Self],
        shape: tuple[int, int],
        length: int,  # noqa: ARG003 - for families that work at every step
    ) -> int:
        """Numbers at the peak of `grams` on kernels of one of the `batches`, besides `prepared`.

        For Grams of this shape, of series of this length.
        """
        return (len(kernels) + cls.temporaries) * shape[0] * shape[1]

    def cache_key(self) -> str | None:
        """Text that no kernel with other Grams has, or None if Grams must not be kept.

        That of a dataclass holds its class and the exact values of its fields, as long as these
        are numbers, strings, arrays of numbers or tuples of such and there is no other state.
        Override it for a class that is something else.
        """
        return dataclass_key(self)

    def __call__(self, X: Sequences, Y: Sequences | None = None) -> Array:
        """Gram matrix (n_x, n_y) of the series X with the series Y, or with themselves.

        One and the same object as X and Y is one set, as scikit-learn's SVC means it. Two arrays
        of one axis are two series, and their entry is returned: so its `pairwise_kernels`, and
        with it KernelRidge, calls a kernel.

        Raises
        ------
        KernelError
            If the inputs are not series of finite numbers, or an entry leaves the range of float64.
        """
        if _is_row(X) and _is_row(Y):
            entry: Array = self([cast(Array, X)], None if Y is X else [cast(Array, Y)])[0, 0]
            return entry
        return self.checked(self.gram(self.read(X, Y)))

    def read(self, X: Sequences, Y: Sequences | None = None) -> Any:
        """What `prepare` returns for series from outside, where one object as both is one set."""
        Y = None if Y is X else Y
        if self.uses_time:
            for series in (X, Y):
                warn_of_one_step(series, stacklevel=3)
        return self.prepare(X, Y)

    def checked(self, values: Array) -> Array:
        """Return `values` if all are finite, else raise a KernelError that names the setting."""
        if not np.isfinite(values).all():
            raise KernelError(
                f"{self} leaves the range of float64 on these series; scale them down."
            )
        return values


def _is_row(X: object) -> bool:
    """Whether X is one series of numbers rather than a set."""
    return isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype != object
