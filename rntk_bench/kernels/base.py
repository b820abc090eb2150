"""The base class of the kernels, and their sums, products and multiples.

These are in one file because the operators `+` and `*` of every kernel create them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar, Self, cast

import numpy as np

from rntk_bench.datasets import zero_pad
from rntk_bench.errors import KernelError, short_repr
from rntk_bench.kernels.batches import each_gram, grams_of, grouped_batches
from rntk_bench.kernels.cache_key import dataclass_key
from rntk_bench.kernels.parameters import as_number, at_least_zero
from rntk_bench.kernels.prepared import PreparedSets
from rntk_bench.kernels.series import Sequences, warn_of_one_step
from rntk_bench.types import FloatArray


class Kernel(ABC):
    """A positive semi-definite function of two time series.

    A kernel object is immutable and holds parameters only; it is equal to another with the same
    parameters. `kernel(X)` is the Gram matrix of one set of series, `kernel(X, Y)` that between
    two sets; `kernel(X, X)` with one and the same object is `kernel(X)`. Kernels are combined by
    `+` and `*`, as in ``2.0 * RNTK() + RBF()``.
    """

    name: ClassVar[str]
    uses_time: ClassVar[bool] = False
    """Whether the kernel processes series step by step, at their true lengths.

    An entry is then expensive, so that Grams are worth caching. Other kernels treat a series as one
    vector, padded with zeros at the end.
    """
    temporaries: ClassVar[int] = 1
    """Number of temporary arrays of a Gram's size that computing a Gram needs."""
    __array_ufunc__: ClassVar[None] = None
    """NumPy's numbers leave `number * kernel` to the kernel."""

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
                f"{self} leaves the range of float64 on these series; scale them, or take smaller "
                "parameters."
            )
        return values

    def __add__(self, other: object) -> SumKernel:
        if not isinstance(other, Kernel):
            return NotImplemented
        return SumKernel((*_parts(self, SumKernel), *_parts(other, SumKernel)))

    def __mul__(self, other: object) -> Kernel:
        if isinstance(other, Kernel):
            return ProductKernel((*_parts(self, ProductKernel), *_parts(other, ProductKernel)))
        return (
            NotImplemented if as_number(other) is None else ScaledKernel(self, cast(float, other))
        )

    __rmul__ = __mul__


class CombinedKernel(Kernel):
    """Base class of kernels that are computed from the Grams of other kernels, their `parts`."""

    uses_time: ClassVar[bool] = True

    @property
    @abstractmethod
    def parts(self) -> tuple[Kernel, ...]:
        """The kernels from whose Grams this one is computed."""

    @classmethod
    def prepare(cls, X: Sequences, Y: Sequences | None = None) -> PreparedSets:
        """Read the series; what the parts share is computed with the first of them."""
        return PreparedSets(X, Y)

    @classmethod
    def relative_cost(cls, kernels: Sequence[Self], length: int) -> float:
        """The sum of the costs of the parts."""
        parts = [part for kernel in kernels for part in kernel.parts]
        return sum(
            type(parts[batch[0]]).relative_cost([parts[i] for i in batch], length)
            for batch in grouped_batches(parts)
        )

    @classmethod
    def buffer_size(cls, kernels: Sequence[Self], shape: tuple[int, int], length: int) -> int:
        """The Grams, plus what the largest batch of parts needs."""
        parts = [part for kernel in kernels for part in kernel.parts]
        largest = max(
            type(parts[batch[0]]).buffer_size([parts[i] for i in batch], shape, length)
            for batch in grouped_batches(parts)
        )
        return super().buffer_size(kernels, shape, length) + largest


@dataclass(frozen=True, repr=False)
class ScaledKernel(CombinedKernel):
    """factor k(x, x'), which ``factor * kernel`` creates.

    Parameters
    ----------
    kernel : Kernel
    factor : float, at least 0

    Raises
    ------
    KernelError
        For a parameter outside its range.
    """

    kernel: Kernel
    factor: float = 1.0

    name: ClassVar[str] = "scaled"

    def __post_init__(self) -> None:
        check_kernels(self, self.kernel)
        at_least_zero(self, factor=self.factor)

    @property
    def parts(self) -> tuple[Kernel, ...]:
        """The kernel."""
        return (self.kernel,)

    def gram(self, prepared: PreparedSets) -> FloatArray:
        """Gram matrix (n_x, n_y)."""
        return next(self.grams([self], prepared))

    @classmethod
    def grams(cls, kernels: Sequence[Self], prepared: PreparedSets) -> Iterator[FloatArray]:
        """Yield the Gram of each kernel; they share what the kernels themselves share."""
        grams = grams_of([each.kernel for each in kernels], prepared)
        for each, gram in zip(kernels, grams, strict=True):
            yield each.factor * gram

    @classmethod
    def batches(cls, kernels: Sequence[Self]) -> list[list[int]]:
        """Positions of the kernels, grouped as the kernels themselves are."""
        return grouped_batches([each.kernel for each in kernels])

    def diag(self, X: Sequences) -> FloatArray:
        """Diagonal (n_x,) of `kernel(X)`."""
        return self.check_finite(self.factor * self.kernel.diag(X))

    def __repr__(self) -> str:
        inner = f"({self.kernel!r})" if isinstance(self.kernel, SumKernel) else repr(self.kernel)
        return f"{self.factor!r} * {inner}"


class _Combination(CombinedKernel):
    """A sum or a product, computed batch by batch in an order that the kernels alone decide."""

    @staticmethod
    @abstractmethod
    def combine(a: FloatArray, b: FloatArray) -> FloatArray:
        """Combine the values of two parts."""

    def gram(self, prepared: PreparedSets, n_jobs: int = 1) -> FloatArray:
        """Gram matrix (n_x, n_y), the same for any number of threads `n_jobs`."""
        return reduce(self.combine, (gram for _, gram in each_gram(self.parts, prepared, n_jobs)))

    def diag(self, X: Sequences) -> FloatArray:
        """Diagonal (n_x,) of `kernel(X)`."""
        return self.check_finite(reduce(self.combine, (part.diag(X) for part in self.parts)))

    def __str__(self) -> str:
        return short_repr(self)


@dataclass(frozen=True, repr=False)
class SumKernel(_Combination):
    """The sum of kernels, which ``kernel + kernel`` creates.

    Parameters
    ----------
    summands : sequence of Kernel
        At least one.

    Raises
    ------
    KernelError
        If there are none, or one is not a kernel.
    """

    summands: tuple[Kernel, ...]

    name: ClassVar[str] = "sum"

    def __post_init__(self) -> None:
        object.__setattr__(self, "summands", check_kernels(self, *self.summands))

    @staticmethod
    def combine(a: FloatArray, b: FloatArray) -> FloatArray:
        """a + b."""
        return a + b

    @property
    def parts(self) -> tuple[Kernel, ...]:
        """The summands."""
        return self.summands

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.summands))


@dataclass(frozen=True, repr=False)
class ProductKernel(_Combination):
    """The product of kernels, entry by entry, which ``kernel * kernel`` creates.

    Parameters
    ----------
    factors : sequence of Kernel
        At least one.

    Raises
    ------
    KernelError
        If there are none, or one is not a kernel.
    """

    factors: tuple[Kernel, ...]

    name: ClassVar[str] = "product"

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", check_kernels(self, *self.factors))

    @staticmethod
    def combine(a: FloatArray, b: FloatArray) -> FloatArray:
        """a b, entry by entry."""
        return a * b

    @property
    def parts(self) -> tuple[Kernel, ...]:
        """The factors."""
        return self.factors

    def __repr__(self) -> str:
        return " * ".join(
            f"({each!r})" if isinstance(each, SumKernel) else repr(each) for each in self.factors
        )


def check_kernels(owner: Kernel, *parts: object) -> tuple[Kernel, ...]:
    """Return the parts of a combined kernel.

    Raises
    ------
    KernelError
        If there are none, or one is not a kernel.
    """
    for part in parts:
        if not isinstance(part, Kernel):
            raise KernelError(f"{type(owner).__name__}: {short_repr(part)} is not a kernel.")
    if not parts:
        raise KernelError(f"{type(owner).__name__} needs at least one kernel.")
    return cast(tuple[Kernel, ...], parts)


def _parts(kernel: Kernel, kind: type[CombinedKernel]) -> tuple[Kernel, ...]:
    """The parts of a kernel of this class, or the kernel itself."""
    return kernel.parts if isinstance(kernel, kind) else (kernel,)


def _is_row(X: object) -> bool:
    """Whether X is one series of numbers rather than a set."""
    return isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype != object
