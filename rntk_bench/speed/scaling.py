"""How the time of one RNTK Gram grows with the length of the series, and with their number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, Self

import numpy as np
import pandas as pd

from rntk_bench.kernels import RNTK
from rntk_bench.speed.variants import gram_seconds
from rntk_bench.types import FloatArray

KERNEL: Final = RNTK(1.4, sigma_b=0.1, sigma_h=0.1)
"""One of the paper's grid."""
LENGTHS: Final = (32, 64, 128, 256, 512, 1024, 2048, 4096)
NUMBERS: Final = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
N_SERIES, LENGTH = 512, 128
"""What stays as it is while the other varies."""
REPEATS = 5


class Line(NamedTuple):
    """seconds = fixed + each * x, with the least squared relative deviations from the points."""

    fixed: float
    each: float
    deviation: float
    """Largest relative deviation of a point."""

    @classmethod
    def through(cls, x: FloatArray, seconds: FloatArray) -> Self:
        """Fit the line."""
        relative = np.column_stack([np.ones_like(seconds), x]) / seconds[:, None]
        (fixed, each), *_ = np.linalg.lstsq(relative, np.ones_like(seconds), rcond=None)
        deviation = np.abs((fixed + each * x) / seconds - 1.0).max()
        return cls(float(fixed), float(each), float(deviation))


class Scaling(NamedTuple):
    """Measured points, and the line of each curve.

    `points` has columns `varied` ("length" or "pairs"), `n_series`, `length`, `pairs`, `seconds`
    (the least of some repeats) and `nanoseconds` (a pair-step).
    """

    points: pd.DataFrame
    lines: dict[str, Line]


def scaling(
    lengths: tuple[int, ...] = LENGTHS,
    numbers: tuple[int, ...] = NUMBERS,
    progress: Callable[[str], None] = lambda _: None,
) -> Scaling:
    """Time Grams of white noise of deviation 0.1 on one thread.

    Parameters
    ----------
    lengths : of `N_SERIES` series
    numbers : of series of length `LENGTH`
    progress : told what has just been done
    """
    sizes = [("length", N_SERIES, length) for length in lengths]
    sizes += [("pairs", n_series, LENGTH) for n_series in numbers]
    rows = []
    for varied, n_series, length in sizes:
        pairs = n_series * (n_series + 1) // 2
        seconds = _seconds(n_series, length)
        nanoseconds = 1e9 * seconds / (pairs * length)
        rows.append((varied, n_series, length, pairs, seconds, nanoseconds))
        progress(f"{n_series} series of length {length}")
    columns = ["varied", "n_series", "length", "pairs", "seconds", "nanoseconds"]
    points = pd.DataFrame(rows, columns=columns)
    lines = {
        str(varied): Line.through(
            curve[varied].to_numpy(dtype=np.float64), curve["seconds"].to_numpy()
        )
        for varied, curve in points.groupby("varied", sort=False)
    }
    return Scaling(points, lines)


def _seconds(n_series: int, length: int) -> float:
    # Not of unit norm: longer series would have smaller values, whose kernels are easier.
    X = 0.1 * np.random.default_rng(0).standard_normal((n_series, length))
    return gram_seconds(KERNEL, X, REPEATS)
