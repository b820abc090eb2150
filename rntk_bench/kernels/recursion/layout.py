"""Series as the recurrent loops read them: one time step of all of them side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from rntk_bench.errors import KernelError
from rntk_bench.kernels.recursion.rntk import LANES
from rntk_bench.kernels.series import Array, Sequences, read_sequences


@dataclass(frozen=True)
class TimeMajor:
    """A set of n series, the longest first, their last steps aligned.

    `steps` is (T, m, n padded to full vectors) with zeros before a series begins, `active` (T,)
    counts the columns that have begun at a step, `lengths` and `order` (n,) are the sorted lengths
    and where each series stood.
    """

    steps: Array
    active: NDArray[np.int64]
    lengths: NDArray[np.int64]
    order: NDArray[np.int64]

    @classmethod
    def of(cls, series: Sequence[Array], T: int) -> Self:
        """Lay out series (T_i, m) on T >= max T_i steps."""
        lengths = np.array([len(x) for x in series])
        order = np.argsort(-lengths, kind="stable")
        n = len(series)
        # Repeated, not zero: the loop's choice of polynomial looks at all columns.
        columns = np.concatenate([order, np.full(-n % LANES, order[-1])])
        steps = np.zeros((T, series[0].shape[1], len(columns)))
        if lengths[order[-1]] == T:
            steps[:] = np.stack([series[i] for i in columns], axis=2)
        else:
            for column, i in enumerate(columns):
                steps[T - lengths[i] :, :, column] = series[i]
        first = T - lengths[columns]
        active = np.searchsorted(first, np.arange(T), side="right")
        return cls(steps, active, lengths[order], order)

    @property
    def n(self) -> int:
        """How many series there are."""
        return len(self.order)

    @cached_property
    def largest(self) -> float:
        """The largest size of a value."""
        return float(np.abs(self.steps).max())

    @cached_property
    def is_sorted(self) -> bool:
        """Whether the series stand as they were given."""
        return bool((np.diff(self.order) > 0).all())

    @cached_property
    def reversed(self) -> Self:
        """The same series backward in time."""
        steps = np.zeros_like(self.steps)
        T = len(steps)
        padded = np.pad(self.lengths, (0, steps.shape[2] - self.n), mode="edge")
        for length in np.unique(padded):
            same = padded == length
            steps[T - length :, :, same] = self.steps[T - length :, :, same][::-1]
        return type(self)(steps, self.active, self.lengths, self.order)


@dataclass(frozen=True)
class Pairs:
    """Two sets of series to be compared; `y` is None for one set with itself."""

    x: TimeMajor
    y: TimeMajor | None

    @classmethod
    def of(cls, X: Sequences, Y: Sequences | None = None) -> Self:
        """Read and lay out the series.

        Raises
        ------
        KernelError
            If they are not series of finite numbers, or differ in dimension.
        """
        x = read_sequences(X)
        y = None if Y is None else read_sequences(Y)
        if y is not None and x[0].shape[1] != y[0].shape[1]:
            raise KernelError(
                f"The two sets have series of {x[0].shape[1]} and {y[0].shape[1]} dimensions."
            )
        T = max(len(series) for series in (*x, *(y or ())))
        return cls(TimeMajor.of(x, T), None if y is None else TimeMajor.of(y, T))

    @property
    def sets(self) -> tuple[TimeMajor, ...]:
        """The one set, or both."""
        return (self.x,) if self.y is None else (self.x, self.y)

    @property
    def shape(self) -> tuple[int, int]:
        """Of the Gram matrix."""
        return self.x.n, self.sets[-1].n

    @cached_property
    def reversed(self) -> Self:
        """The same pairs with every series backward in time."""
        return type(self)(self.x.reversed, None if self.y is None else self.y.reversed)

    def in_given_order(self, grams: Array) -> Array:
        """Grams (.., n_x, n_y) over the sorted series as such over the series as given."""
        if all(series.is_sorted for series in self.sets):
            return grams
        x, y = self.x.order, self.sets[-1].order
        given = np.empty_like(grams)
        given[..., x[:, None], y] = grams
        return given


@dataclass(frozen=True)
class Sigmas:
    """The standard deviations (7) of S settings: w, u and b of each layer (S, L), h and v (S,).

    Those of one setting lack the first axis.
    """

    w: Array
    u: Array
    b: Array
    h: Array
    v: Array

    def __getitem__(self, which: Any) -> Self:
        """Some of the settings, or one."""
        parts = self.w, self.u, self.b, self.h, self.v
        return type(self)(*(part[which] for part in parts))


class Readable(Protocol):
    """A kernel that says how it reads the network's output."""

    @property
    def pooling(self) -> str: ...  # noqa: D102
    @property
    def tangent(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class Readouts:
    """Which kernels one pass over the pairs is to give, each an entry of both arrays (k,).

    `average`: the sum over all steps by sqrt(T T'), else the last step. `tangent`: Theta, else K.
    """

    average: NDArray[np.bool_]
    tangent: NDArray[np.bool_]
    step: ClassVar[bool] = False
    """Whether step units are read, and not the states."""

    @property
    def every(self) -> bool:
        """Whether every step is read."""
        return bool(self.average.any())

    @classmethod
    def of(cls, kernels: Iterable[Readable]) -> Self:
        """Every readout that some of the kernels need, once."""
        wanted = dict.fromkeys((kernel.pooling == "average", kernel.tangent) for kernel in kernels)
        return cls(*(np.array(part) for part in zip(*wanted, strict=True)))

    def position(self, kernel: Readable) -> int:
        """Where the readout of this kernel stands."""
        wanted = kernel.pooling == "average", kernel.tangent
        return list(zip(self.average, self.tangent, strict=True)).index(wanted)

    def collect(self, last: Array, sums: Array, pairs: Pairs) -> Array:
        """Kernels (k, n_x, n_y) from V and V' theta (2, n_x, n_y) of the last and of all steps."""
        lengths = np.multiply.outer(pairs.x.lengths, pairs.sets[-1].lengths)
        parts = [sums / np.sqrt(lengths) if average else last for average in self.average]
        return np.stack(
            [
                part.sum(axis=0) if k else part[0]
                for part, k in zip(parts, self.tangent, strict=True)
            ]
        )

    def of_one(self, steps: Array, series: TimeMajor) -> Array:
        """Diagonals (.., k, n) from V and V + V' theta (.., 2, T, n) of every step."""
        every = steps[..., : series.n]
        parts = [
            every.sum(axis=-2) / series.lengths if average else every[..., -1, :]
            for average in self.average
        ]
        chosen = [part[..., int(k), :] for part, k in zip(parts, self.tangent, strict=True)]
        return np.stack(chosen, axis=-2)
