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
from rntk_bench.types import FloatArray, IntArray

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
