import numpy as np
import pytest

from rntk_bench import RNTK
from rntk_bench.errors import KernelError
from rntk_bench.kernels.plain import SinglePrecisionRNTK, numpy_rntk

PARAMETERS = {"sigma_w": 1.4, "sigma_b": 0.3, "sigma_h": 0.5}
X, Y = np.split(np.random.default_rng(0).standard_normal((12, 9)) / 3, [7])


def test_double_precision_is_the_kernel():
    kernel = RNTK(**PARAMETERS)
    # arccos near 1 costs NumPy half its digits on the diagonal.
    np.testing.assert_allclose(numpy_rntk(X, kernel), kernel(X), rtol=1e-6)


@pytest.mark.parametrize("other", [None, Y])
def test_single_precision_is_the_kernel_with_half_its_digits(other):
    single, kernel = SinglePrecisionRNTK(**PARAMETERS), RNTK(**PARAMETERS)
    np.testing.assert_allclose(single(X, other), kernel(X, other), rtol=1e-2)
    assert np.abs(single(X, other) / kernel(X, other) - 1).max() > 1e-8
    np.testing.assert_array_equal(single(X, other), single(X, other).astype(np.float32))


def test_it_is_the_recursion_in_this_precision():
    kernel = RNTK(**PARAMETERS)
    gram = numpy_rntk(X, kernel, np.float32)
    assert gram.dtype == np.float32
    np.testing.assert_array_equal(SinglePrecisionRNTK(**PARAMETERS)(X), gram)


@pytest.mark.parametrize(
    "other",
    [{"n_layers": 2}, {"pooling": "average"}, {"direction": "both"}, {"activation": "erf"}],
    ids=str,
)
def test_what_the_recursion_does_not_compute_is_refused(other):
    with pytest.raises(KernelError, match=f"In single precision {next(iter(other))} is "):
        SinglePrecisionRNTK(**other)


def test_single_precision_has_one_length():
    with pytest.raises(KernelError, match="all series must have one length"):
        SinglePrecisionRNTK()(X, X[:, 1:])
