import numpy as np
import pytest

from rntk_bench.estimators import RNTKClassifier
from rntk_bench.estimators.series import is_sequences, validate_series

ARRAYS = [np.ones(3), np.ones(3)]


def objects(items):
    found = np.empty(len(items), dtype=object)
    found[:] = items
    return found


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.ones((2, 3)), False),
        (np.ones((2, 3), dtype=object), False),
        ([[1, 2], [3, 4]], False),
        ([[1, 2], [3]], True),
        ([(1, 2), (3,)], True),
        (ARRAYS, True),
        (tuple(ARRAYS), True),
        (objects(ARRAYS), True),
        (objects(["a", "b"]), False),
        ([1.0, 2.0], False),
        (["ab", "c"], False),
        ([], False),
    ],
)
def test_what_counts_as_series_with_lengths_of_their_own(X, expected):
    assert is_sequences(X) is expected


def test_shapes_are_remembered_and_compared():
    estimator = RNTKClassifier()
    validate_series(estimator, np.ones((4, 5, 2)))
    assert (estimator.n_features_in_, estimator.n_dimensions_in_) == (5, 2)
    for other, said in (
        (np.ones((4, 6, 2)), "6 features"),
        (np.ones((4, 5)), "1 values per step"),
        ([np.ones(5)], "1 values per step"),
        (np.ones((4, 5, 2, 1)), "shape"),
        (np.ones(4), "1D array"),
        ([np.ones(2), np.full(3, np.nan)], "not finite"),
        ([np.ones((2, 2)), np.ones((2, 3))], "3 dimensions"),
    ):
        with pytest.raises(ValueError, match=said):
            validate_series(estimator, other, reset=False)
    assert [x.shape for x in validate_series(estimator, [np.ones((3, 2))], reset=False)] == [(3, 2)]
    validate_series(estimator, ARRAYS)
    assert not hasattr(estimator, "n_features_in_")
    assert estimator.n_dimensions_in_ == 1
    assert validate_series(estimator, np.ones((2, 9)), reset=False).shape == (2, 9)


def test_an_axis_without_a_step_is_refused():
    with pytest.raises(ValueError, match="shape"):
        validate_series(RNTKClassifier(), np.ones((4, 0, 2)))
