"""The recursion of the RNTK for an activation known by its Hermite series.

Each series needs E[phi(s z)^2] and E[phi'(s z)^2], z standard normal, for its standard deviation s
at every step. A pair needs the polynomials

    V = sum_k a_k(s) a_k(s') c^k,        V' = sum_k k a_k(s) a_k(s') c^(k-1) / (s s').

They are split by parity, V = even(y) + c odd(y) with y = c^2, so that an odd phi costs half as
much, and so does one like GELU, whose odd part is linear. A `Table` gives all functions of s.
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
INTERVAL_BITS: Final = 4
INTERVALS: Final = 2**INTERVAL_BITS
"""Intervals of equal width into which an octave [2^e, 2^(e+1)) of s is divided."""
DEGREE: Final = 11
"""Degree of the polynomials in s on each interval."""
EXPONENTS: Final = 2048
"""Number of exponents of float64. The first is that of 0, the last that of infinity."""


class Table(NamedTuple):
    """Functions of s as polynomials on the intervals of some octaves, lowest power first.

    With N intervals in all: `slots` (EXPONENTS,) is the position of the octave with an exponent, or
    -1. `energies` (N, DEGREE + 1, 2) are E[phi(s z)^2] and E[phi'(s z)^2]. `terms`
    (N, DEGREE + 1, 2, n) are a_0, a_2, ... and a_1, a_3, ..., of which an interval needs `counts`
    (N, 2). `errors` (N, 2, 3) are the errors of V and V' by quadrature, by the polynomials, and, at
    c = 1, by the terms that are not computed, relative to the two energies, the second to their
    roots. `curvature` (N,) is E[phi''(s z)^2].
    """

    slots: IntArray
    energies: FloatArray
    terms: FloatArray
    counts: IntArray
    errors: FloatArray
    curvature: FloatArray


class Series(NamedTuple):
    """A set of n series: `steps` (T, m, n) and `active` (T,) as in `TimeMajor`, and the
    standard deviation `s` (L, T, n) of each layer and step, 0 before a series starts."""

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
    total, compensation = np.empty(values.shape[1]), np.empty(values.shape[1])
    for k in range(len(out)):
        total[:] = 0.0
        compensation[:] = 0.0
        for i in range(len(values)):
            factor = polynomials[k, i]
            for q in range(len(total)):
                term = factor * values[i, q] - compensation[q]
                new = total[q] + term
                compensation[q] = (new - total[q]) - term
                total[q] = new
        for q in range(len(total)):  # An assignment of an array takes Numba seconds to compile.
            out[k, q] = total[q]


@compiled
def exponent(s: float) -> np.int64:
    """The exponent's bits of s >= 0."""
    bits: np.int64 = sortable_bits(s) >> 52
    return bits


@compiled
def locate(s: float, slots: IntArray) -> tuple[int, float]:
    """The interval of s, and the position of s in it, from -1 to 1."""
    bits = sortable_bits(s)
    interval = slots[bits >> 52] * INTERVALS + ((bits >> (52 - INTERVAL_BITS)) & (INTERVALS - 1))
    inside = bits & ((1 << (52 - INTERVAL_BITS)) - 1)
    return interval, inside * 2.0 ** (INTERVAL_BITS - 51) - 1.0


@compiled
def self_recursion(
    series: Series, squares: Squares, table: Table, start: int, out: SelfKernels
) -> int:
    """The recursion of each series with itself, (15) and (16), from `start` = t L + layer on.

    Returns the first t L + layer at which the table lacks the octave of a standard deviation, with
    the standard deviations written there, or T L.
    """
    L, T, _ = series.s.shape
    value, slope, theta = out.state[0], out.state[1], out.state[2]
    for at in range(start, L * T):
        t, layer = at // L, at % L
        w, u, b = squares.w[layer], squares.u[layer], squares.b[layer]
        in_table = True
        for j in range(series.active[t]):
            below = 0.0
            if layer > 0:
                below = value[layer - 1, j]
            else:
                for k in range(series.steps.shape[1]):
                    below += series.steps[t, k, j] * series.steps[t, k, j]
            s = math.sqrt(w * value[layer, j] + u * below + b)
            series.s[layer, t, j] = s
            in_table &= table.slots[exponent(s)] >= 0
        if not in_table:
            return at
        for j in range(series.active[t]):
            s = series.s[layer, t, j]
            theta[layer, j] = s * s + w * slope[layer, j] * theta[layer, j]
            if layer > 0:
                theta[layer, j] += u * slope[layer - 1, j] * theta[layer - 1, j]
            interval, x = locate(s, table.slots)
            value[layer, j] = _polynomial(table.energies, interval, x, 0)
            slope[layer, j] = _polynomial(table.energies, interval, x, 1)
            _raise_largest(interval, table, layer, t, j, out)
            if layer == L - 1:
                out.readouts[0, t, j] = value[layer, j]
                out.readouts[1, t, j] = value[layer, j] + slope[layer, j] * theta[layer, j]
    return int(L * T)


@compiled
def _raise_largest(
    interval: int, table: Table, layer: int, t: int, j: int, out: SelfKernels
) -> None:
    """Raise the largest values at a step to those of series j."""
    for k in range(3):
        out.largest[k, layer, t] = max(out.largest[k, layer, t], out.state[k, layer, j])
    out.largest[3, layer, t] = max(out.largest[3, layer, t], table.curvature[interval])
    for k in range(2):
        out.counts[k, layer, t] = max(out.counts[k, layer, t], table.counts[interval, k])
        energy = out.state[k, layer, j]
        for kind, scale in ((0, energy), (1, math.sqrt(energy)), (2, energy)):
            error = scale * table.errors[interval, k, kind]
            out.errors[k, kind, layer, t] = max(out.errors[k, kind, layer, t], error)


@compiled
def _polynomial(polynomials: FloatArray, interval: int, x: float, k: int) -> float:
    """Polynomial k of an interval, out of (intervals, DEGREE + 1, n), at x."""
    value: float = polynomials[interval, DEGREE, k]
    for d in range(DEGREE):
        value = value * x + polynomials[interval, DEGREE - 1 - d, k]
    return value


@compiled
def largest_error(
    slope: FloatArray,
    theta: FloatArray,
    curvature: FloatArray,
    step_errors: FloatArray,
    squares: Squares,
) -> float:
    """Largest error of a readout at any step, from the errors `step_errors` (2, L, T) of V and V'.

    The others (L, T) are the largest E[phi'^2], theta and E[phi''^2]. With |V'| <= E[phi'^2] and
    |V''| <= E[phi''^2], an error of Sigma grows by these factors from V[Sigma] and V'[Sigma] on,
    and |theta(x, x')| is at most the larger theta(x, x).
    """
    L, T = slope.shape
    # Errors of V and of V' theta at the previous step.
    value_error, carried_error = np.zeros(L), np.zeros(L)
    worst = 0.0
    for t in range(T):
        for layer in range(L):
            sigma = squares.w[layer] * value_error[layer]
            total = sigma + squares.w[layer] * carried_error[layer]
            if layer > 0:
                sigma += squares.u[layer] * value_error[layer - 1]
                total += squares.u[layer] * (value_error[layer - 1] + carried_error[layer - 1])
            value_error[layer] = step_errors[0, layer, t] + slope[layer, t] * sigma
            slope_error = step_errors[1, layer, t] + curvature[layer, t] * sigma
            carried_error[layer] = slope[layer, t] * total + slope_error * theta[layer, t]
        worst = max(worst, value_error[L - 1] + carried_error[L - 1])
    return worst
