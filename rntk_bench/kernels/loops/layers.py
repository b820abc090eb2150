"""The loop of the RNTK over pairs in general: any number of layers and dimensions, ReLU and erf.

As `rntk.py`, and by layers. A *wave* computes step t of layer 1, step t - 1 of layer 2, and so
on. Layer l then evaluates its operators once, at the state of its previous step; it uses them
itself, and the layer above, whose step lags by one, finds them in `lower`. So a pair-step of a
layer still costs one square root and two polynomials, fused with the recursion.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rntk_bench.compiling import compiled
from rntk_bench.kernels.loops.operators import (
    Curves,
    arcsine,
    in_order,
    near,
    step,
    wide,
)
from rntk_bench.kernels.loops.polynomials import NEAR
from rntk_bench.kernels.loops.rntk import BLOCK, LANES, TILE
from rntk_bench.kernels.loops.walk import Walk, setting

Array = NDArray[np.float64]


@compiled
def layered_grams(
    rows: Walk,
    columns: Walk,
    symmetric: bool,
    erf: bool,
    curves: Curves,
    average: NDArray[np.bool_],
    tangent: NDArray[np.bool_],
    stop: NDArray[np.bool_],
    out: Array,
) -> None:
    """Fill out (S, k, n, n') with k readouts of a pass over the pairs for each of S settings.

    Once stop[0] is true it returns with what it has.
    """
    for s in range(len(out)):
        row, column = setting(rows, s), setting(columns, s)
        _gram(row, column, symmetric, erf, curves, average, tangent, stop, out[s])


@compiled
def _gram(
    rows: Walk,
    columns: Walk,
    symmetric: bool,
    erf: bool,
    curves: Curves,
    average: NDArray[np.bool_],
    tangent: NDArray[np.bool_],
    stop: NDArray[np.bool_],
    out: Array,
) -> None:
    """Fill out (k, n, n') with k readouts of one pass over the pairs, (13) and (141).

    Readout k is taken at the last step, or summed over all steps if `average[k]`; it is
    scale scale' (f(c) + h(c) theta), or scale scale' f(c) if not `tangent[k]`. The columns are a
    multiple of LANES, of which the first n' count. With `symmetric` only pairs i < j are computed,
    and mirrored; the diagonal is left alone.
    """
    n, n_columns = out.shape[1:]
    L, _, T, padded = columns.weights.shape
    pooled = average.any()
    far = in_order(NEAR) + 1
    start = 0.0 if erf else curves.begin
    # u is the gap 1 - c, or c itself for erf.
    u, theta = np.zeros((L, BLOCK, TILE)), np.zeros((L, BLOCK, TILE))
    widest = np.empty((L, BLOCK), np.int64)
    lower = np.zeros((2, BLOCK, TILE))
    rest = np.zeros((BLOCK, TILE))
    nothing = np.zeros((BLOCK, TILE))
    sums, last = np.empty((2, BLOCK, TILE)), np.empty((2, BLOCK, TILE))
    begun = np.empty((L, 2), np.int64)
    for i0 in range(0, n, BLOCK):
        for j0 in range(i0 // LANES * LANES if symmetric else 0, padded, TILE):
            if stop[0]:
                return
            begun[:] = 0
            sums[:] = 0.0
            for wave in range(T + L - 1):
                for layer in range(min(L, wave + 1)):
                    # After its last step a lower layer runs once more, to evaluate its operators.
                    if wave - layer > T - (layer == L - 1):
                        continue
                    t = min(wave - layer, T - 1)
                    height = min(BLOCK, n - i0, rows.active[t] - i0)
                    width = min(TILE, columns.active[t] - j0)
                    if height <= 0 or width <= 0:
                        continue
                    if height > begun[layer, 0] or width > begun[layer, 1]:
                        for i in range(height):
                            for j in range(0 if i >= begun[layer, 0] else begun[layer, 1], width):
                                u[layer, i, j] = start
                                theta[layer, i, j] = 0.0
                        begun[layer, 0], begun[layer, 1] = height, width
                        widest[layer] = far
                    width = -(-width // LANES) * LANES
                    alpha = columns.weights[layer, 0, t, j0 : j0 + width]
                    beta = columns.weights[layer, 1, t, j0 : j0 + width]
                    delta = columns.weights[layer, 2, t, j0 : j0 + width]
                    more = nothing
                    if layer == 0 and len(columns.more) > 0:
                        more = rest
                        _further_dimensions(
                            rows.more, columns.more, t, i0, j0, height, width, erf, rest
                        )
                    for i in range(height):
                        alpha_i = rows.weights[layer, 0, t, i0 + i]
                        beta_i = rows.weights[layer, 1, t, i0 + i]
                        delta_i = rows.weights[layer, 2, t, i0 + i]
                        e_i = beta_i if layer > 0 else 0.0
                        is_near = widest[layer, i] < far
                        top = np.int64(0)
                        if erf:
                            b_i = beta_i if layer == 0 else 0.0
                            for j in range(width):
                                value, slope = arcsine(u[layer, i, j], curves)
                                carried = slope * theta[layer, i, j]
                                drive = b_i * beta[j] + delta_i * delta[j] + more[i, j]
                                g, e = alpha_i * alpha[j], e_i * beta[j]
                                c = g * value + e * lower[0, i, j] + drive
                                u[layer, i, j] = c
                                theta[layer, i, j] = c + g * carried + e * lower[1, i, j]
                                lower[0, i, j], lower[1, i, j] = value, carried
                        elif is_near:
                            for j in range(width):
                                lack, slope = near(u[layer, i, j], curves)
                                carried = slope * theta[layer, i, j]
                                a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                                distance = (a * a + (b * b + d * d)) + more[i, j]
                                g, e = alpha_i * alpha[j], e_i * beta[j]
                                distance += e * lower[0, i, j]
                                gap, next_theta = step(g, distance, lack, carried)
                                u[layer, i, j] = gap
                                theta[layer, i, j] = next_theta + e * lower[1, i, j]
                                lower[0, i, j], lower[1, i, j] = lack, carried
                                top = max(top, in_order(gap))
                        else:
                            for j in range(width):
                                lack, slope = wide(u[layer, i, j], curves)
                                carried = slope * theta[layer, i, j]
                                a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                                distance = (a * a + (b * b + d * d)) + more[i, j]
                                g, e = alpha_i * alpha[j], e_i * beta[j]
                                distance += e * lower[0, i, j]
                                gap, next_theta = step(g, distance, lack, carried)
                                u[layer, i, j] = gap
                                theta[layer, i, j] = next_theta + e * lower[1, i, j]
                                lower[0, i, j], lower[1, i, j] = lack, carried
                                top = max(top, in_order(gap))
                        widest[layer, i] = top
                    if pooled and layer == L - 1 and t > 0:
                        scales = rows.scale[t - 1, i0:], columns.scale[t - 1, j0:]
                        _add_readouts(lower, scales, height, width, erf, sums)
            height, width = min(BLOCK, n - i0), min(TILE, n_columns - j0)
            _evaluate(u[L - 1], theta[L - 1], height, width, erf, curves, lower)
            scales = rows.scale[-1, i0:], columns.scale[-1, j0:]
            if not average.all():
                last[:] = 0.0
                _add_readouts(lower, scales, height, width, erf, last)
                _write(last, i0, j0, height, width, symmetric, ~average, tangent, out)
            if pooled:
                _add_readouts(lower, scales, height, width, erf, sums)
                _write(sums, i0, j0, height, width, symmetric, average, tangent, out)


@compiled
def _further_dimensions(
    rows: Array,
    columns: Array,
    t: int,
    i0: int,
    j0: int,
    height: int,
    width: int,
    erf: bool,
    rest: Array,
) -> None:
    """Sum over dimensions 2 to m what dimension 1 adds inside the fused pass."""
    rest[:height] = 0.0
    for k in range(len(rows)):
        column = columns[k, t, j0 : j0 + width]
        for i in range(height):
            beta = rows[k, t, i0 + i]
            if erf:
                for j in range(width):
                    rest[i, j] += beta * column[j]
            else:
                for j in range(width):
                    difference = beta - column[j]
                    rest[i, j] += difference * difference


@compiled
def _evaluate(
    u: Array,
    theta: Array,
    height: int,
    width: int,
    erf: bool,
    curves: Curves,
    lower: Array,
) -> None:
    """The operators of the last layer after the last step, h times its theta, into `lower`."""
    for i in range(height):
        if erf:
            for j in range(width):
                value, slope = arcsine(u[i, j], curves)
                lower[0, i, j], lower[1, i, j] = value, slope * theta[i, j]
        else:
            for j in range(width):
                lack, slope = wide(u[i, j], curves)
                lower[0, i, j], lower[1, i, j] = lack, slope * theta[i, j]


@compiled
def _add_readouts(
    lower: Array,
    scales: tuple[Array, Array],
    height: int,
    width: int,
    erf: bool,
    sums: Array,
) -> None:
    """Add scale scale' f(c) to sums[0] and scale scale' h(c) theta to sums[1]."""
    # f = 1/2 - lack / 4 and h = slope / 4 for ReLU.
    constant, sign, factor = (0.0, 1.0, 1.0) if erf else (2.0, -1.0, 0.25)
    for i in range(height):
        scale = factor * scales[0][i]
        column = scales[1]
        for j in range(width):
            weight = scale * column[j]
            sums[0, i, j] += weight * (constant + sign * lower[0, i, j])
            sums[1, i, j] += weight * lower[1, i, j]


@compiled
def _write(
    sums: Array,
    i0: int,
    j0: int,
    height: int,
    width: int,
    symmetric: bool,
    wanted: NDArray[np.bool_],
    tangent: NDArray[np.bool_],
    out: Array,
) -> None:
    """Copy the wanted readouts of a tile into `out`, and their mirror images."""
    for k in range(len(out)):
        if not wanted[k]:
            continue
        for i in range(height):
            for j in range(max(0, i0 + i + 1 - j0) if symmetric else 0, width):
                value = sums[0, i, j] + sums[1, i, j] if tangent[k] else sums[0, i, j]
                out[k, i0 + i, j0 + j] = value
                if symmetric:
                    out[k, j0 + j, i0 + i] = value
