"""The compiled loop of the NTK: all depths of a perceptron in one pass over the pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.kernels.recursion.operators import relu_full_range, step
from rntk_bench.kernels.recursion.shared import mirror
from rntk_bench.types import BoolArray, FloatArray, IntArray


@compiled
def ntk_grams(
    one_minus_correlation: FloatArray,
    rows: FloatArray,
    columns: FloatArray,
    row_scale: FloatArray,
    column_scale: FloatArray,
    symmetric: bool,
    depths: IntArray,
    curves: Any,
    stop: BoolArray,
    out: FloatArray,
) -> None:
    """Fill out (n_depths, n, n') with (35) for all depths, in ascending order.

    `one_minus_correlation` (n, n') is 1 - cos of the inputs. `rows` and `columns` (2, L, n) hold
    alpha and delta of each layer, with alpha = sigma_w |x| / (sqrt(m) s) / sqrt(2) in the first;
    the scales (L, n) are sigma_v s. With `symmetric` only pairs i <= j are computed, and mirrored.
    It returns early once stop[0] is true.
    """
    n, n_columns = one_minus_correlation.shape
    u = np.empty(n_columns)
    theta = np.empty(n_columns)
    for i in range(n):
        if stop[0]:
            return
        first, k = i if symmetric else 0, 0
        # Views from the first column on: loops from 0 on are vectorised.
        distance = one_minus_correlation[i, first:]
        for layer in range(depths[-1]):
            alpha_i, delta_i = rows[0, layer, i], rows[1, layer, i]
            alpha, delta = columns[0, layer, first:], columns[1, layer, first:]
            for j in range(len(distance)):
                a = alpha_i - alpha[j]
                d = delta_i - delta[j]
                g = alpha_i * alpha[j]
                if layer == 0:
                    u[j] = 2.0 * g * distance[j] + (a * a + d * d)
                    theta[j] = 1.0 - u[j]
                else:
                    deficit, slope = relu_full_range(u[j], curves)
                    u[j], theta[j] = step(g, a * a + d * d, deficit, slope * theta[j])
            if depths[k] == layer + 1:
                scale, result = column_scale[layer, first:], out[k, i, first:]
                for j in range(len(distance)):
                    deficit, slope = relu_full_range(u[j], curves)
                    value = 0.5 - 0.25 * deficit + 0.25 * slope * theta[j]
                    result[j] = value * row_scale[layer, i] * scale[j]
                k += 1
    if symmetric:
        mirror(out)
