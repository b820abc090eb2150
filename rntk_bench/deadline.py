"""A time limit, which compiled loops check as well."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from threading import TIMEOUT_MAX, Timer
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rntk_bench.errors import RntkBenchError


class TimeLimitError(RntkBenchError):
    """A computation that did not end within its time limit."""


class Deadline:
    """Stops the computation inside `with Deadline(seconds):` when the time is over.

    Compiled loops get the array `stop` and look at it regularly. If it is true, they return early
    with an invalid result, and their caller then calls `check`. If an error or an interrupt leaves
    the block, loops in other threads are stopped in the same way.

    Parameters
    ----------
    seconds : float, optional
        None for no limit.
    elapsed : float
        How many of these seconds have already passed.
    """

    def __init__(self, seconds: float | None = None, elapsed: float = 0.0) -> None:
        self.seconds, self._elapsed = seconds, elapsed
        self.stop: NDArray[np.bool_] = np.zeros(1, dtype=bool)
        self._timer: Timer | None = None
        self._end = time.monotonic()
        self._token: Token[Deadline | None] | None = None

    def __enter__(self) -> Self:
        if self.seconds is not None:
            left = max(0.0, self.seconds - self._elapsed)
            self._end = time.monotonic() + left
            self._timer = Timer(min(left, TIMEOUT_MAX), self._expire)
            self._timer.daemon = True
            self._timer.start()
        self._token = _CURRENT.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._token is not None
        _CURRENT.reset(self._token)
        if self._timer is not None:
            self._timer.cancel()
        if kind is not None:
            self._expire()

    def nested(self) -> Deadline:
        """Return a deadline for a part of the computation, which passes at the same time.

        An error in the part stops the part alone.
        """
        left = self.remaining
        return Deadline(self.seconds, 0.0 if left is None else (self.seconds or 0.0) - left)

    @contextmanager
    def activate(self) -> Iterator[None]:
        """Make this the current deadline in another thread than the one that set it."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    @property
    def remaining(self) -> float | None:
        """The remaining seconds, None without a limit."""
        return None if self.seconds is None else max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise TimeLimitError if the computation is to stop."""
        if self.stop[0]:
            raise TimeLimitError(
                "It was stopped."
                if self.seconds is None
                else f"It was stopped after the time limit of {self.seconds:g} s; run it again "
                "with a longer --timeout and with '--overwrite failed'."
            )

    def _expire(self) -> None:
        self.stop[0] = True


_NEVER = Deadline()
_CURRENT: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current_deadline() -> Deadline:
    """The innermost deadline around the calling code, or one without a limit."""
    return _CURRENT.get() or _NEVER
