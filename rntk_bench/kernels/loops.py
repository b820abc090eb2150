"""The compiled loops. They know arrays and correlations, no kernels.

Everything is normalised: with s = sqrt(Sigma(x, x)) of each sequence and step, a step of the
recursion (16) on the correlation c and on theta / (s s') reads

    c     <-  A A' f(c) + B B' + D D',      theta  <-  c + A A' h(c) theta,
    A = sigma_w s(t-1) / s(t),   B = sigma_u x(t) / (sqrt(m) s(t)),   D = sigma_b / s(t).

Since A^2 / 2 + B^2 + D^2 = 1, the gap u = 1 - c obeys a recursion without cancellation,

    u  <-  A A' (1/2 - f(1 - u)) + (A - A')^2 / 4 + (B - B')^2 / 2 + (D - D')^2 / 2,

and nothing overflows before the kernel itself does. The arrays hold alpha = A / 2,
beta = B / sqrt(2) and delta = D / sqrt(2). A pair without a common past starts from u = 2
(c = -1), where f and h vanish, and theta = 0.

All loops release the GIL and are compiled once for a machine.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rntk_bench.compiling import compiled

Array = NDArray[np.float64]

LANES = 16
"""Columns are padded to a multiple of this, so that every vector is full."""
BLOCK = 8
TILE = 256
"""Rows and columns of a tile: its u and theta (32 KiB) stay in the first cache."""


@compiled
def _polynomial(v: float, c: Any) -> float:
    value: float = c[len(c) - 1]
    for k in range(len(c) - 2, -1, -1):
        value = value * v + c[k]
    return value


@compiled
def _near(u: float, p: Any, r: Any) -> tuple[float, float]:
    """4 (1/2 - f) and 4 h for a gap 0 <= u <= NEAR."""
    root = math.sqrt(u)
    return 2.0 * u - u * root * _polynomial(u, r), 2.0 - root * _polynomial(u, p)


@compiled
def _wide(u: float, p: Any, r: Any) -> tuple[float, float]:
    """4 (1/2 - f) and 4 h for any gap 0 <= u <= 2."""
    v = max(min(u, 2.0 - u), 0.0)
    root = math.sqrt(v)
    quarter = root * _polynomial(v, p)
    return (
        2.0 * min(u, 1.0) - v * root * _polynomial(v, r),
        quarter if u > 1.0 else 2.0 - quarter,
    )


@compiled
def _step(
    g: float, distance: float, lack: float, slope: float, theta: float
) -> tuple[float, float]:
    """The next gap and theta from 4 (1/2 - f) and 4 h; g is alpha alpha'."""
    gap = g * lack + distance
    return gap, (1.0 - gap) + g * slope * theta


@compiled
def walk(
    steps: Array, sigma_w: float, sigma_u: float, sigma_b: float, sigma_h: float
) -> tuple[Array, Array, Array]:
    """Follow every sequence alone through (15) and (16).

    `steps` is (T, n), one row a time step. Returns the weights (3, T, n) of alpha, beta and
    delta, the last s (n,), and Theta(x, x) / (sigma_v s)^2 (n,) in closed form (c = 1).
    """
    T, n = steps.shape
    weights = np.empty((3, T, n))
    s = np.full(n, math.sqrt(2.0) * sigma_h)
    theta = np.zeros(n)
    for t in range(T):
        for j in range(n):
            memory = sigma_w * s[j]
            drive = sigma_u * steps[t, j]
            new = math.sqrt(0.5 * memory * memory + drive * drive + sigma_b * sigma_b)
            s[j] = new
            # Divided, not multiplied by an inverse: a drive alone must give exactly +-1, or two
            # opposite series would not be seen as such.
            divisor = new if new > 0.0 else 1.0
            weights[0, t, j] = 0.5 * (memory / divisor)
            weights[1, t, j] = math.sqrt(0.5) * (drive / divisor)
            weights[2, t, j] = math.sqrt(0.5) * (sigma_b / divisor)
            theta[j] = 1.0 + 0.5 * (memory / divisor) ** 2 * theta[j]
    return weights, s, 0.5 + 0.5 * theta


@compiled
def rntk_gram(
    rows: Array,
    columns: Array,
    row_scale: Array,
    column_scale: Array,
    symmetric: bool,
    wide_p: Any,
    wide_r: Any,
    near_p: Any,
    near_r: Any,
    near: float,
    out: Array,
) -> None:
    """Fill out (n, n') with scale scale' (f(c) + h(c) theta) after the last step, (13).

    `rows` (3, T, n) and `columns` (3, T, a multiple of LANES) are weights from `walk`. With
    `symmetric` only pairs i < j are computed, and mirrored; the diagonal is left alone.
    """
    n, n_columns = out.shape
    T, padded = columns.shape[1], columns.shape[2]
    near_bits = np.float64(near).view(np.int64)
    u = np.empty((BLOCK, TILE))
    theta = np.empty((BLOCK, TILE))
    widest = np.empty(BLOCK, np.int64)
    for i0 in range(0, n, BLOCK):
        height = min(BLOCK, n - i0)
        for j0 in range(i0 // LANES * LANES if symmetric else 0, padded, TILE):
            width = min(TILE, padded - j0)
            u[:] = 2.0
            theta[:] = 0.0
            widest[:] = near_bits + 1
            for t in range(T):
                alpha = columns[0, t, j0 : j0 + width]
                beta = columns[1, t, j0 : j0 + width]
                delta = columns[2, t, j0 : j0 + width]
                for i in range(height):
                    alpha_i, beta_i, delta_i = (
                        rows[0, t, i0 + i],
                        rows[1, t, i0 + i],
                        rows[2, t, i0 + i],
                    )
                    # Gaps are not negative, so their bits as integers are in the same order:
                    # a maximum of integers vectorises, one of floats (with its NaNs) does not.
                    top = np.int64(0)
                    if widest[i] <= near_bits:
                        for j in range(width):
                            lack, slope = _near(u[i, j], near_p, near_r)
                            a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                            gap, tangent = _step(
                                alpha_i * alpha[j],
                                a * a + (b * b + d * d),
                                lack,
                                slope,
                                theta[i, j],
                            )
                            u[i, j], theta[i, j] = gap, tangent
                            top = max(top, np.float64(gap).view(np.int64))
                    else:
                        for j in range(width):
                            lack, slope = _wide(u[i, j], wide_p, wide_r)
                            a, b, d = alpha_i - alpha[j], beta_i - beta[j], delta_i - delta[j]
                            gap, tangent = _step(
                                alpha_i * alpha[j],
                                a * a + (b * b + d * d),
                                lack,
                                slope,
                                theta[i, j],
                            )
                            u[i, j], theta[i, j] = gap, tangent
                            top = max(top, np.float64(gap).view(np.int64))
                    widest[i] = top
            for i in range(height):
                for j in range(min(width, n_columns - j0)):
                    if symmetric and j0 + j <= i0 + i:
                        continue
                    lack, slope = _wide(u[i, j], wide_p, wide_r)
                    value = 0.5 - 0.25 * lack + 0.25 * slope * theta[i, j]
                    value *= row_scale[i0 + i] * column_scale[j0 + j]
                    out[i0 + i, j0 + j] = value
                    if symmetric:
                        out[j0 + j, i0 + i] = value


@compiled
def ntk_grams(
    gap: Array,
    rows: Array,
    columns: Array,
    row_scale: Array,
    column_scale: Array,
    depths: NDArray[np.int64],
    wide_p: Any,
    wide_r: Any,
    out: Array,
) -> None:
    """Fill out (n_depths, n, n') with (35) for every depth of the ascending `depths`.

    `gap` (n, n') is 1 - cos of the inputs. `rows` and `columns` (2, L, n) hold alpha and delta of
    each layer, with alpha = sigma_w |x| / (sqrt(m) s) / sqrt(2) in the first; the scales (L, n)
    are sigma_v s.
    """
    n, n_columns = gap.shape
    u = np.empty(n_columns)
    theta = np.empty(n_columns)
    for i in range(n):
        wanted = 0
        for layer in range(depths[-1]):
            alpha_i, delta_i = rows[0, layer, i], rows[1, layer, i]
            for j in range(n_columns):
                a = alpha_i - columns[0, layer, j]
                d = delta_i - columns[1, layer, j]
                g = alpha_i * columns[0, layer, j]
                if layer == 0:
                    u[j] = 2.0 * g * gap[i, j] + (a * a + d * d)
                    theta[j] = 1.0 - u[j]
                else:
                    lack, slope = _wide(u[j], wide_p, wide_r)
                    u[j], theta[j] = _step(g, a * a + d * d, lack, slope, theta[j])
            if depths[wanted] == layer + 1:
                for j in range(n_columns):
                    lack, slope = _wide(u[j], wide_p, wide_r)
                    value = 0.5 - 0.25 * lack + 0.25 * slope * theta[j]
                    out[wanted, i, j] = value * row_scale[layer, i] * column_scale[layer, j]
                wanted += 1
