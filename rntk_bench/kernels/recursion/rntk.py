"""The loop of the RNTK over pairs for the paper's case: one layer of ReLU, univariate series.

One step of a pair costs one square root and two polynomials, which are fused with the recursion in
one vectorised pass over the columns of a tile. If all u = 1 - c of a row of a tile are small, its
next step uses shorter polynomials.

Series are sorted by decreasing length and aligned at their ends, so the pairs of a tile that have
started at a step are its first rows and columns. A pair starts at the u where f = 0, with
theta = 0.
"""

from __future__ import annotations

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.kernels.recursion.operators import (
    Curves,
    relu_full_range,
    relu_small_range,
    sortable_bits,
    step,
)
from rntk_bench.kernels.recursion.polynomials import SMALL_RANGE
from rntk_bench.kernels.recursion.self_kernel import SetWeights, setting
from rntk_bench.types import BoolArray, FloatArray

LANES = 8
"""Columns are padded to a multiple of this, so that every vector is full."""
BLOCK = 8
TILE = 256
"""Rows and columns of a tile, multiples of LANES. Its u and theta (32 KiB) stay in the first
cache."""


@compiled
def rntk_grams(
    rows: SetWeights,
    columns: SetWeights,
    symmetric: bool,
    curves: Curves,
    tangent: bool,
    stop: BoolArray,
    out: FloatArray,
) -> None:
    """Fill out (S, n, n') with the readout at the last step, (13), for each of S settings.

    It returns early once stop[0] is true.
    """
    for s in range(len(out)):
        _gram(setting(rows, s), setting(columns, s), symmetric, curves, tangent, stop, out[s])


@compiled
def _gram(
    rows: SetWeights,
    columns: SetWeights,
    symmetric: bool,
    curves: Curves,
    tangent: bool,
    stop: BoolArray,
    out: FloatArray,
) -> None:
    """Fill out (n, n') for one setting of one layer and one dimension.

    It is scale scale' (f(c) + h(c) theta), or scale scale' f(c) if not `tangent`. The columns are
    a multiple of LANES, of which the first n' count. With `symmetric` only pairs i < j are
    computed, and mirrored; the diagonal is left alone.
    """
    n, n_columns = out.shape
    row, column = rows.weights[0], columns.weights[0]
    row_active, column_active = rows.active, columns.active
    T = column.shape[1]
    full_range = sortable_bits(SMALL_RANGE) + 1
    u, theta = np.zeros((BLOCK, TILE)), np.zeros((BLOCK, TILE))
    largest = np.empty(BLOCK, np.int64)
    # The first block has the rows that are too few for a whole one. So the columns from the first
    # row of any other block on fill whole vectors.
    for end in range(n - (n - 1) // BLOCK * BLOCK, n + 1, BLOCK):
        i0 = max(0, end - BLOCK)
        for j0 in range(i0 if symmetric else 0, n_columns, TILE):
            if stop[0]:
                return
            started_rows, started_columns = 0, 0
            for t in range(T):
                height = min(BLOCK, end - i0, row_active[t] - i0)
                width = min(TILE, column_active[t] - j0, n_columns - j0)
                if height <= 0 or width <= 0:
                    continue
                if height > started_rows or width > started_columns:
                    # Not a separate function: u and theta would escape, and each row would
                    # have to be checked for overlap with the weights.
                    for i in range(height):
                        for j in range(0 if i >= started_rows else started_columns, width):
                            u[i, j] = curves.start
                            theta[i, j] = 0.0
                    started_rows, started_columns = height, width
                    largest[:] = full_range
                width = -(-width // LANES) * LANES
                alpha = column[0, t, j0 : j0 + width]
                beta = column[1, t, j0 : j0 + width]
                delta = column[2, t, j0 : j0 + width]
                for i in range(height):
                    alpha_i = row[0, t, i0 + i]
                    beta_i = row[1, t, i0 + i]
                    delta_i = row[2, t, i0 + i]
                    top = np.int64(0)
                    if largest[i] < full_range:
                        for j in range(width):
                            deficit, slope = relu_small_range(u[i, j], curves)
                            a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                            distance = a * a + (b * b + d * d)
                            g = alpha_i * alpha[j]
                            next_u, next_theta = step(g, distance, deficit, slope * theta[i, j])
                            u[i, j], theta[i, j] = next_u, next_theta
                            top = max(top, sortable_bits(next_u))
                    else:
                        for j in range(width):
                            deficit, slope = relu_full_range(u[i, j], curves)
                            a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                            distance = a * a + (b * b + d * d)
                            g = alpha_i * alpha[j]
                            next_u, next_theta = step(g, distance, deficit, slope * theta[i, j])
                            u[i, j], theta[i, j] = next_u, next_theta
                            top = max(top, sortable_bits(next_u))
                    largest[i] = top
            row_scale, column_scale = rows.scale[-1], columns.scale[-1]
            for i in range(min(BLOCK, end - i0)):
                for j in range(min(TILE, n_columns - j0)):
                    if symmetric and j0 + j <= i0 + i:
                        continue
                    deficit, slope = relu_full_range(u[i, j], curves)
                    value = 0.5 - 0.25 * deficit
                    if tangent:
                        value += 0.25 * slope * theta[i, j]
                    value *= row_scale[i0 + i] * column_scale[j0 + j]
                    out[i0 + i, j0 + j] = value
                    if symmetric:
                        out[j0 + j, i0 + i] = value
