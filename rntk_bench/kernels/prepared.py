"""Sets of series together with what several classes of kernels compute from them once."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any, Self

from rntk_bench.kernels.series import Sequences, read_sequences
from rntk_bench.types import FloatArray

Series = list[FloatArray]
"""A set of n series (T_i, m)."""


class PreparedSets:
    """One or two sets of series, and what kernels have prepared of them; `Y` is None for one set.

    Raises
    ------
    KernelError
        If X or Y are not series of finite numbers.
    """

    def __init__(self, X: Sequences, Y: Sequences | None = None) -> None:
        self.X: Series = read_sequences(X)
        self.Y: Series | None = None if Y is None else read_sequences(Y)
        self._cache: dict[object, Any] = {}
        self._lock = RLock()

    def prepared_by(self, family: type[Any]) -> Any:
        """What the class of kernels `family` prepares for these sets; computed once."""
        return self._once(family, lambda: family.prepare(self.X, self.Y))

    def transformed_by(self, transform: Callable[[Series], Series]) -> Self:
        """The sets after a hashable transformation of sets of series; computed once."""
        Y = self.Y
        result: Self = self._once(
            transform,
            lambda: type(self)(transform(self.X), None if Y is None else transform(Y)),
        )
        return result

    def _once(self, key: object, compute: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._cache:
                self._cache[key] = compute()
            return self._cache[key]
