"""The recursion of the RNTK over the pairs of a tile: any number of layers and dimensions, any lag.

A *wave* computes step t of layer 1, step t - 1 of layer 2, and so on. Layer l then evaluates its
operators once, at the state of its previous step, and uses them itself. The layer above, which is
one step behind, reads them from `lower`. So one step of a pair in a layer costs one square root and
two polynomials, fused with the recursion.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.kernels.recursion.operators import (
    Curves,
    arcsine,
    relu_full_range,
    relu_small_range,
    sortable_bits,
    step,
)
from rntk_bench.kernels.recursion.polynomials import SMALL_RANGE
from rntk_bench.kernels.recursion.rntk import BLOCK, LANES, TILE
from rntk_bench.kernels.recursion.self_kernel import SetWeights
from rntk_bench.types import FloatArray, IntArray


class Readout(NamedTuple):
    """The readout of a step: factor scale scale' (constant + sign V + V'), in the loops' terms.

    V is the first result of `relu_small_range`, `relu_full_range` or `arcsine`, V' the second times
    theta. `erf` tells which operators are used; with `step` there is no theta, see `recursion`.
    """

    factor: float
    constant: float
    sign: float
    erf: bool
    step: bool


# f = 1/2 - V / 4 and h = V' / 4 for ReLU, whose step units have the kernel 2 h.
STATE: Final = Readout(0.25, 2.0, -1.0, False, False)
STEP: Final = Readout(0.5, 0.0, 0.0, False, True)
ERF: Final = Readout(1.0, 0.0, 1.0, True, False)


class Tile(NamedTuple):
    """The buffers of the recursion over the pairs of one tile.

    `u` (L, BLOCK, TILE) is 1 - c, or c itself for erf, and `theta` has the same shape; `largest`
    (L, BLOCK) holds the sortable bits of the largest u of each row, `started` (L, 2) the numbers of
    rows and columns that have started.
    `lower` (2, BLOCK, TILE) holds the operators of the layer evaluated last, `rest` (TILE,) what
    further dimensions add to a row, and `zeros` (TILE,) is never written. `sums` (2, BLOCK, TILE)
    are the readouts' V and V' theta.
    """

    u: FloatArray
    theta: FloatArray
    largest: IntArray
    started: IntArray
    lower: FloatArray
    rest: FloatArray
    zeros: FloatArray
    sums: FloatArray


@compiled
def new_tile(n_layers: int) -> Tile:
    """Allocate the buffers for `n_layers` layers."""
    u, theta = np.zeros((n_layers, BLOCK, TILE)), np.zeros((n_layers, BLOCK, TILE))
    largest, started = np.empty((n_layers, BLOCK), np.int64), np.empty((n_layers, 2), np.int64)
    lower, sums = np.zeros((2, BLOCK, TILE)), np.zeros((2, BLOCK, TILE))
    rest, zeros = np.zeros(TILE), np.zeros(TILE)
    return Tile(u, theta, largest, started, lower, rest, zeros, sums)


@compiled
def recursion(
    rows: SetWeights,
    columns: SetWeights,
    lags: tuple[int, int],
    corner: tuple[int, int],
    shape: tuple[int, int],
    curves: Curves,
    readout: Readout,
    pooled: bool,
    tile: Tile,
) -> None:
    """Apply the recursion to the pairs of a tile, whose first row and column are `corner`.

    The tile has `shape` rows and columns, at most BLOCK and TILE; from its first column on, the
    columns with their padding hold as many whole vectors as the shape needs.

    Step t of the recursion pairs step t + lags[0] of the rows with step t + lags[1] of the
    columns. Leaves the operators of the last layer, after the last step, in `tile.lower`, and,
    if `pooled`, the sums of the readouts of all steps in `tile.sums`.
    """
    (i0, j0), (row_lag, column_lag), (n_rows, n_columns) = corner, lags, shape
    L, _, n_steps, _ = columns.weights.shape
    T = n_steps - max(row_lag, column_lag)
    u, theta, largest, lower = tile.u, tile.theta, tile.largest, tile.lower
    full_range = sortable_bits(SMALL_RANGE) + 1
    start = 0.0 if readout.erf else curves.start
    tile.started[:] = 0
    tile.sums[:] = 0.0
    # Lanes that have not started are computed too. What an earlier call left in them could be no
    # correlation, and what is not a number would reach others by a factor of 0.
    u[:], theta[:], lower[:] = start, 0.0, 0.0
    for wave in range(T + L - 1):
        for layer in range(min(L, wave + 1)):
            # After its last step a lower layer runs once more to evaluate its operators.
            if wave - layer > T - (layer == L - 1):
                continue
            t = min(wave - layer, T - 1)
            row_t, column_t = t + row_lag, t + column_lag
            height = min(n_rows, rows.active[row_t] - i0)
            width = min(n_columns, columns.active[column_t] - j0)
            if height <= 0 or width <= 0:
                continue
            started = tile.started[layer]
            if height > started[0] or width > started[1]:
                for i in range(height):
                    for j in range(0 if i >= started[0] else started[1], width):
                        u[layer, i, j] = start
                        theta[layer, i, j] = 0.0
                started[0], started[1] = height, width
                largest[layer] = full_range
            width = -(-width // LANES) * LANES
            if readout.step:
                # There is no tangent; with theta = 1 the operators give h itself.
                theta[layer, :height, :width] = 1.0
            alpha = columns.weights[layer, 0, column_t, j0 : j0 + width]
            beta = columns.weights[layer, 1, column_t, j0 : j0 + width]
            delta = columns.weights[layer, 2, column_t, j0 : j0 + width]
            several = layer == 0 and len(columns.more) > 0
            more = tile.rest if several else tile.zeros
            for i in range(height):
                alpha_i = rows.weights[layer, 0, row_t, i0 + i]
                beta_i = rows.weights[layer, 1, row_t, i0 + i]
                delta_i = rows.weights[layer, 2, row_t, i0 + i]
                e_i = beta_i if layer > 0 else 0.0
                if several:
                    more[:width] = 0.0
                    for k in range(len(columns.more)):
                        column = columns.more[k, column_t, j0 : j0 + width]
                        _add_dimension(rows.more[k, row_t, i0 + i], column, readout.erf, more)
                top = np.int64(0)
                if readout.erf:
                    b_i = beta_i if layer == 0 else 0.0
                    for j in range(width):
                        value, slope = arcsine(u[layer, i, j], curves)
                        carried = slope * theta[layer, i, j]
                        drive = b_i * beta[j] + delta_i * delta[j] + more[j]
                        g, e = alpha_i * alpha[j], e_i * beta[j]
                        c = g * value + e * lower[0, i, j] + drive
                        u[layer, i, j] = c
                        theta[layer, i, j] = c + g * carried + e * lower[1, i, j]
                        lower[0, i, j], lower[1, i, j] = value, carried
                # Two loops, because the shorter polynomials take half of the time where they serve.
                elif largest[layer, i] < full_range:
                    for j in range(width):
                        deficit, slope = relu_small_range(u[layer, i, j], curves)
                        carried = slope * theta[layer, i, j]
                        a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                        distance = (a * a + (b * b + d * d)) + more[j]
                        g, e = alpha_i * alpha[j], e_i * beta[j]
                        distance += e * lower[0, i, j]
                        next_u, next_theta = step(g, distance, deficit, carried)
                        u[layer, i, j] = next_u
                        theta[layer, i, j] = next_theta + e * lower[1, i, j]
                        lower[0, i, j], lower[1, i, j] = deficit, carried
                        top = max(top, sortable_bits(next_u))
                else:
                    for j in range(width):
                        deficit, slope = relu_full_range(u[layer, i, j], curves)
                        carried = slope * theta[layer, i, j]
                        a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                        distance = (a * a + (b * b + d * d)) + more[j]
                        g, e = alpha_i * alpha[j], e_i * beta[j]
                        distance += e * lower[0, i, j]
                        next_u, next_theta = step(g, distance, deficit, carried)
                        u[layer, i, j] = next_u
                        theta[layer, i, j] = next_theta + e * lower[1, i, j]
                        lower[0, i, j], lower[1, i, j] = deficit, carried
                        top = max(top, sortable_bits(next_u))
                largest[layer, i] = top
            if pooled and layer == L - 1 and t > 0:
                scales = rows.scale[row_t - 1, i0:], columns.scale[column_t - 1, j0:]
                add_readouts(lower, scales, (height, width), readout, tile.sums)
    if readout.step:
        theta[L - 1] = 1.0
    _evaluate(u[L - 1], theta[L - 1], shape, readout.erf, curves, lower)
    if pooled:
        scales = rows.scale[T - 1 + row_lag, i0:], columns.scale[T - 1 + column_lag, j0:]
        add_readouts(lower, scales, shape, readout, tile.sums)


@compiled
def _add_dimension(beta: float, column: FloatArray, erf: bool, rest: FloatArray) -> None:
    """Add the contribution of one further input dimension to a row."""
    if erf:
        for j in range(len(column)):
            rest[j] += beta * column[j]
    else:
        for j in range(len(column)):
            difference = beta - column[j]
            rest[j] += difference * difference


@compiled
def _evaluate(
    u: FloatArray,
    theta: FloatArray,
    shape: tuple[int, int],
    erf: bool,
    curves: Curves,
    lower: FloatArray,
) -> None:
    """The operators of the last layer after the last step, h times its theta, into `lower`."""
    for i in range(shape[0]):
        if erf:
            for j in range(shape[1]):
                value, slope = arcsine(u[i, j], curves)
                lower[0, i, j], lower[1, i, j] = value, slope * theta[i, j]
        else:
            for j in range(shape[1]):
                deficit, slope = relu_full_range(u[i, j], curves)
                lower[0, i, j], lower[1, i, j] = deficit, slope * theta[i, j]


@compiled
def add_readouts(
    lower: FloatArray,
    scales: tuple[FloatArray, FloatArray],
    shape: tuple[int, int],
    readout: Readout,
    sums: FloatArray,
) -> None:
    """Add scale scale' f(c) to sums[0] and scale scale' h(c) theta to sums[1]."""
    constant, sign = readout.constant, readout.sign
    for i in range(shape[0]):
        scale = readout.factor * scales[0][i]
        column = scales[1]
        for j in range(shape[1]):
            weight = scale * column[j]
            sums[0, i, j] += weight * (constant + sign * lower[0, i, j])
            sums[1, i, j] += weight * lower[1, i, j]
