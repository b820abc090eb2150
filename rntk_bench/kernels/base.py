"""What every kernel has in common: parameters checked, inputs read, finite results."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rntk_bench.data import zero_pad
from rntk_bench.errors import KernelError

Array = NDArray[np.float64]
Sequences = Array | Sequence[ArrayLike]
"""(n, T), (n, T, m), or n arrays of shape (T_i,) or (T_i, m)."""


class Kernel(ABC):
    """A positive semi-definite function of two time series.

    A kernel object is immutable and holds parameters only; it is equal to another with the same
    parameters. `kernel(X)` is the Gram matrix of one set of series, `kernel(X, Y)` that between
    two sets.
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

    def __call__(self, X: Sequences, Y: Sequences | None = None) -> Array:
        """Gram matrix (n_x, n_y) of the series X with the series Y, or with themselves.

        Raises
        ------
        KernelError
            If the inputs are not series of finite numbers, or an entry leaves the range of float64.
        """
        return self.checked(self.gram(self.prepare(X, Y)))

    def checked(self, values: Array) -> Array:
        """Return `values` if all are finite, else raise a KernelError that names the setting."""
        if not np.isfinite(values).all():
            raise KernelError(
                f"{self} leaves the range of float64 on these series; scale them down."
            )
        return values


def at_least_zero(kernel: object, **parameters: float) -> None:
    """Raise a KernelError naming the first parameter that is negative or not finite."""
    for name, value in parameters.items():
        if not (math.isfinite(value) and value >= 0.0):
            raise KernelError(
                f"{type(kernel).__name__}: {name} is {value}, but must be a finite number >= 0."
            )


def read_series(X: Sequences) -> Array:
    """X as a float64 array (n, T) or (n, T, m) of series of one length.

    Raises
    ------
    KernelError
        If there is no series, no time step, a value that is not finite, or several lengths.
    """
    try:
        values = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        raise KernelError(
            "The series must be numbers of shape (n, T) or (n, T, m), all of one length."
        ) from None
    if values.ndim not in (2, 3) or 0 in values.shape:
        raise KernelError(
            f"The series have shape {values.shape}, but must have shape (n, T) or (n, T, m), "
            "with at least one series and one step."
        )
    finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if not finite.all():
        raise KernelError(f"Series {int(np.argmin(finite))} holds a value that is not finite.")
    return values
