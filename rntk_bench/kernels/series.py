"""Converting the series that are passed to kernels, in any container, to arrays."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rntk_bench.errors import KernelError
from rntk_bench.types import FloatArray

Sequences = FloatArray | Sequence[ArrayLike]
"""(n, T), (n, T, m), or n arrays of shape (T_i,) or (T_i, m)."""


class ShapeWarning(UserWarning):
    """The axes of an array of series are probably in another order than the expected one."""


def read_set(X: Any) -> FloatArray | list[FloatArray]:
    """Convert series to one float64 array (n, T) or (n, T, m), or to a list of arrays (T_i, m).

    NaN at the end of the rows of an array, or of a data frame with one series per row, is padding
    and is removed; the archive's files of series of different lengths are padded like this. A list
    holds series at their true lengths.

    Raises
    ------
    KernelError
        If there are no series, if one has no steps, a value that is not finite, or another
        dimension than the first, or if X is not a container of series.
    """
    refuse_panel(X)
    if _is_list(X):
        return _check_same_dimension([_read(i, x) for i, x in enumerate(X)])
    values = _numbers(X, "The series must be numbers of shape (n, T) or (n, T, m).")
    if values.ndim not in (2, 3) or 0 in values.shape:
        raise KernelError(
            f"The series have shape {values.shape}, but must have shape (n, T) or (n, T, m), "
            "with at least one series and one step."
        )
    if np.isfinite(values).all():
        return values
    series = [_cut(i, x) for i, x in enumerate(values.reshape(*values.shape[:2], -1))]
    if len({len(x) for x in series}) > 1:
        return series
    return np.stack(series).reshape(len(series), -1, *values.shape[2:])


def read_sequences(X: Any) -> list[FloatArray]:
    """Convert series to float64 arrays (T_i, m) of the same dimension m.

    Raises
    ------
    KernelError
        As for `read_set`.
    """
    series = read_set(X)
    return [x.reshape(len(x), -1) for x in series]


def read_series(X: Any) -> FloatArray:
    """Convert series of the same length to a float64 array (n, T, m).

    Raises
    ------
    KernelError
        As for `read_set`, and if their lengths differ.
    """
    series = read_sequences(X)
    if len({len(x) for x in series}) > 1:
        raise KernelError(
            "The series have different lengths, but must all have the same length here."
        )
    return np.stack(series)


def without_mask(X: Any) -> Any:
    """Replace masked values of a masked array by NaN; return anything else unchanged."""
    return np.ma.filled(X.astype(np.float64), np.nan) if isinstance(X, np.ma.MaskedArray) else X


def refuse_panel(X: Any) -> None:
    """Raise an error for containers whose rows are not series of numbers.

    Raises
    ------
    KernelError
        For a sparse matrix, an array of text or times, and for sktime's data frames with one step
        per row or a whole series per cell.
    """
    if getattr(getattr(X, "dtype", None), "kind", "f") in "SUTMm":
        raise KernelError(f"The series are of type {X.dtype}, but must be numbers.")
    if hasattr(X, "toarray"):
        raise KernelError("The series are a sparse matrix; give the dense array X.toarray().")
    if not (hasattr(X, "iloc") and hasattr(X, "columns")):
        return
    nested = X.shape[0] > 0 and X.shape[1] > 0 and np.ndim(np.asarray(X.iloc[0, 0])) > 0
    if nested or getattr(X.index, "nlevels", 1) > 1:
        raise KernelError(
            "The data frame has one step per row or a whole series per cell, but must have one "
            "series per row and one step per column; "
            "rntk_bench.estimators.sktime_adapters reads sktime's data frames."
        )


def warn_of_one_step(X: Any, stacklevel: int = 3) -> None:
    """Warn if an array has shape (n, 1, m): it may be in the axis order of sktime, (n, 1, T)."""
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if len(shape) == 3 and shape[1] == 1 and shape[2] > 1:
        warnings.warn(
            f"The shape {tuple(shape)} is read as series of one step of {shape[2]} values. If they "
            "are univariate series in the order of sktime's and aeon's numpy3D, give X[:, 0].",
            ShapeWarning,
            stacklevel=stacklevel + 1,
        )


def is_objects(X: Any) -> bool:
    """Whether X is a one-dimensional array of objects, such as series."""
    return np.dtype(object) == getattr(X, "dtype", None) and len(X.shape) == 1


def _is_list(X: Any) -> bool:
    """Whether X is a sequence of n series, rather than one table of numbers."""
    if isinstance(X, str | bytes | dict | set | frozenset):
        return False
    if hasattr(X, "__array__"):
        return is_objects(X)
    return isinstance(X, Iterable)


def _read(i: int, x: Any) -> FloatArray:
    """Convert one series of a list to shape (T, m)."""
    values = _numbers(x, f"Series {i} must be numbers of shape (T,) or (T, m).")
    if values.ndim not in (1, 2) or 0 in values.shape:
        raise KernelError(
            f"Series {i} has shape {values.shape}, but must have shape (T,) or (T, m), "
            "with at least one step."
        )
    if not np.isfinite(values).all():
        raise KernelError(
            f"Series {i} holds a value that is not finite (NaN or infinity); in a list of series, "
            "omit missing steps at the end, or correct the value."
        )
    return values.reshape(len(values), -1)


def _cut(i: int, x: FloatArray) -> FloatArray:
    """Remove steps that are NaN in all dimensions from the end of a series (T, m)."""
    present = np.flatnonzero(~np.isnan(x).all(axis=1))
    if not len(present):
        raise KernelError(f"Series {i} has no values: all are NaN; leave it out.")
    unpadded = x[: present[-1] + 1]
    finite = np.isfinite(unpadded).all(axis=1)
    if not finite.all():
        raise KernelError(
            f"Series {i} holds a value that is not finite (NaN or infinity) at step "
            f"{int(np.argmin(finite)) + 1}; only NaN at a series' end is padding. Correct it, or "
            "fill in the missing values."
        )
    return unpadded


def _numbers(x: Any, error_message: str) -> FloatArray:
    """Convert x to an array of real numbers, with NaN for masked or missing values."""
    try:
        values = x.to_numpy() if hasattr(x, "iloc") else np.asarray(without_mask(x))
        if values.dtype.kind not in "biufO" or (
            values.dtype == object and any(isinstance(each, str | bytes) for each in values.flat)
        ):
            raise TypeError
        if hasattr(x, "iloc"):  # pandas has other missing values than NaN
            values = x.to_numpy(dtype=np.float64, na_value=np.nan)
        with np.errstate(over="ignore"):
            # C order, because the last bits of a product may depend on the memory layout.
            return np.asarray(values, dtype=np.float64, order="C")
    except (TypeError, ValueError, ArithmeticError, RuntimeError):
        raise KernelError(error_message) from None


def _check_same_dimension(series: list[FloatArray]) -> list[FloatArray]:
    if not series:
        raise KernelError("There are no series; give at least one.")
    for i, x in enumerate(series):
        if x.shape[1] != series[0].shape[1]:
            raise KernelError(
                f"Series {i} has {x.shape[1]} dimensions, but series 0 has {series[0].shape[1]}; "
                "all must have the same number."
            )
    return series
