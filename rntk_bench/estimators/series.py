"""Reading the series that estimators are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from rntk_bench.errors import KernelError
from rntk_bench.kernels.series import (
    is_objects,
    read_sequences,
    read_set,
    refuse_panel,
    warn_of_one_step,
    without_mask,
)
from rntk_bench.types import IntArray


def is_sequences(X: Any) -> bool:
    """Whether X is n series of lengths of their own, rather than one array of all of them.

    That is a list, tuple or one-dimensional object array whose items are arrays, or of which NumPy
    cannot make one array.
    """
    if hasattr(X, "dtype"):
        return is_objects(X) and _has_lengths(X)
    if not isinstance(X, list | tuple) or not len(X) or not _has_lengths(X):
        return False
    return all(isinstance(x, np.ndarray) for x in X) or len({len(x) for x in X}) > 1


def _has_lengths(X: Any) -> bool:
    return all(hasattr(x, "__len__") and not isinstance(x, str) for x in X)


def read(estimator: BaseEstimator, X: Any, **checks: Any) -> Any:
    """The series X of shape (n, T) or (n, T, m) as float64, or a list of n arrays (T_i, m).

    Of arrays scikit-learn checks the shape against the one that the estimator was fitted with,
    unless that was a list; the dimension m is always checked. An array whose rows end in NaN is a
    list of series of different lengths.

    Parameters
    ----------
    checks : of scikit-learn's `validate_data`; with `reset=False` X is compared, else remembered

    Raises
    ------
    ValueError
        If X is something else, holds a value that is not finite, or does not fit the estimator.
    """
    series: Any
    if is_sequences(X):
        series = read_sequences(X)
    else:
        refuse_panel(X)
        series = validate_data(
            estimator,
            without_mask(X),
            dtype=np.float64,
            allow_nd=True,
            ensure_all_finite="allow-nan",
            **checks,
        )
        if series.ndim > 3 or 0 in series.shape:
            raise ValueError(
                f"X has shape {series.shape}, but must have shape (n, T) or (n, T, m)."
            )
        if isinstance(X, list | tuple):
            read_set(list(series))  # refuses NaN, which is padding in arrays and data frames only
        series = read_set(series)
        warn_of_one_step(series, stacklevel=4)
    m = series[0].shape[1] if series[0].ndim == 2 else 1
    if checks.get("reset", True):
        estimator.n_dimensions_in_ = m
        if isinstance(series, list) and hasattr(estimator, "n_features_in_"):
            del estimator.n_features_in_
    elif m != estimator.n_dimensions_in_:
        raise KernelError(
            f"The series have {m} values a step, but {type(estimator).__name__} was fitted to "
            f"series with {estimator.n_dimensions_in_}."
        )
    return series


def take(X: Any, rows: IntArray) -> Any:
    """The series at some positions."""
    return X[rows] if isinstance(X, np.ndarray) else [X[row] for row in rows]
