"""How the time of one RNTK Gram matrix grows with the length of the series and their number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from rntk_bench.kernels import RNTK
from rntk_bench.speed.variants import gram_seconds
from rntk_bench.types import FloatArray

KERNEL: Final = RNTK(1.4, sigma_b=0.1, sigma_h=0.1)
"""A kernel of the paper's grid."""
LENGTHS: Final = (32, 64, 128, 256, 512, 1024, 2048, 4096)
NUMBERS_OF_SERIES: Final = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
N_SERIES, LENGTH = 512, 128
"""The number of series while the length varies, and the length while the number varies."""
REPEATS = 5


class LinearFit(NamedTuple):
    """The line seconds = intercept + slope * x, and the largest relative error of a point."""

    intercept: float
    slope: float
    max_relative_error: float


def fit_line(x: FloatArray, seconds: FloatArray) -> LinearFit:
    """Fit a line by the least squares of the relative errors."""
    relative = np.column_stack([np.ones_like(seconds), x]) / seconds[:, None]
    (intercept, slope), *_ = np.linalg.lstsq(relative, np.ones_like(seconds), rcond=None)
    max_relative_error = np.abs((intercept + slope * x) / seconds - 1.0).max()
    return LinearFit(float(intercept), float(slope), float(max_relative_error))


class Scaling(NamedTuple):
    """The measured points, and the line fitted to each curve.

    `points` has columns `varied` ("length" or "pairs"), `n_series`, `length`, `pairs`, `seconds`
    (the shortest of some repeats) and `nanoseconds` (per pair-step).
    """

    points: pd.DataFrame
    lines: dict[str, LinearFit]


def measure_scaling(
    lengths: tuple[int, ...] = LENGTHS,
    numbers: tuple[int, ...] = NUMBERS_OF_SERIES,
    progress: Callable[[str], None] = lambda _: None,
) -> Scaling:
    """Time Gram matrices of white noise with standard deviation 0.1 on one thread.

    Parameters
    ----------
    lengths : tuple of int
        Lengths of `N_SERIES` series.
    numbers : tuple of int
        Numbers of series of length `LENGTH`.
    progress : callable
        Called after each point with a description of what was measured.
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
        str(varied): fit_line(curve[varied].to_numpy(dtype=np.float64), curve["seconds"].to_numpy())
        for varied, curve in points.groupby("varied", sort=False)
    }
    return Scaling(points, lines)


def _seconds(n_series: int, length: int) -> float:
    # Not of unit norm: longer series would have smaller values, whose kernels are easier.
    X = 0.1 * np.random.default_rng(0).standard_normal((n_series, length))
    return gram_seconds(KERNEL, X, REPEATS)
