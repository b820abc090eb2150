"""The general loop of the RNTK over pairs: any number of layers and dimensions, ReLU and erf."""

from __future__ import annotations

from rntk_bench.compiling import compiled
from rntk_bench.kernels.recursion.operators import Curves
from rntk_bench.kernels.recursion.rntk import BLOCK, LANES, TILE
from rntk_bench.kernels.recursion.self_kernel import SetWeights, setting
from rntk_bench.kernels.recursion.tile import ERF, STATE, add_readouts, new_tile, recursion
from rntk_bench.types import BoolArray, FloatArray


@compiled
def layered_grams(
    rows: SetWeights,
    columns: SetWeights,
    symmetric: bool,
    erf: bool,
    curves: Curves,
    average: BoolArray,
    tangent: BoolArray,
    stop: BoolArray,
    out: FloatArray,
) -> None:
    """Fill out (S, k, n, n') with k readouts for each of S settings, one pass over the pairs each.

    It returns early once stop[0] is true.
    """
    for s in range(len(out)):
        row, column = setting(rows, s), setting(columns, s)
        _gram(row, column, symmetric, erf, curves, average, tangent, stop, out[s])


@compiled
def _gram(
    rows: SetWeights,
    columns: SetWeights,
    symmetric: bool,
    erf: bool,
    curves: Curves,
    average: BoolArray,
    tangent: BoolArray,
    stop: BoolArray,
    out: FloatArray,
) -> None:
    """Fill out (k, n, n') with k readouts of one pass over the pairs, (13) and (141).

    Readout k is taken at the last step, or summed over all steps if `average[k]`; it is
    scale scale' (f(c) + h(c) theta), or scale scale' f(c) if not `tangent[k]`. The columns are
    padded to a multiple of LANES; the first n' count. With `symmetric` only pairs i < j are
    computed, and mirrored; the diagonal is left alone.
    """
    n, n_columns = out.shape[1:]
    L, padded = len(columns.weights), columns.weights.shape[3]
    readout = ERF if erf else STATE
    pooled = bool(average.any())
    tile = new_tile(L)
    for i0 in range(0, n, BLOCK):
        for j0 in range(i0 // LANES * LANES if symmetric else 0, padded, TILE):
            if stop[0]:
                return
            corner, shape = (i0, j0), (min(BLOCK, n - i0), min(TILE, n_columns - j0))
            recursion(rows, columns, (0, 0), corner, shape, curves, readout, pooled, tile)
            if pooled:
                _write(tile.sums, corner, shape, symmetric, average, tangent, out)
            if not average.all():
                tile.sums[:] = 0.0
                scales = rows.scale[-1, i0:], columns.scale[-1, j0:]
                add_readouts(tile.lower, scales, shape, readout, tile.sums)
                _write(tile.sums, corner, shape, symmetric, ~average, tangent, out)


@compiled
def _write(
    sums: FloatArray,
    corner: tuple[int, int],
    shape: tuple[int, int],
    symmetric: bool,
    selected: BoolArray,
    tangent: BoolArray,
    out: FloatArray,
) -> None:
    """Copy the selected readouts of a tile into `out`, and mirror them if `symmetric`."""
    i0, j0 = corner
    for k in range(len(out)):
        if not selected[k]:
            continue
        for i in range(shape[0]):
            for j in range(max(0, i0 + i + 1 - j0) if symmetric else 0, shape[1]):
                value = sums[0, i, j] + sums[1, i, j] if tangent[k] else sums[0, i, j]
                out[k, i0 + i, j0 + j] = value
                if symmetric:
                    out[k, j0 + j, i0 + i] = value
