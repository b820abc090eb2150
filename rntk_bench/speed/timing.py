"""Timing a function, and the comparison of its time with that of a baseline."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Speedup:
    """Seconds of this package and of a baseline for one task, and how far their results agree."""

    task: str
    seconds: float
    baseline_seconds: float
    agreement: str

    @property
    def factor(self) -> float:
        """How many times faster this package is."""
        return self.baseline_seconds / self.seconds


def shortest_time(function: Callable[[], Result], repeats: int = 1) -> tuple[Result, float]:
    """Return the result of a function, and the seconds of the fastest of some calls."""
    shortest = math.inf
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        shortest = min(shortest, time.perf_counter() - start)
    return result, shortest
