import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from rntk_bench import NTK, RBF, RNTK
from rntk_bench.errors import KernelError
from rntk_bench.kernels.series import ShapeWarning, read_sequences, read_series, read_set

X = np.random.default_rng(0).standard_normal((5, 7))
LENGTHS = [7, 4, 6, 4, 1]
RAGGED = [x[:T] for x, T in zip(X, LENGTHS, strict=True)]


def padded(fill=np.nan, m=1):
    cube = np.repeat(X[:, :, None], m, axis=2)
    for x, T in zip(cube, LENGTHS, strict=True):
        x[T:] = fill
    return cube[:, :, 0] if m == 1 else cube


@pytest.mark.parametrize("kernel", [RNTK(1.3, sigma_h=0.4), NTK(), RBF()])
@pytest.mark.parametrize(
    "container",
    [
        pd.DataFrame,
        lambda X: pd.DataFrame(X).set_index(pd.Index(list("abcde"))),
        lambda X: pd.DataFrame(X).convert_dtypes(),
        lambda X: X.astype(object),
        np.ma.masked_invalid,
        lambda X: X[:, :, None],
    ],
)
def test_rows_of_any_table_are_series_and_nan_at_their_end_is_padding(kernel, container):
    np.testing.assert_array_equal(kernel(container(X)), kernel(X))
    np.testing.assert_array_equal(kernel(container(padded())), kernel(RAGGED))
    np.testing.assert_allclose(kernel.diag(container(padded())), kernel.diag(RAGGED))
    np.testing.assert_array_equal(kernel(X, container(padded())), kernel(X, RAGGED))


def test_masked_values_are_missing():
    masked = np.ma.array(padded(fill=99.0), mask=np.isnan(padded()))
    np.testing.assert_array_equal(RNTK()(masked), RNTK()(RAGGED))
    with pytest.raises(KernelError, match="Series 0 holds a value"):
        RNTK()([np.ma.array([1.0, 2.0], mask=[True, False])])


def test_padding_of_several_dimensions_is_nan_in_all():
    assert [len(x) for x in read_sequences(padded(m=2))] == LENGTHS
    half = padded(m=2)
    half[1, 6, 0] = 1.0
    with pytest.raises(KernelError, match=r"Series 1 holds .* at step 5;"):
        read_set(half)


def test_padding_of_the_whole_set_leaves_an_array():
    np.testing.assert_array_equal(read_set(np.c_[X, np.full(5, np.nan)]), X)
    assert read_series(pd.DataFrame(X)).shape == (5, 7, 1)
    with pytest.raises(KernelError, match="all have the same length"):
        read_series(padded())


def with_value(at, value=np.nan):
    changed = X.copy()
    changed[2, at] = value
    return changed


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (with_value(0), "Series 2 holds a value that is not finite .* at step 1;"),
        (with_value(3), "only NaN at a series' end is padding"),
        (with_value(6, np.inf), "Series 2 .* at step 7;"),
        (with_value(slice(None)), "Series 2 has no value"),
        (list(padded()), "in a list of series, omit missing steps"),
        (sparse.csr_array(X), r"X.toarray\(\)"),
        (X + 0j, "must be numbers"),
        (X.astype(str), "must be numbers"),
        (pd.DataFrame(X.astype(str)), "must be numbers"),
        (np.zeros((2, 3), "M8[s]"), "must be numbers"),
        (pd.DataFrame({"a": [1.0], "b": ["x"]}), "must be numbers"),
        ({"a": [1.0, 2.0]}, "must be numbers"),
        ("abc", "must be numbers"),
        (None, "shape"),
        (X[0], r"shape \(7,\)"),
        (pd.DataFrame([[pd.Series(X[0])], [pd.Series(X[1])]]), "sktime_adapters"),
        (
            pd.DataFrame({"x": X[:2].ravel()}, pd.MultiIndex.from_product([[0, 1], range(7)])),
            "sktime_adapters",
        ),
    ],
)
def test_invalid_sets_of_series_are_refused(series, message):
    for kernel in (RNTK(), RBF()):
        with pytest.raises(KernelError, match=message):
            kernel(series)
        with pytest.raises(KernelError, match=message):
            kernel.diag(series)


def test_one_step_of_many_values_is_read_with_a_warning():
    for use in (RNTK(), RNTK().diag, RNTK().with_nngp, RNTK().error_bound):
        with pytest.warns(ShapeWarning, match=r"\(5, 1, 7\) .* give X\[:, 0\]"):
            use(X[:, None])
    with pytest.warns(ShapeWarning):
        RNTK()(np.ones((2, 3, 7)), X[:, None])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # One value a step, lists, which say what they are, and kernels that see one vector.
        RNTK()(X[:, :, None])
        RNTK()(X[:, :1, None])
        RNTK()(list(X[:, None]))
        np.testing.assert_array_equal(NTK()(X[:, None]), NTK()(X))
