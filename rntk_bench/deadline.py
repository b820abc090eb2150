"""A limit on the time of some work, which compiled loops heed as well."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from threading import Timer
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rntk_bench.errors import RntkBenchError


class TimeLimitError(RntkBenchError):
    """Work that did not end within its time limit."""


class Deadline:
    """Ends the work inside `with Deadline(seconds):` once the time is over.

    Loops are handed `stop`, look at it now and then, and return early with a result that is worth
    nothing once it is true; who called them calls `check`. Work that leaves the block by an error
    or an interrupt stops its loops in other threads in the same way.

    Parameters
    ----------
    seconds : float, optional
        None is no limit.
    spent : float
        Of these, how many have passed already.
    """

    def __init__(self, seconds: float | None = None, spent: float = 0.0) -> None:
        self.seconds, self._spent = seconds, spent
        self.stop: NDArray[np.bool_] = np.zeros(1, dtype=bool)
        self._timer: Timer | None = None
        self._end = time.monotonic()
        self._token: Token[Deadline | None] | None = None

    def __enter__(self) -> Self:
        if self.seconds is not None:
            left = max(0.0, self.seconds - self._spent)
            self._end = time.monotonic() + left
            self._timer = Timer(left, self._expire)
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

    @contextmanager
    def activate(self) -> Iterator[None]:
        """Heed this deadline in another thread than the one that set it."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    @property
    def remaining(self) -> float | None:
        """Seconds left, None without a limit."""
        return None if self.seconds is None else max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise TimeLimitError if the work is to stop."""
        if self.stop[0]:
            raise TimeLimitError(
                "It was stopped."
                if self.seconds is None
                else f"It was stopped after the time limit of {self.seconds:g} s; give it more "
                "time with --timeout, and --overwrite failed."
            )

    def _expire(self) -> None:
        self.stop[0] = True


_NEVER = Deadline()
_CURRENT: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current_deadline() -> Deadline:
    """The innermost one around this code; one without a limit if there is none."""
    return _CURRENT.get() or _NEVER
