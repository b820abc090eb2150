"""The recursion of the RNTK for an activation known by its Hermite series.

A series alone needs E[phi(s z)^2] and E[phi'(s z)^2], z standard normal, for its deviation s at
every step; a pair needs the polynomials

    V = sum_k a_k(s) a_k(s') c^k,        V' = sum_k k a_k(s) a_k(s') c^(k-1) / (s s').

They are split by parity, V = even(y) + c odd(y) with y = c^2, so that an odd phi costs half as
much, and so does one like GELU, whose odd part is linear. All functions of s come from a `Table`.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.kernels.recursion.operators import sortable_bits
from rntk_bench.kernels.recursion.rntk import LANES
from rntk_bench.types import BoolArray, FloatArray, IntArray

BLOCK: Final = 64
TILE: Final = 256
"""Rows and columns of a tile. Coefficients are evaluated once a step for each row and column, and
one row of a tile is computed at a time."""
PADDING: Final = 8
"""Between rows of coefficients: at distances of a power of two they would evict each other."""
UNROLLED: Final = 4
"""Terms that one pass over a row of a tile adds; numbers of terms are multiples of it."""
CELL_BITS: Final = 4
CELLS: Final = 2**CELL_BITS
"""Intervals of equal width into which an octave [2^e, 2^(e+1)) of deviations is divided."""
DEGREE: Final = 11
"""Of the polynomials in s on each of them."""
EXPONENTS: Final = 2048
"""How many exponents float64 has. The first is that of 0, the last that of infinity."""


class Table(NamedTuple):
    """Functions of s as polynomials on the cells of some octaves, lowest power first.

    `slots` (EXPONENTS,) says which octave of the table has an exponent, or is -1. `energies`
    (cells, DEGREE + 1, 2) are E[phi(s z)^2] and E[phi'(s z)^2], `terms` (cells, DEGREE + 1, 2, n)
    are a_0, a_2, ... and a_1, a_3, ..., of which a cell needs `counts` (cells, 2). `errors`
    (cells, 2, 3) are what V and V' deficit by quadrature, by the polynomials, and at c = 1 by terms
    beyond all that are computed, relative to the two energies, the second to their roots;
    `curvature` (cells,) is E[phi''(s z)^2].
    """

    slots: IntArray
    energies: FloatArray
    terms: FloatArray
    counts: IntArray
    errors: FloatArray
    curvature: FloatArray


class Series(NamedTuple):
    """A set of n series: `steps` (T, m, n) and `active` (T,) as in `TimeMajor`, and the deviation
    `s` (L, T, n) of each layer and step, 0 before a series begins."""

    steps: FloatArray
    active: IntArray
    s: FloatArray


class Squares(NamedTuple):
    """sigma_w^2, sigma_u^2 and sigma_b^2 of each layer (L,), the first sigma_u^2 divided by m."""

    w: FloatArray
    u: FloatArray
    b: FloatArray


class SelfKernels(NamedTuple):
    """What the recursion of each series with itself carries and returns.

    `state` (3, L, n) is E[phi^2], E[phi'^2] and theta after the last step, `readouts` (2, T, n) V
    and V + V' theta of the last layer. The largest at each step: `largest` (4, L, T) of `state`
    and of the table's curvature, `errors` (2, 3, L, T) of its errors times the energies or their
    roots, `counts` (2, L, T) of its counts.
    """

    state: FloatArray
    readouts: FloatArray
    largest: FloatArray
    errors: FloatArray
    counts: IntArray


@compiled
def project(polynomials: FloatArray, values: FloatArray, out: FloatArray) -> None:
    """Products of polynomials (k, i) and values (i, q) into `out` (k, q), by compensated sums."""
    total, lost = np.empty(values.shape[1]), np.empty(values.shape[1])
    for k in range(len(out)):
        total[:] = 0.0
        lost[:] = 0.0
        for i in range(len(values)):
            factor = polynomials[k, i]
            for q in range(len(total)):
                term = factor * values[i, q] - lost[q]
                new = total[q] + term
                lost[q] = (new - total[q]) - term
                total[q] = new
        out[k] = total


@compiled
def exponent(s: float) -> np.int64:
    """The exponent's bits of s >= 0."""
    bits: np.int64 = sortable_bits(s) >> 52
    return bits


@compiled
def locate(s: float, slots: IntArray) -> tuple[int, float]:
    """The cell of s, and where in it s is, from -1 to 1."""
    bits = sortable_bits(s)
    cell = slots[bits >> 52] * CELLS + ((bits >> (52 - CELL_BITS)) & (CELLS - 1))
    inside = bits & ((1 << (52 - CELL_BITS)) - 1)
    return cell, inside * 2.0 ** (CELL_BITS - 51) - 1.0


@compiled
def self_kernels(
    series: Series, squares: Squares, table: Table, start: int, out: SelfKernels
) -> int:
    """Follow every series alone through (15), (16), from step and layer `start` = t L + layer on.

    Returns the first t L + layer at which the table lacks the octave of a deviation, with the
    deviations written there, or T L.
    """
    L, T, _ = series.s.shape
    value, slope, theta = out.state[0], out.state[1], out.state[2]
    for at in range(start, L * T):
        t, layer = at // L, at % L
        w, u, b = squares.w[layer], squares.u[layer], squares.b[layer]
        tabled = True
        for j in range(series.active[t]):
            below = 0.0
            if layer > 0:
                below = value[layer - 1, j]
            else:
                for k in range(series.steps.shape[1]):
                    below += series.steps[t, k, j] * series.steps[t, k, j]
            s = math.sqrt(w * value[layer, j] + u * below + b)
            series.s[layer, t, j] = s
            tabled &= table.slots[exponent(s)] >= 0
        if not tabled:
            return at
        for j in range(series.active[t]):
            s = series.s[layer, t, j]
            theta[layer, j] = s * s + w * slope[layer, j] * theta[layer, j]
            if layer > 0:
                theta[layer, j] += u * slope[layer - 1, j] * theta[layer - 1, j]
            cell, x = locate(s, table.slots)
            value[layer, j] = _polynomial(table.energies, cell, x, 0)
            slope[layer, j] = _polynomial(table.energies, cell, x, 1)
            _raise_largest(cell, table, layer, t, j, out)
            if layer == L - 1:
                out.readouts[0, t, j] = value[layer, j]
                out.readouts[1, t, j] = value[layer, j] + slope[layer, j] * theta[layer, j]
    return int(L * T)


@compiled
def _raise_largest(cell: int, table: Table, layer: int, t: int, j: int, out: SelfKernels) -> None:
    """Raise what is largest at a step to the values of series j."""
    for k in range(3):
        out.largest[k, layer, t] = max(out.largest[k, layer, t], out.state[k, layer, j])
    out.largest[3, layer, t] = max(out.largest[3, layer, t], table.curvature[cell])
    for k in range(2):
        out.counts[k, layer, t] = max(out.counts[k, layer, t], table.counts[cell, k])
        energy = out.state[k, layer, j]
        for kind, scale in ((0, energy), (1, math.sqrt(energy)), (2, energy)):
            error = scale * table.errors[cell, k, kind]
            out.errors[k, kind, layer, t] = max(out.errors[k, kind, layer, t], error)


@compiled
def _polynomial(polynomials: FloatArray, cell: int, x: float, k: int) -> float:
    """Polynomial k of a cell, out of (cells, DEGREE + 1, n), at x."""
    value: float = polynomials[cell, DEGREE, k]
    for d in range(DEGREE):
        value = value * x + polynomials[cell, DEGREE - 1 - d, k]
    return value


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
    i < j are computed, and mirrored; the diagonal is left alone. Once stop[0] is true it returns
    with what it has.
    """
    n, n_columns = out.shape[1:]
    L, T, padded = columns.s.shape
    m, n_terms = rows.steps.shape[1], table.terms.shape[3]
    pooled = average.any()
    # V and V' theta of each layer.
    value, carried = np.zeros((L, BLOCK, TILE)), np.zeros((L, BLOCK, TILE))
    sums = np.zeros((2, BLOCK, TILE))
    row_inverse, column_inverse = np.zeros(BLOCK), np.zeros(TILE)
    row, by_column = np.zeros((2, BLOCK, n_terms)), np.zeros((2, TILE, n_terms))
    column = np.zeros((2, n_terms, TILE + PADDING))
    c, y, theta = np.zeros(TILE), np.zeros(TILE), np.zeros(TILE)
    part, part_slope = np.zeros((2, TILE)), np.zeros((2, TILE))
    for i0 in range(0, n, BLOCK):
        for j0 in range(i0 // LANES * LANES if symmetric else 0, padded, TILE):
            if stop[0]:
                return
            value[:], carried[:], sums[:] = 0.0, 0.0, 0.0
            started_rows, started_columns = 0, 0
            for t in range(T):
                height = min(BLOCK, n - i0, rows.active[t] - i0)
                width = min(TILE, columns.active[t] - j0)
                if height <= 0 or width <= 0:
                    continue
                if height > started_rows or width > started_columns:
                    # Columns that fill up a vector have been computed before they begin.
                    for i in range(height):
                        for j in range(0 if i >= started_rows else started_columns, width):
                            value[:, i, j], carried[:, i, j], sums[:, i, j] = 0.0, 0.0, 0.0
                    started_rows, started_columns = height, width
                filled = -(-width // LANES) * LANES
                for layer in range(L):
                    w, u, b = squares.w[layer], squares.u[layer], squares.b[layer]
                    n_even, n_odd = counts[0, layer, t], counts[1, layer, t]
                    s, s_columns = rows.s[layer, t, i0:], columns.s[layer, t, j0:]
                    _coefficients(s[:height], table, n_even, n_odd, row_inverse, row)
                    _coefficients(
                        s_columns[:width], table, n_even, n_odd, column_inverse, by_column
                    )
                    _transpose(by_column, width, n_even, n_odd, column)
                    for i in range(height):
                        first = max(0, i0 + i + 1 - j0) if symmetric else 0
                        if first >= width:
                            continue
                        # Unsigned, so that no index is looked at for being negative.
                        start, end = np.uint64(first // LANES * LANES), np.uint64(filled)
                        low, high = np.uint64(first), np.uint64(min(width, n_columns - j0))
                        if layer > 0:
                            for j in range(start, end):
                                c[j] = b + u * value[layer - 1, i, j]
                        else:
                            for j in range(start, end):
                                c[j] = b
                            for k in range(m):
                                drive = u * rows.steps[t, k, i0 + i]
                                step = columns.steps[t, k, j0 : j0 + filled]
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
            last = value[L - 1], carried[L - 1]
            for k in range(len(out)):
                _write(
                    (sums[0], sums[1]) if average[k] else last,
                    i0,
                    j0,
                    n_columns,
                    symmetric,
                    tangent[k],
                    out[k],
                )


@compiled
def largest_error(
    slope: FloatArray, theta: FloatArray, curvature: FloatArray, lost: FloatArray, squares: Squares
) -> float:
    """Largest error of a readout at any step, from the errors `lost` (2, L, T) of V and of V'.

    The others (L, T) are the largest E[phi'^2], theta and E[phi''^2]. With |V'| <= E[phi'^2] and
    |V''| <= E[phi''^2], an error of Sigma grows by these factors from V[Sigma] and V'[Sigma] on,
    and |theta(x, x')| is at most the larger theta(x, x).
    """
    L, T = slope.shape
    # Errors of V and of V' theta at the last step done.
    value_error, carried_error = np.zeros(L), np.zeros(L)
    worst = 0.0
    for t in range(T):
        for layer in range(L):
            sigma = squares.w[layer] * value_error[layer]
            total = sigma + squares.w[layer] * carried_error[layer]
            if layer > 0:
                sigma += squares.u[layer] * value_error[layer - 1]
                total += squares.u[layer] * (value_error[layer - 1] + carried_error[layer - 1])
            value_error[layer] = lost[0, layer, t] + slope[layer, t] * sigma
            slope_error = lost[1, layer, t] + curvature[layer, t] * sigma
            carried_error[layer] = slope[layer, t] * total + slope_error * theta[layer, t]
        worst = max(worst, value_error[L - 1] + carried_error[L - 1])
    return worst


@compiled
def _coefficients(
    s: FloatArray, table: Table, n_even: int, n_odd: int, inverse: FloatArray, out: FloatArray
) -> None:
    """1 / s and the even and odd coefficients of each s, out (2, n, terms)."""
    slots, terms = table.slots, table.terms
    for i in range(len(s)):
        inverse[i] = 1.0 / s[i] if s[i] > 0.0 else 0.0
        cell, x = locate(s[i], slots)
        for k in range(n_even):
            value = terms[cell, DEGREE, 0, k]
            for d in range(DEGREE):
                value = value * x + terms[cell, DEGREE - 1 - d, 0, k]
            out[0, i, k] = value
        for k in range(n_odd):
            value = terms[cell, DEGREE, 1, k]
            for d in range(DEGREE):
                value = value * x + terms[cell, DEGREE - 1 - d, 1, k]
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
    last: tuple[FloatArray, FloatArray],
    i0: int,
    j0: int,
    n_columns: int,
    symmetric: bool,
    tangent: bool,
    out: FloatArray,
) -> None:
    """Copy a readout of a tile, V and V' theta, into `out`, and its mirror image."""
    value, carried = last
    for i in range(min(BLOCK, len(out) - i0)):
        for j in range(max(0, i0 + i + 1 - j0) if symmetric else 0, min(TILE, n_columns - j0)):
            result = value[i, j] + carried[i, j] if tangent else value[i, j]
            out[i0 + i, j0 + j] = result
            if symmetric:
                out[j0 + j, i0 + i] = result
