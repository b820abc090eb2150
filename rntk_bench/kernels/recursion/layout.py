"""The memory layout of series for the compiled loops: the values of one step are contiguous."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from rntk_bench.errors import KernelError
from rntk_bench.kernels.recursion.rntk import LANES
from rntk_bench.kernels.series import Sequences, read_set
from rntk_bench.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class TimeMajor:
    """A set of n series, sorted by decreasing length, with their last steps aligned.

    `steps` is (T, m, n padded to full vectors) with zeros before a series starts. `active` (T,) is
    the number of columns that have started at each step. `lengths` and `order` (n,) are the sorted
    lengths and the original position of each series.
    """

    steps: FloatArray
    active: IntArray
    lengths: IntArray
    order: IntArray

    @classmethod
    def of(cls, series: FloatArray | Sequence[FloatArray], T: int) -> Self:
        """Arrange series (n, T_1, m), or n arrays (T_i, m), on T >= max T_i steps."""
        lengths = np.array([len(x) for x in series])
        order = np.argsort(-lengths, kind="stable")
        n = len(series)
        # Repeated, not zero: the loop's choice of polynomial looks at all columns.
        columns = np.concatenate([order, np.full(-n % LANES, order[-1])])
        steps = np.zeros((T, series[0].shape[1], len(columns)))
        if lengths[order[-1]] == lengths[order[0]]:
            values = series if isinstance(series, np.ndarray) else np.stack(series)
            steps[T - lengths[0] :] = values[columns].transpose(1, 2, 0)
        else:
            for column, i in enumerate(columns):
                steps[T - lengths[i] :, :, column] = series[i]
        first = T - lengths[columns]
        active = np.searchsorted(first, np.arange(T), side="right")
        return cls(steps, active, lengths[order], order)

    @cached_property
    def n(self) -> int:
        """Number of series."""
        return len(self.order)

    @cached_property
    def largest(self) -> float:
        """The largest absolute value."""
        return float(np.abs(self.steps).max())

    @cached_property
    def is_sorted(self) -> bool:
        """Whether the series are in their original order."""
        return bool((np.diff(self.order) > 0).all())

    @cached_property
    def reversed(self) -> Self:
        """The series reversed in time."""
        steps = np.zeros_like(self.steps)
        T = len(steps)
        padded = np.pad(self.lengths, (0, steps.shape[2] - self.n), mode="edge")
        for length in np.unique(padded):
            same = padded == length
            steps[T - length :, :, same] = self.steps[T - length :, :, same][::-1]
        return type(self)(steps, self.active, self.lengths, self.order)


@dataclass(frozen=True)
class Pairs:
    """Two sets of series; `y` is None for one set with itself."""

    x: TimeMajor
    y: TimeMajor | None

    @classmethod
    def of(cls, X: Sequences, Y: Sequences | None = None) -> Self:
        """Read and arrange the series.

        Raises
        ------
        KernelError
            If they are not series of finite numbers, or differ in dimension.
        """
        x = _with_dimensions(read_set(X))
        y = None if Y is None else _with_dimensions(read_set(Y))
        if y is not None and x[0].shape[1] != y[0].shape[1]:
            raise KernelError(
                f"The two sets have series of {x[0].shape[1]} and {y[0].shape[1]} dimensions; "
                "the numbers must be equal."
            )
        T = max(len(series) for series in (*x, *(() if y is None else y)))
        return cls(TimeMajor.of(x, T), None if y is None else TimeMajor.of(y, T))

    @cached_property
    def sets(self) -> tuple[TimeMajor, ...]:
        """The one set, or both."""
        return (self.x,) if self.y is None else (self.x, self.y)

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Shape of the Gram matrix."""
        return self.x.n, self.sets[-1].n

    @property
    def root_of_lengths(self) -> FloatArray:
        """sqrt(T T') of each pair, (n_x, n_y)."""
        return np.asarray(np.sqrt(np.multiply.outer(self.x.lengths, self.sets[-1].lengths)))

    @cached_property
    def reversed(self) -> Self:
        """The pairs with all series reversed in time."""
        return type(self)(self.x.reversed, None if self.y is None else self.y.reversed)

    def in_original_order(self, grams: FloatArray) -> FloatArray:
        """Reorder Grams (.., n_x, n_y) of the sorted series to the original order of the series."""
        if all(series.is_sorted for series in self.sets):
            return grams
        x, y = self.x.order, self.sets[-1].order
        reordered = np.empty_like(grams)
        reordered[..., x[:, None], y] = grams
        return reordered


def _with_dimensions(series: FloatArray | list[FloatArray]) -> FloatArray | list[FloatArray]:
    """An array (n, T) as (n, T, 1); anything else as it is."""
    if isinstance(series, np.ndarray):
        return series.reshape(*series.shape[:2], -1)
    return series


@dataclass(frozen=True)
class Sigmas:
    """The standard deviations (7) of S settings: w, u and b of each layer (S, L), h and v (S,).

    Those of one setting lack the first axis.
    """

    w: FloatArray
    u: FloatArray
    b: FloatArray
    h: FloatArray
    v: FloatArray

    def __getitem__(self, which: Any) -> Self:
        """Select some of the settings, or one."""
        parts = self.w, self.u, self.b, self.h, self.v
        return type(self)(*(part[which] for part in parts))


class Readable(Protocol):
    """The attributes of a kernel that determine its readout."""

    @property
    def pooling(self) -> str: ...  # noqa: D102
    @property
    def tangent(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class Readouts:
    """The k kernels that one pass over the pairs computes; both arrays have shape (k,).

    `average`: the sum over all steps divided by sqrt(T T'), else the last step. `tangent`: Theta,
    else K.
    """

    average: BoolArray
    tangent: BoolArray
    step: ClassVar[bool] = False
    """Whether the step function of the pre-activations is read instead of the states."""

    @cached_property
    def all_steps(self) -> bool:
        """Whether all steps are read."""
        return bool(self.average.any())

    @classmethod
    def of(cls, kernels: Iterable[Readable]) -> Self:
        """The distinct readouts of some kernels."""
        distinct = dict.fromkeys((k.pooling == "average", k.tangent) for k in kernels)
        return cls(*(np.array(part) for part in zip(*distinct, strict=True)))

    def position(self, kernel: Readable) -> int:
        """Index of the readout of this kernel."""
        readout = kernel.pooling == "average", kernel.tangent
        return list(zip(self.average, self.tangent, strict=True)).index(readout)

    def of_one(self, steps: FloatArray, series: TimeMajor) -> FloatArray:
        """Diagonals (.., k, n) from V and V + V' theta (.., 2, T, n) of each step."""
        values = steps[..., : series.n]
        parts = [
            values.sum(axis=-2) / series.lengths if average else values[..., -1, :]
            for average in self.average
        ]
        chosen = [part[..., int(k), :] for part, k in zip(parts, self.tangent, strict=True)]
        return np.stack(chosen, axis=-2)
