"""The loop of the RNTK with a readout shared between the steps, over pairs of series.

A lag pairs step t + lag of one series with step t of the other: a diagonal of the plane of both
times. One recursion along it computes the kernels of all pairs of prefixes that end on it, and
sums them. All pairs of steps of one diagonal have the same weight, and several bandwidths differ
only in the weights of the diagonals.
"""

from __future__ import annotations

import math

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
from rntk_bench.kernels.recursion.self_kernel import SetWeights, setting
from rntk_bench.kernels.recursion.tile import Readout, new_tile, recursion
from rntk_bench.types import BoolArray, FloatArray


@compiled
def overlap(width: float, other: float, lag: float) -> float:
    """The weight of two steps `lag` apart: the correlation of two moving averages.

    It is the normalised overlap of windows of these widths. For equal widths it is
    max(0, 1 - lag / width).
    """
    common = min(min(width, other), 0.5 * (width + other) - lag)
    return max(common, 0.0) / math.sqrt(width * other)


@compiled
def shared_grams(
    rows: SetWeights,
    columns: SetWeights,
    symmetric: bool,
    curves: Curves,
    readout: Readout,
    lag_step: int,
    widths: tuple[FloatArray, FloatArray],
    tangent: BoolArray,
    stop: BoolArray,
    out: FloatArray,
) -> None:
    """Fill out (S, k, n, n') with k sums over all pairs of prefixes for each of S settings.

    The pairs of steps whose distance is a multiple of `lag_step` count, with the weight of their
    distance by the widths (k, n) and (k, n') of both series; kernel k is Theta, or K if not
    `tangent[k]`. With `symmetric` only pairs i < j are computed, and mirrored; the diagonal is
    left alone. It returns early once stop[0] is true.
    """
    out[:] = 0.0
    for s in range(len(out)):
        row, column = setting(rows, s), setting(columns, s)
        _gram(row, column, symmetric, curves, readout, lag_step, widths, tangent, stop, out[s])


@compiled
def _gram(
    rows: SetWeights,
    columns: SetWeights,
    symmetric: bool,
    curves: Curves,
    readout: Readout,
    lag_step: int,
    widths: tuple[FloatArray, FloatArray],
    tangent: BoolArray,
    stop: BoolArray,
    out: FloatArray,
) -> None:
    """`shared_grams` of one setting, added to out (k, n, n') of zeros."""
    n, n_columns = out.shape[1:]
    L, _, T, _ = columns.weights.shape
    plain = L == 1 and len(columns.more) == 0 and not readout.erf
    tile = new_tile(L)
    # As in `rntk.py`, the first block has the rows that are too few for a whole one, so that the
    # columns from the first row of any other block on fill whole vectors.
    for end in range(n - (n - 1) // BLOCK * BLOCK, n + 1, BLOCK):
        i0 = max(0, end - BLOCK)
        for j0 in range(i0 if symmetric else 0, n_columns, TILE):
            corner, shape = (i0, j0), (end - i0, min(TILE, n_columns - j0))
            n_lags = count_lags(widths, corner, T, lag_step)
            for lag in range(1 - n_lags, n_lags):
                if stop[0]:
                    return
                lags = (max(lag * lag_step, 0), max(-lag * lag_step, 0))
                if plain:
                    _one_layer(rows, columns, lags, corner, shape, curves, readout, tile.sums)
                else:
                    recursion(rows, columns, lags, corner, shape, curves, readout, True, tile)
                add_lag(tile.sums, corner, shape, symmetric, abs(lag), widths, tangent, out)
    if symmetric:
        mirror(out)


@compiled
def count_lags(
    widths: tuple[FloatArray, FloatArray], corner: tuple[int, int], T: int, lag_step: int
) -> int:
    """How many lags >= 0 have a weight for any pair of a tile with this first row and column."""
    # The longest series, whose windows are the widest, come first.
    window = widths[0][:, corner[0]].max() + widths[1][:, corner[1]].max()
    return last_lag(0.5 * window, T, lag_step) + 1


@compiled
def last_lag(width: float, T: int, lag_step: int) -> int:
    """The largest lag within a window of this width that series of T steps have."""
    # A window over all steps is wider than any integer, so the minimum is taken before it is one.
    return min((T - 1) // lag_step, math.ceil(min(width, float(T))) - 1)


@compiled
def mirror(out: FloatArray) -> None:
    """Copy the entries above the diagonals of matrices (k, n, n) below them."""
    for k in range(len(out)):
        for i in range(out.shape[1]):
            for j in range(i):
                out[k, i, j] = out[k, j, i]


@compiled
def _one_layer(
    rows: SetWeights,
    columns: SetWeights,
    lags: tuple[int, int],
    corner: tuple[int, int],
    shape: tuple[int, int],
    curves: Curves,
    readout: Readout,
    sums: FloatArray,
) -> None:
    """`recursion` with the readouts' sums for one layer of ReLU on series of numbers."""
    (i0, j0), (row_lag, column_lag), (n_rows, n_columns) = corner, lags, shape
    T = columns.weights.shape[2] - max(row_lag, column_lag)
    full_range = sortable_bits(SMALL_RANGE) + 1
    # Only what is used is cleared: a lag of few series takes no longer than clearing whole tiles.
    u, theta = np.empty((BLOCK, TILE)), np.empty((BLOCK, TILE))
    value, tangent = np.empty((BLOCK, TILE)), np.empty((BLOCK, TILE))
    filled = -(-n_columns // LANES) * LANES
    for i in range(n_rows):
        for j in range(filled):
            u[i, j], theta[i, j], value[i, j], tangent[i, j] = 0.0, 0.0, 0.0, 0.0
    largest = np.empty(BLOCK, np.int64)
    zeros = np.zeros(TILE)
    started_rows, started_columns = 0, 0
    factor, step_units = readout.factor, readout.step
    for after in range(T + 1):
        # The readout of a step is computed in the pass of the next step, which evaluates its
        # operators anyway; one more pass reads the last step.
        t = min(after, T - 1)
        row_t, column_t = t + row_lag, t + column_lag
        height = min(n_rows, rows.active[row_t] - i0)
        width = min(n_columns, columns.active[column_t] - j0)
        if height <= 0 or width <= 0:
            continue
        if height > started_rows or width > started_columns:
            for i in range(height):
                for j in range(0 if i >= started_rows else started_columns, width):
                    u[i, j] = curves.start
                    theta[i, j] = 0.0
            started_rows, started_columns = height, width
            largest[:] = full_range
        width = -(-width // LANES) * LANES
        alpha = columns.weights[0, 0, column_t, j0 : j0 + width]
        beta = columns.weights[0, 1, column_t, j0 : j0 + width]
        delta = columns.weights[0, 2, column_t, j0 : j0 + width]
        scale = zeros[:width]
        if after > 0:
            scale = columns.scale[after - 1 + column_lag, j0 : j0 + width]
        for i in range(height):
            alpha_i = rows.weights[0, 0, row_t, i0 + i]
            beta_i = rows.weights[0, 1, row_t, i0 + i]
            delta_i = rows.weights[0, 2, row_t, i0 + i]
            scale_i = factor * rows.scale[after - 1 + row_lag, i0 + i] if after > 0 else 0.0
            top = np.int64(0)
            # Four loops: the shorter polynomials take half of the time where they serve, and step
            # units, which need no theta, a tenth less than states.
            if step_units and largest[i] < full_range:
                for j in range(width):
                    deficit, slope = relu_small_range(u[i, j], curves)
                    a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                    next_u = alpha_i * alpha[j] * deficit + (a * a + (b * b + d * d))
                    tangent[i, j] += scale_i * scale[j] * slope
                    u[i, j] = next_u
                    top = max(top, sortable_bits(next_u))
            elif step_units:
                for j in range(width):
                    deficit, slope = relu_full_range(u[i, j], curves)
                    a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                    next_u = alpha_i * alpha[j] * deficit + (a * a + (b * b + d * d))
                    tangent[i, j] += scale_i * scale[j] * slope
                    u[i, j] = next_u
                    top = max(top, sortable_bits(next_u))
            elif largest[i] < full_range:
                for j in range(width):
                    deficit, slope = relu_small_range(u[i, j], curves)
                    carried = slope * theta[i, j]
                    a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                    distance = a * a + (b * b + d * d)
                    next_u, next_theta = step(alpha_i * alpha[j], distance, deficit, carried)
                    weight = scale_i * scale[j]
                    value[i, j] += weight * (2.0 - deficit)
                    tangent[i, j] += weight * carried
                    u[i, j], theta[i, j] = next_u, next_theta
                    top = max(top, sortable_bits(next_u))
            else:
                for j in range(width):
                    deficit, slope = relu_full_range(u[i, j], curves)
                    carried = slope * theta[i, j]
                    a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                    distance = a * a + (b * b + d * d)
                    next_u, next_theta = step(alpha_i * alpha[j], distance, deficit, carried)
                    weight = scale_i * scale[j]
                    value[i, j] += weight * (2.0 - deficit)
                    tangent[i, j] += weight * carried
                    u[i, j], theta[i, j] = next_u, next_theta
                    top = max(top, sortable_bits(next_u))
            largest[i] = top
    for i in range(n_rows):
        for j in range(n_columns):
            sums[0, i, j], sums[1, i, j] = value[i, j], tangent[i, j]


@compiled
def add_lag(
    sums: FloatArray,
    corner: tuple[int, int],
    shape: tuple[int, int],
    symmetric: bool,
    lag: int,
    widths: tuple[FloatArray, FloatArray],
    tangent: BoolArray,
    out: FloatArray,
) -> None:
    """Add the sums along one diagonal to each kernel, with the kernel's weight of the diagonal."""
    i0, j0 = corner
    for k in range(len(out)):
        row_widths, column_widths, with_tangent = widths[0][k], widths[1][k], tangent[k]
        for i in range(i0, i0 + shape[0]):
            width = row_widths[i]
            if 0.5 * (width + column_widths[j0]) <= lag:
                break
            start, value, theta, row = j0, sums[0, i - i0], sums[1, i - i0], out[k, i]
            if symmetric:
                start = max(j0, i + 1)
            if with_tangent:
                for j in range(start, j0 + shape[1]):
                    weight = overlap(width, column_widths[j], lag)
                    row[j] += weight * (value[j - j0] + theta[j - j0])
            else:
                for j in range(start, j0 + shape[1]):
                    row[j] += overlap(width, column_widths[j], lag) * value[j - j0]


@compiled
def shared_diagonals(
    alone: SetWeights,
    curves: Curves,
    readout: Readout,
    lag_step: int,
    widths: FloatArray,
    tangent: BoolArray,
    stop: BoolArray,
    out: FloatArray,
) -> None:
    """Add to out (S, k, n) the contributions of lags other than 0 for each series with itself.

    It returns early once stop[0] is true.
    """
    T, n = alone.weights.shape[3], out.shape[2]
    largest = last_lag(widths.max(), T, lag_step)
    for s in range(len(out)):
        each = setting(alone, s)
        for lag in range(1, largest + 1):
            if stop[0]:
                return
            sums = _self_sums(each, lag * lag_step, n, curves, readout)
            for k in range(len(tangent)):
                for j in range(n):
                    # Twice, for the lags k and -k.
                    weight = 2.0 * overlap(widths[k, j], widths[k, j], lag)
                    total = sums[0, j] + sums[1, j] if tangent[k] else sums[0, j]
                    out[s, k, j] += weight * total


@compiled
def _self_sums(alone: SetWeights, lag: int, n: int, curves: Curves, readout: Readout) -> FloatArray:
    """The readouts' V and V' theta (2, n) of every series with itself, `lag` steps apart, summed.

    The first hidden states of the two copies are independent.
    """
    weights, more = alone.weights, alone.more
    L, _, T, _ = weights.shape
    # The values of the operators at the start of a pair, where f = 0.
    value, carried = np.full((L, n), 0.0 if readout.erf else 2.0), np.zeros((L, n))
    sums = np.zeros((2, n))
    for t in range(T - lag):
        width = min(n, alone.active[t])
        for layer in range(L):
            later, earlier = weights[layer, :, t + lag], weights[layer, :, t]
            for j in range(width):
                g, drive = later[0, j] * earlier[0, j], 0.0
                if readout.erf:
                    drive = later[2, j] * earlier[2, j]
                else:
                    drive = (later[0, j] - earlier[0, j]) ** 2
                    drive += (later[1, j] - earlier[1, j]) ** 2
                    drive += (later[2, j] - earlier[2, j]) ** 2
                below_theta = 0.0
                if layer > 0:
                    e = later[1, j] * earlier[1, j]
                    drive += e * value[layer - 1, j]
                    below_theta = e * carried[layer - 1, j]
                elif readout.erf:
                    drive += later[1, j] * earlier[1, j]
                    for k in range(len(more)):
                        drive += more[k, t + lag, j] * more[k, t, j]
                else:
                    for k in range(len(more)):
                        drive += (more[k, t + lag, j] - more[k, t, j]) ** 2
                if readout.erf:
                    c = g * value[layer, j] + drive
                    theta = c + g * carried[layer, j] + below_theta
                    value[layer, j], slope = arcsine(c, curves)
                else:
                    next_u, theta = step(g, drive, value[layer, j], carried[layer, j])
                    theta += below_theta
                    value[layer, j], slope = relu_full_range(next_u, curves)
                carried[layer, j] = slope if readout.step else slope * theta
        for j in range(width):
            weight = readout.factor * alone.scale[t + lag, j] * alone.scale[t, j]
            sums[0, j] += weight * (readout.constant + readout.sign * value[L - 1, j])
            sums[1, j] += weight * carried[L - 1, j]
    return sums
