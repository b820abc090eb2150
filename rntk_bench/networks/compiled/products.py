"""Matrix products of the shapes that training needs: few rows, or a sum over many of them.

C is computed in blocks of a few rows and one or two vectors, which stay in registers while terms
are added. Numba cannot express this, so a block is written in LLVM's instructions. At these shapes
it is faster than a BLAS. The order of the terms of a sum is always the same, whatever the block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rntk_bench.compiling import compiled, instruction_set
from rntk_bench.networks.series import Float32Array

LANES: Final = 16
"""The number of float32 in the widest vectors; rows are padded to a multiple of it."""
ROWS: Final = 4
"""The number of rows of a small block."""
_TALL, _WIDE = (8, 2) if instruction_set()["vectors"] == "AVX-512" else (4, 1)
"""Rows and vectors of the largest block. Of 32 registers of LANES numbers, 16 hold its sums; where
registers are half as long and half as many, 8 do."""
_DEPTH: Final = 256
"""The number of terms for which a block's part of A and B stays in the first cache."""
_VECTOR: Final = ir.VectorType(ir.FloatType(), LANES)
_ZEROS: Final = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)


def _block(n_rows: int, n_vectors: int) -> Callable[..., None]:
    """A function of A, B, C, i, j, start, end that adds A[:, start:end] B[start:end] to a block.

    The block begins at C[i, j] and has `n_rows` rows and `n_vectors` vectors.
    """

    @intrinsic
    def add_to_block(  # Numba reads how many arguments there are
        _: Any,
        A: Any,
        B: Any,
        C: Any,
        i: Any,  # noqa: ARG001
        j: Any,  # noqa: ARG001
        start: Any,  # noqa: ARG001
        end: Any,  # noqa: ARG001
    ) -> tuple[Any, Callable[..., Any]]:
        position = types.intp
        signature = types.void(A, B, C, position, position, position, position)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            arrays, (i, j, start, end) = arguments[:3], arguments[3:]
            a, b, c = (
                _Matrix(context, builder, kind, array)
                for kind, array in zip(signature.args[:3], arrays, strict=True)
            )
            rows, columns = (
                [builder.add(first, ir.Constant(first.type, step * k)) for k in range(n)]
                for first, step, n in ((i, 1, n_rows), (j, LANES, n_vectors))
            )
            places = [[c.vector(row, column) for column in columns] for row in rows]
            sums = [
                [_register(builder, builder.load(place, align=4)) for place in row]
                for row in places
            ]
            with cgutils.for_range_slice(builder, start, end, ir.Constant(start.type, 1)) as (p, _):
                factors = [builder.load(b.vector(p, column), align=4) for column in columns]
                for row, row_sums in zip(rows, sums, strict=True):
                    one = builder.insert_element(
                        ir.Constant(_VECTOR, ir.Undefined),
                        builder.load(a.entry(row, p)),
                        ir.Constant(ir.IntType(32), 0),
                    )
                    all_lanes = builder.shuffle_vector(one, one, _ZEROS)
                    for total, factor in zip(row_sums, factors, strict=True):
                        term = builder.fmul(all_lanes, factor, flags=("contract",))
                        new = builder.fadd(builder.load(total), term, flags=("contract",))
                        builder.store(new, total)
            for row_places, row_sums in zip(places, sums, strict=True):
                for place, total in zip(row_places, row_sums, strict=True):
                    builder.store(builder.load(total), place, align=4)
            return context.get_dummy_value()

        return signature, generate

    return add_to_block


def _register(builder: Any, value: Any) -> Any:
    """A place for a value that changes in a loop; LLVM keeps it in a register."""
    return cgutils.alloca_once_value(builder, value)  # type: ignore[no-untyped-call]


class _Matrix:
    """Addresses within an array, in LLVM's terms."""

    def __init__(self, context: Any, builder: Any, kind: Any, array: Any) -> None:
        self._builder = builder
        matrix = context.make_array(kind)(context, builder, array)
        self._data = builder.ptrtoint(matrix.data, ir.IntType(64))
        self._strides = [builder.extract_value(matrix.strides, axis) for axis in (0, 1)]

    def entry(self, row: Any, column: Any) -> Any:
        """The address of an entry."""
        return self._pointer(row, column, ir.FloatType())

    def vector(self, row: Any, column: Any) -> Any:
        """The address of LANES entries of a row."""
        return self._pointer(row, column, _VECTOR)

    def _pointer(self, row: Any, column: Any, kind: Any) -> Any:
        b, (by_row, by_column) = self._builder, self._strides
        offset = b.add(b.mul(row, by_row), b.mul(column, by_column))
        return b.inttoptr(b.add(self._data, offset), kind.as_pointer())


_add_to_tall_and_wide = _block(_TALL, _WIDE)
_add_to_wide = _block(ROWS, _WIDE)
_add_to_wide_row = _block(1, _WIDE)
_add_to_tall = _block(_TALL, 1)
_add_to_narrow = _block(ROWS, 1)
_add_to_narrow_row = _block(1, 1)


@compiled
def add_product(A: Float32Array, B: Float32Array, C: Float32Array) -> None:
    """Add A B to C.

    Parameters
    ----------
    A : (M, K), or more rows and columns, of which the first M and K are used
        It may be a transposed view.
    B : (K, N)
    C : (M, N)
    """
    width = _WIDE * LANES
    for start in range(0, len(B), _DEPTH):
        end = min(start + _DEPTH, len(B))
        for j in range(0, C.shape[1], width):
            _add_to_columns(A, B[:, j : j + width], C[:, j : j + width], start, end)


@compiled
def to_panels(B: Float32Array) -> Float32Array:
    """Copy B (K, N) to panels of as many columns as a block has, for `add_product_of_panels`.

    A panel lies in one piece of memory, and so arrives sooner where B is larger than the caches.
    It pays where B multiplies often.
    """
    width = _WIDE * LANES
    n_terms, n_columns = B.shape
    panels = np.zeros((-(-n_columns // width), n_terms, width), dtype=np.float32)
    for k in range(len(panels)):
        for p in range(n_terms):
            for j in range(min(width, n_columns - k * width)):
                panels[k, p, j] = B[p, k * width + j]
    return panels


@compiled
def add_product_of_panels(A: Float32Array, panels: Float32Array, C: Float32Array) -> None:
    """Add A B to C as `add_product` does, where `panels` is `to_panels(B)`."""
    n_panels, n_terms, width = panels.shape
    for k in range(n_panels):
        _add_to_columns(A, panels[k], C[:, k * width : (k + 1) * width], 0, n_terms)


@compiled
def _add_to_columns(
    A: Float32Array, B: Float32Array, C: Float32Array, start: int, end: int
) -> None:
    """Add A[:, start:end] B[start:end] to C, which has no more columns than a block."""
    n_rows, n_columns = C.shape
    tall, in_fours = n_rows // _TALL * _TALL, n_rows // ROWS * ROWS
    if n_columns == _WIDE * LANES:
        for i in range(0, tall, _TALL):
            _add_to_tall_and_wide(A, B, C, i, 0, start, end)
        for i in range(tall, in_fours, ROWS):
            _add_to_wide(A, B, C, i, 0, start, end)
        for i in range(in_fours, n_rows):
            _add_to_wide_row(A, B, C, i, 0, start, end)
        return
    in_vectors = n_columns // LANES * LANES
    for j in range(0, in_vectors, LANES):
        for i in range(0, tall, _TALL):
            _add_to_tall(A, B, C, i, j, start, end)
        for i in range(tall, in_fours, ROWS):
            _add_to_narrow(A, B, C, i, j, start, end)
        for i in range(in_fours, n_rows):
            _add_to_narrow_row(A, B, C, i, j, start, end)
    for i in range(n_rows):
        for p in range(start, end):
            for j in range(in_vectors, n_columns):
                C[i, j] += A[i, p] * B[p, j]
