"""The loop of the NTK: every depth of a perceptron in one pass over the pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.kernels.recursion.operators import step, wide
from rntk_bench.types import BoolArray, FloatArray, IntArray


@compiled
def ntk_grams(
    gap: FloatArray,
    rows: FloatArray,
    columns: FloatArray,
    row_scale: FloatArray,
    column_scale: FloatArray,
    depths: IntArray,
    curves: Any,
    stop: BoolArray,
    out: FloatArray,
) -> None:
    """Fill out (n_depths, n, n') with (35) for every depth of the ascending `depths`.

    `gap` (n, n') is 1 - cos of the inputs. `rows` and `columns` (2, L, n) hold alpha and delta of
    each layer, with alpha = sigma_w |x| / (sqrt(m) s) / sqrt(2) in the first; the scales (L, n)
    are sigma_v s. Once stop[0] is true it returns with what it has.
    """
    n, n_columns = gap.shape
    u = np.empty(n_columns)
    theta = np.empty(n_columns)
    for i in range(n):
        if stop[0]:
            return
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
                    lack, slope = wide(u[j], curves)
                    u[j], theta[j] = step(g, a * a + d * d, lack, slope * theta[j])
            if depths[wanted] == layer + 1:
                for j in range(n_columns):
                    lack, slope = wide(u[j], curves)
                    value = 0.5 - 0.25 * lack + 0.25 * slope * theta[j]
                    out[wanted, i, j] = value * row_scale[layer, i] * column_scale[layer, j]
                wanted += 1
