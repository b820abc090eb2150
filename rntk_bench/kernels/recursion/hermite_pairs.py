"""The recursion over pairs of series for an activation known by its Hermite series.

It runs along one diagonal of the plane of both times, over the pairs of a tile. The diagonal of
equal steps gives the readouts of the last step and of all equal steps, and a readout that is shared
between the steps needs one diagonal per lag, as in `shared.py`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.kernels.recursion.hermite import (
    DEGREE,
    UNROLLED,
    Series,
    Squares,
    Table,
    locate,
)
from rntk_bench.kernels.recursion.operators import sortable_bits
from rntk_bench.kernels.recursion.rntk import LANES
from rntk_bench.kernels.recursion.shared import add_lag, count_lags, last_lag, mirror, overlap
from rntk_bench.types import BoolArray, FloatArray, IntArray

BLOCK: Final = 64
TILE: Final = 256
"""Rows and columns of a tile. Coefficients are evaluated once a step for each row and column, and
one row of a tile is computed at a time."""
PADDING: Final = 8
"""Between rows of coefficients: at distances of a power of two they would evict each other."""


@compiled
def hermite_gram(
    rows: Series,
    columns: Series,
    symmetric: bool,
    squares: Squares,
    table: Table,
    counts: IntArray,
    average: BoolArray,
    tangent: BoolArray,
    stop: BoolArray,
    out: FloatArray,
    closest: FloatArray,
) -> None:
    """Fill out (k, n, n') with k readouts of one pass over the pairs, (13) and (141).

    Readout k is taken at the last step, or summed over all steps if `average[k]`; it is
    V + V' theta, or V if not `tangent[k]`. At each layer and step `counts` (2, L, T) even and odd
    terms are taken, and `closest` (L, T) is raised to the largest c^2. With `symmetric` only pairs
    i < j are computed, and mirrored; the diagonal is left alone. It returns early once
    stop[0] is true.
    """
    n, n_columns = out.shape[1:]
    padded, pooled = columns.s.shape[2], bool(average.any())
    for i0 in range(0, n, BLOCK):
        for j0 in range(i0 // LANES * LANES if symmetric else 0, padded, TILE):
            if stop[0]:
                return
            corner, shape = (i0, j0), (min(BLOCK, n - i0), min(TILE, n_columns - j0))
            last, sums = _recursion(
                *(rows, columns, (0, 0), corner, shape, symmetric),
                *(squares, table, counts, pooled, closest),
            )
            for k in range(len(out)):
                values = sums if average[k] else last
                _write(values, corner, shape, symmetric, tangent[k], out[k])
    if symmetric:
        mirror(out)


@compiled
def shared_hermite_gram(
    rows: Series,
    columns: Series,
    symmetric: bool,
    squares: Squares,
    table: Table,
    counts: IntArray,
    lag_step: int,
    widths: tuple[FloatArray, FloatArray],
    tangent: BoolArray,
    stop: BoolArray,
    out: FloatArray,
) -> None:
    """Fill out (k, n, n') with k sums over all pairs of prefixes, as `shared_grams` does.

    At each layer `counts` (2, L, T) even and odd terms are taken, the same number at all steps.
    """
    out[:] = 0.0
    n, n_columns = out.shape[1:]
    L, T, padded = columns.s.shape
    closest = np.zeros((L, T))
    for i0 in range(0, n, BLOCK):
        for j0 in range(i0 // LANES * LANES if symmetric else 0, padded, TILE):
            corner, shape = (i0, j0), (min(BLOCK, n - i0), min(TILE, n_columns - j0))
            n_lags = count_lags(widths, corner, T, lag_step)
            for lag in range(1 - n_lags, n_lags):
                if stop[0]:
                    return
                lags = (max(lag * lag_step, 0), max(-lag * lag_step, 0))
                _, sums = _recursion(
                    *(rows, columns, lags, corner, shape, symmetric),
                    *(squares, table, counts, True, closest),
                )
                add_lag(sums, corner, shape, symmetric, abs(lag), widths, tangent, out)
    if symmetric:
        mirror(out)


@compiled
def _recursion(
    rows: Series,
    columns: Series,
    lags: tuple[int, int],
    corner: tuple[int, int],
    shape: tuple[int, int],
    symmetric: bool,
    squares: Squares,
    table: Table,
    counts: IntArray,
    pooled: bool,
    closest: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """V and V' theta (2, BLOCK, TILE) of the pairs of a tile, at the last step and summed over all.

    Step t of the recursion pairs step t + lags[0] of the rows with step t + lags[1] of the
    columns. The tile has this first row and column, `corner`, and this shape. The sums are zero if
    not `pooled`.
    """
    (i0, j0), (row_lag, column_lag), (n_rows, n_columns) = corner, lags, shape
    L, n_steps, _ = columns.s.shape
    T = n_steps - max(row_lag, column_lag)
    m, n_terms = rows.steps.shape[1], table.terms.shape[3]
    # V and V' theta of each layer.
    value, carried = np.zeros((L, BLOCK, TILE)), np.zeros((L, BLOCK, TILE))
    sums = np.zeros((2, BLOCK, TILE))
    row_inverse, column_inverse = np.zeros(BLOCK), np.zeros(TILE)
    row, by_column = np.zeros((2, BLOCK, n_terms)), np.zeros((2, TILE, n_terms))
    column = np.zeros((2, n_terms, TILE + PADDING))
    c, y, theta = np.zeros(TILE), np.zeros(TILE), np.zeros(TILE)
    part, part_slope = np.zeros((2, TILE)), np.zeros((2, TILE))
    started_rows, started_columns = 0, 0
    for t in range(T):
        row_t, column_t = t + row_lag, t + column_lag
        height = min(n_rows, rows.active[row_t] - i0)
        width = min(TILE, columns.active[column_t] - j0)
        if height <= 0 or width <= 0:
            continue
        if height > started_rows or width > started_columns:
            # Columns that fill up a vector have been computed before they start.
            for i in range(height):
                for j in range(0 if i >= started_rows else started_columns, width):
                    value[:, i, j], carried[:, i, j], sums[:, i, j] = 0.0, 0.0, 0.0
            started_rows, started_columns = height, width
        filled = -(-width // LANES) * LANES
        for layer in range(L):
            w, u, b = squares.w[layer], squares.u[layer], squares.b[layer]
            n_even, n_odd = counts[0, layer, t], counts[1, layer, t]
            s, s_columns = rows.s[layer, row_t, i0:], columns.s[layer, column_t, j0:]
            _coefficients(s[:height], table, n_even, n_odd, row_inverse, row)
            _coefficients(s_columns[:width], table, n_even, n_odd, column_inverse, by_column)
            _transpose(by_column, width, n_even, n_odd, column)
            for i in range(height):
                first = max(0, i0 + i + 1 - j0) if symmetric else 0
                if first >= width:
                    continue
                # Unsigned, so that no index is looked at for being negative.
                start, end = np.uint64(first // LANES * LANES), np.uint64(filled)
                low, high = np.uint64(first), np.uint64(min(width, n_columns))
                if layer > 0:
                    for j in range(start, end):
                        c[j] = b + u * value[layer - 1, i, j]
                else:
                    for j in range(start, end):
                        c[j] = b
                    for k in range(m):
                        drive = u * rows.steps[row_t, k, i0 + i]
                        step = columns.steps[column_t, k, j0 : j0 + filled]
                        for j in range(start, end):
                            c[j] += drive * step[j]
                inverse, top = row_inverse[i], np.int64(0)
                for j in range(start, end):
                    sigma = c[j] + w * value[layer, i, j]
                    theta[j] = sigma + w * carried[layer, i, j]
                    correlation = sigma * inverse * column_inverse[j]
                    correlation = max(min(correlation, 1.0), -1.0)
                    c[j] = correlation
                    y[j] = correlation * correlation
                    top = max(top, sortable_bits(y[j]) if low <= j < high else np.int64(0))
                closest[layer, t] = max(closest[layer, t], np.int64(top).view(np.float64))
                if layer > 0:
                    for j in range(start, end):
                        theta[j] += u * carried[layer - 1, i, j]
                for parity in range(2):
                    for j in range(start, end):
                        part[parity, j], part_slope[parity, j] = 0.0, 0.0
                    for k in range(counts[parity, layer, t], 0, -UNROLLED):
                        a0, a1 = row[parity, i, k - 4], row[parity, i, k - 3]
                        a2, a3 = row[parity, i, k - 2], row[parity, i, k - 1]
                        for j in range(start, end):
                            z, p, d = y[j], part[parity, j], part_slope[parity, j]
                            d = d * z + p
                            p = p * z + a3 * column[parity, k - 1, j]
                            d = d * z + p
                            p = p * z + a2 * column[parity, k - 2, j]
                            d = d * z + p
                            p = p * z + a1 * column[parity, k - 3, j]
                            d = d * z + p
                            p = p * z + a0 * column[parity, k - 4, j]
                            part[parity, j], part_slope[parity, j] = p, d
                for j in range(start, end):
                    value[layer, i, j] = part[0, j] + c[j] * part[1, j]
                    slope = 2.0 * (c[j] * part_slope[0, j] + y[j] * part_slope[1, j])
                    slope = (part[1, j] + slope) * inverse * column_inverse[j]
                    carried[layer, i, j] = slope * theta[j]
        if pooled:
            for i in range(height):
                for j in range(width):
                    sums[0, i, j] += value[L - 1, i, j]
                    sums[1, i, j] += carried[L - 1, i, j]
    last = np.empty((2, BLOCK, TILE))
    for i in range(BLOCK):  # An assignment of an array takes Numba seconds to compile.
        for j in range(TILE):
            last[0, i, j], last[1, i, j] = value[L - 1, i, j], carried[L - 1, i, j]
    return last, sums


@compiled
def _coefficients(
    s: FloatArray, table: Table, n_even: int, n_odd: int, inverse: FloatArray, out: FloatArray
) -> None:
    """1 / s and the even and odd coefficients of each s, out (2, n, terms)."""
    slots, terms = table.slots, table.terms
    for i in range(len(s)):
        inverse[i] = 1.0 / s[i] if s[i] > 0.0 else 0.0
        interval, x = locate(s[i], slots)
        for k in range(n_even):
            value = terms[interval, DEGREE, 0, k]
            for d in range(DEGREE):
                value = value * x + terms[interval, DEGREE - 1 - d, 0, k]
            out[0, i, k] = value
        for k in range(n_odd):
            value = terms[interval, DEGREE, 1, k]
            for d in range(DEGREE):
                value = value * x + terms[interval, DEGREE - 1 - d, 1, k]
            out[1, i, k] = value


@compiled
def _transpose(rows: FloatArray, n: int, n_even: int, n_odd: int, out: FloatArray) -> None:
    """Coefficients (2, n, terms) as (2, terms, n), the columns of a tile side by side."""
    for j in range(n):
        for k in range(n_even):
            out[0, k, j] = rows[0, j, k]
        for k in range(n_odd):
            out[1, k, j] = rows[1, j, k]


@compiled
def _write(
    values: FloatArray,
    corner: tuple[int, int],
    shape: tuple[int, int],
    symmetric: bool,
    tangent: bool,
    out: FloatArray,
) -> None:
    """Copy a readout of a tile, V and V' theta, into `out`."""
    i0, j0 = corner
    for i in range(shape[0]):
        for j in range(max(0, i0 + i + 1 - j0) if symmetric else 0, shape[1]):
            value = values[0, i, j]
            out[i0 + i, j0 + j] = value + values[1, i, j] if tangent else value


@compiled
def shared_hermite_diagonals(
    series: Series,
    lengths: IntArray,
    squares: Squares,
    table: Table,
    counts: IntArray,
    lag_step: int,
    widths: FloatArray,
    tangent: BoolArray,
    stop: BoolArray,
    out: FloatArray,
) -> None:
    """Add to out (k, n) the contributions of lags other than 0 for each series with itself.

    It returns early once stop[0] is true.
    """
    L, T, _ = series.s.shape
    n_terms = table.terms.shape[3]
    inverse, terms = np.zeros((L, T)), np.zeros((L, 2, T, n_terms))
    for j in range(out.shape[1]):
        start = T - lengths[j]
        for layer in range(L):
            n_even, n_odd = counts[0, layer, 0], counts[1, layer, 0]
            s = series.s[layer, start:, j]
            _coefficients(s, table, n_even, n_odd, inverse[layer], terms[layer])
        for lag in range(1, last_lag(widths[:, j].max(), lengths[j], lag_step) + 1):
            if stop[0]:
                return
            steps = series.steps[start:, :, j]
            value, carried = _self_sums(steps, lag * lag_step, squares, counts, inverse, terms)
            for k in range(len(tangent)):
                # Twice, for the lags k and -k.
                weight = 2.0 * overlap(widths[k, j], widths[k, j], lag)
                out[k, j] += weight * (value + carried if tangent[k] else value)


@compiled
def _self_sums(
    steps: FloatArray,
    lag: int,
    squares: Squares,
    counts: IntArray,
    inverse: FloatArray,
    terms: FloatArray,
) -> tuple[float, float]:
    """V and V' theta of a series (T, m) with itself, `lag` steps apart, summed over all steps."""
    L, m = len(inverse), steps.shape[1]
    value, carried = np.zeros(L), np.zeros(L)
    sums = (0.0, 0.0)
    for t in range(len(steps) - lag):
        for layer in range(L):
            w, u, b = squares.w[layer], squares.u[layer], squares.b[layer]
            sigma = b + w * value[layer]
            if layer > 0:
                sigma += u * value[layer - 1]
            else:
                for k in range(m):
                    sigma += u * steps[t + lag, k] * steps[t, k]
            theta = sigma + w * carried[layer]
            if layer > 0:
                theta += u * carried[layer - 1]
            scale = inverse[layer, t + lag] * inverse[layer, t]
            c = max(min(sigma * scale, 1.0), -1.0)
            y = c * c
            later, earlier = terms[layer, :, t + lag], terms[layer, :, t]
            even, even_slope = _horner(y, later[0], earlier[0], counts[0, layer, 0])
            odd, odd_slope = _horner(y, later[1], earlier[1], counts[1, layer, 0])
            value[layer] = even + c * odd
            slope = (odd + 2.0 * (c * even_slope + y * odd_slope)) * scale
            carried[layer] = slope * theta
        sums = sums[0] + value[L - 1], sums[1] + carried[L - 1]
    return sums


@compiled
def _horner(y: float, a: FloatArray, b: FloatArray, n: int) -> tuple[float, float]:
    """sum_k a_k b_k y^k over the first n terms, and its derivative by y."""
    value, slope = 0.0, 0.0
    for k in range(n - 1, -1, -1):
        slope = slope * y + value
        value = value * y + a[k] * b[k]
    return value, slope
