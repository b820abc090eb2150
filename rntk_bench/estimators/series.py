"""Validating the series X that are passed to estimators."""

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


def is_sequences(X: Any) -> bool:
    """Whether X is a sequence of n series, which may differ in length, rather than one array.

    That is a list, tuple or one-dimensional object array whose items are arrays, or which NumPy
    cannot convert to one array.
    """
    if hasattr(X, "dtype"):
        return is_objects(X) and _has_lengths(X)
    if not isinstance(X, list | tuple) or not len(X) or not _has_lengths(X):
        return False
    return all(isinstance(x, np.ndarray) for x in X) or len({len(x) for x in X}) > 1


def _has_lengths(X: Any) -> bool:
    return all(hasattr(x, "__len__") and not isinstance(x, str) for x in X)


def validate_series(estimator: BaseEstimator, X: Any, **checks: Any) -> Any:
    """Return series X of shape (n, T) or (n, T, m) as float64, or a list of n arrays (T_i, m).

    scikit-learn checks the shape of an array against that of the training series, unless these
    were a list; the dimension m is always checked. An array whose rows end in NaN is converted to a
    list of series of different lengths.

    Parameters
    ----------
    checks : options of scikit-learn's `validate_data`; with `reset=False` the shape of X is
        compared with the training series, otherwise it is stored

    Raises
    ------
    ValueError
        If X is something else, holds a value that is not finite, or has another shape than the
        training series.
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
            read_set(
                list(series)
            )  # raises for NaN, which is padding only in arrays and data frames
        series = read_set(series)
        warn_of_one_step(series, stacklevel=4)
    m = series[0].shape[1] if series[0].ndim == 2 else 1
    if checks.get("reset", True):
        estimator.n_dimensions_in_ = m
        if isinstance(series, list) and hasattr(estimator, "n_features_in_"):
            del estimator.n_features_in_
    elif m != estimator.n_dimensions_in_:
        raise KernelError(
            f"The series have {m} values per step, but {type(estimator).__name__} was fitted to "
            f"series with {estimator.n_dimensions_in_}; give it such series."
        )
    return series
