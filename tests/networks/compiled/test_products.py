import numpy as np
import pytest

from rntk_bench.networks.compiled.products import add_product


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    ("m", "k", "n"),
    [(1, 1, 1), (8, 64, 64), (7, 21, 16), (3, 8, 160), (21, 150, 161), (4, 16, 512), (0, 9, 5)],
)
def test_a_product_is_added(m, k, n, transposed):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((k, m + 2) if transposed else (m, k + 2), dtype=np.float32)
    B = rng.standard_normal((k, n), dtype=np.float32)
    C = rng.standard_normal((m, n), dtype=np.float32)
    A = A.T if transposed else A
    expected = C + A[:m, :k].astype(float) @ B
    add_product(A, B, C)
    np.testing.assert_allclose(C, expected, rtol=1e-5, atol=1e-4)
