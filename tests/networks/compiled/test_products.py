import numpy as np
import pytest

from rntk_bench.networks.compiled.products import (
    add_product,
    add_product_of_panels,
    to_panels,
)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    ("m", "k", "n"),
    [
        *((1, 1, 1), (8, 64, 64), (7, 21, 16), (3, 8, 160), (21, 150, 161), (4, 16, 512)),
        *((15, 300, 63), (0, 9, 5)),
    ],
)
def test_a_product_is_added(m, k, n, transposed):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((k, m + 2) if transposed else (m, k + 2), dtype=np.float32)
    B = rng.standard_normal((k, n), dtype=np.float32)
    C = rng.standard_normal((m, n), dtype=np.float32)
    A = A.T if transposed else A
    expected = C + A[:m, :k].astype(float) @ B
    in_panels = C.copy()
    add_product(A, B, C)
    np.testing.assert_allclose(C, expected, rtol=1e-5, atol=1e-4)
    # The terms are added in the same order, so the sums are the same to the last bit.
    add_product_of_panels(A, to_panels(B), in_panels)
    np.testing.assert_array_equal(in_panels, C)


def test_the_sums_do_not_depend_on_the_block():
    rng = np.random.default_rng(1)
    A, B = (rng.standard_normal(size, dtype=np.float32) for size in ((13, 300), (300, 48)))
    C = np.zeros((13, 48), dtype=np.float32)
    add_product(A, B, C)
    for i in range(13):
        for j in (0, 16, 32):
            alone = np.zeros((1, 16), dtype=np.float32)
            add_product(A[i : i + 1], B[:, j : j + 16], alone)
            np.testing.assert_array_equal(alone[0], C[i, j : j + 16])
