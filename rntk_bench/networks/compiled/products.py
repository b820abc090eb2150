"""Matrix products of the shapes that training needs: few rows, or a sum over many of them.

A product is a sum of outer products. Eight of them are added at once, so that an entry of C is read
and written once for eight multiplications. The inner loop goes along a row of B and C and
vectorises without changing the order of any sum. At these shapes this is faster than a BLAS.
"""

from __future__ import annotations

from typing import Final

from rntk_bench.compiling import compiled
from rntk_bench.networks.series import Float32Array

GROUP: Final = 8
"""The number of outer products that are added at once."""
LANES: Final = 16
"""The number of float32 in the widest vectors; rows are padded to a multiple of it."""
_WIDE: Final = 96
"""From this number of columns on, four rows of C share what is read of B; with fewer, it takes
longer to start such a loop than to read B again."""
_DEPTH, _ROWS = 64, 8
"""Blocks of so many rows of a wide B and C stay in the cache while they are combined."""


@compiled
def add_product(A: Float32Array, B: Float32Array, C: Float32Array) -> None:
    """Add A B to C.

    Parameters
    ----------
    A : (M, K), or more rows and columns, of which the first M and K are used
        Its entries are read one by one, so it may be a transposed view.
    B : (K, N)
    C : (M, N)
    """
    grouped = len(B) // GROUP * GROUP
    in_fours = len(C) // 4 * 4 if C.shape[1] >= _WIDE else 0
    _add_by_four_rows(A, B, C[:in_fours], grouped)
    _add_by_rows(A, in_fours, B, C[in_fours:], grouped)
    for p in range(grouped, len(B)):
        for i in range(len(C)):
            a = A[i, p]
            for j in range(C.shape[1]):
                C[i, j] += a * B[p, j]


@compiled
def _add_by_four_rows(A: Float32Array, B: Float32Array, C: Float32Array, n_terms: int) -> None:
    """Add the first `n_terms` outer products, in groups, to four rows of C at once."""
    for depth in range(0, n_terms, _DEPTH):
        for top in range(0, len(C), _ROWS):
            for p in range(depth, min(depth + _DEPTH, n_terms), GROUP):
                for i in range(top, min(top + _ROWS, len(C)), 4):
                    a00, a01, a02, a03 = A[i, p], A[i, p + 1], A[i, p + 2], A[i, p + 3]
                    a04, a05, a06, a07 = A[i, p + 4], A[i, p + 5], A[i, p + 6], A[i, p + 7]
                    a10, a11, a12, a13 = (
                        A[i + 1, p],
                        A[i + 1, p + 1],
                        A[i + 1, p + 2],
                        A[i + 1, p + 3],
                    )
                    a14, a15, a16, a17 = (
                        A[i + 1, p + 4],
                        A[i + 1, p + 5],
                        A[i + 1, p + 6],
                        A[i + 1, p + 7],
                    )
                    a20, a21, a22, a23 = (
                        A[i + 2, p],
                        A[i + 2, p + 1],
                        A[i + 2, p + 2],
                        A[i + 2, p + 3],
                    )
                    a24, a25, a26, a27 = (
                        A[i + 2, p + 4],
                        A[i + 2, p + 5],
                        A[i + 2, p + 6],
                        A[i + 2, p + 7],
                    )
                    a30, a31, a32, a33 = (
                        A[i + 3, p],
                        A[i + 3, p + 1],
                        A[i + 3, p + 2],
                        A[i + 3, p + 3],
                    )
                    a34, a35, a36, a37 = (
                        A[i + 3, p + 4],
                        A[i + 3, p + 5],
                        A[i + 3, p + 6],
                        A[i + 3, p + 7],
                    )
                    for j in range(C.shape[1]):
                        b0, b1, b2, b3 = B[p, j], B[p + 1, j], B[p + 2, j], B[p + 3, j]
                        b4, b5, b6, b7 = B[p + 4, j], B[p + 5, j], B[p + 6, j], B[p + 7, j]
                        c = C[i, j] + a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
                        C[i, j] = c + a04 * b4 + a05 * b5 + a06 * b6 + a07 * b7
                        c = C[i + 1, j] + a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
                        C[i + 1, j] = c + a14 * b4 + a15 * b5 + a16 * b6 + a17 * b7
                        c = C[i + 2, j] + a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
                        C[i + 2, j] = c + a24 * b4 + a25 * b5 + a26 * b6 + a27 * b7
                        c = C[i + 3, j] + a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3
                        C[i + 3, j] = c + a34 * b4 + a35 * b5 + a36 * b6 + a37 * b7


@compiled
def _add_by_rows(A: Float32Array, top: int, B: Float32Array, C: Float32Array, n_terms: int) -> None:
    """Add the first `n_terms` outer products, in groups, to one row of C after another.

    Row i of C belongs to row `top` + i of A.
    """
    for p in range(0, n_terms, GROUP):
        for i in range(len(C)):
            a = A[top + i]
            a0, a1, a2, a3 = a[p], a[p + 1], a[p + 2], a[p + 3]
            a4, a5, a6, a7 = a[p + 4], a[p + 5], a[p + 6], a[p + 7]
            for j in range(C.shape[1]):
                c = C[i, j] + a0 * B[p, j] + a1 * B[p + 1, j] + a2 * B[p + 2, j]
                c = c + a3 * B[p + 3, j] + a4 * B[p + 4, j] + a5 * B[p + 5, j]
                C[i, j] = c + a6 * B[p + 6, j] + a7 * B[p + 7, j]
