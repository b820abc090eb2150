"""The loop over pairs for an activation known by its Hermite series."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rntk_bench.compiling import compiled

Array = NDArray[np.float64]


class State(NamedTuple):
    """V[Sigma], V'[Sigma] and theta of every pair of one layer, each (n, n')."""

    value: Array
    slope: Array
    theta: Array


@compiled
def advance(
    own: State,
    lower: State,
    drive: Array,
    square_w: float,
    square_u: float,
    rows: tuple[Array, Array],
    columns: tuple[Array, Array],
    symmetric: bool,
) -> float:
    """One step of (16) or (116) for the pairs of `drive` (r, c), in place in `own`.

    Returns the largest size of a correlation.

    `lower` is the layer below at this step; square_u is 0 in the first layer. `rows` and `columns`
    hold 1 / s (n,) and the coefficients (N, n) of V = sum_k a_k a'_k c^k.
    """
    inverse_rows, a_rows = rows
    inverse_columns, a_columns = columns
    terms, width = a_columns.shape[0], drive.shape[1]
    c, value, slope = np.empty(width), np.empty(width), np.empty(width)
    largest = 0.0
    for i in range(drive.shape[0]):
        first = i + 1 if symmetric else 0
        for j in range(first, width):
            sigma = drive[i, j] + square_w * own.value[i, j] + square_u * lower.value[i, j]
            own.theta[i, j] = (
                sigma
                + square_w * own.slope[i, j] * own.theta[i, j]
                + square_u * lower.slope[i, j] * lower.theta[i, j]
            )
            c[j] = min(max(sigma * inverse_rows[i] * inverse_columns[j], -1.0), 1.0)
            value[j] = 0.0
            slope[j] = 0.0
            largest = max(largest, abs(c[j]))
        for k in range(terms - 1, -1, -1):
            a = a_rows[k, i]
            for j in range(first, width):
                slope[j] = slope[j] * c[j] + value[j]
                value[j] = value[j] * c[j] + a * a_columns[k, j]
        for j in range(first, width):
            own.value[i, j] = value[j]
            own.slope[i, j] = slope[j] * inverse_rows[i] * inverse_columns[j]
    return largest
