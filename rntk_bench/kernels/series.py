"""Reading the series that kernels are given, in any container that holds n of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rntk_bench.errors import KernelError

Array = NDArray[np.float64]
Sequences = Array | Sequence[ArrayLike]
"""(n, T), (n, T, m), or n arrays of shape (T_i,) or (T_i, m)."""


class ShapeWarning(UserWarning):
    """Series whose axes probably stand in another order than they are read in."""


def read_set(X: Any) -> Array | list[Array]:
    """The series as one float64 array (n, T) or (n, T, m), or as a list of arrays (T_i, m).

    An array, or a data frame with a series in each row, may end its rows with NaN, as the
    archive's files do where series have different lengths: that is padding, and is cut off. A
    list holds series at their true lengths.

    Raises
    ------
    KernelError
        If there is no series, or one has no step, a value that is not finite, or another
        dimension than the first; or if the container holds no such series.
    """
    refuse_panel(X)
    if _is_list(X):
        return _one_dimension([_read(i, x) for i, x in enumerate(X)])
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


def read_sequences(X: Any) -> list[Array]:
    """The series as float64 arrays (T_i, m) of one dimension m.

    Raises
    ------
    KernelError
        As for `read_set`.
    """
    series = read_set(X)
    return [x.reshape(len(x), -1) for x in series]


def read_series(X: Any) -> Array:
    """The series, all of one length, as a float64 array (n, T, m).

    Raises
    ------
    KernelError
        As for `read_set`, and if they have several lengths.
    """
    series = read_sequences(X)
    if len({len(x) for x in series}) > 1:
        raise KernelError(
            "The series have different lengths, but here they must be all of one length."
        )
    return np.stack(series)


def without_mask(X: Any) -> Any:
    """A masked array as an array with NaN in the place of what is masked; others as they are."""
    return np.ma.filled(X.astype(np.float64), np.nan) if isinstance(X, np.ma.MaskedArray) else X


def refuse_panel(X: Any) -> None:
    """Refuse containers whose rows are not series of numbers.

    Raises
    ------
    KernelError
        For a sparse matrix, an array of text or times, and for sktime's data frames with a step
        in each row or a whole series in each cell.
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
            "The data frame has a step in each row or a whole series in each cell, but must have "
            "a series in each row and a step in each column; "
            "rntk_bench.estimators.sktime_adapters reads sktime's data frames."
        )


def warn_of_one_step(X: Any, stacklevel: int = 3) -> None:
    """Warn of an array of n series of one step of several values: it may be sktime's (n, 1, T)."""
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if len(shape) == 3 and shape[1] == 1 and shape[2] > 1:
        warnings.warn(
            f"The shape {tuple(shape)} is read as series of one step of {shape[2]} values. If they "
            "are univariate series in the order of sktime's and aeon's numpy3D, give X[:, 0].",
            ShapeWarning,
            stacklevel=stacklevel + 1,
        )


def is_objects(X: Any) -> bool:
    """Whether X is an array of one axis whose items are objects, such as series."""
    return np.dtype(object) == getattr(X, "dtype", None) and len(X.shape) == 1


def _is_list(X: Any) -> bool:
    """Whether X is n objects, each a series, rather than one table of numbers."""
    if isinstance(X, str | bytes | dict | set | frozenset):
        return False
    if hasattr(X, "__array__"):
        return is_objects(X)
    return isinstance(X, Iterable)


def _read(i: int, x: Any) -> Array:
    """A series of a list, (T, m)."""
    values = _numbers(x, f"Series {i} must be numbers of shape (T,) or (T, m).")
    if values.ndim not in (1, 2) or 0 in values.shape:
        raise KernelError(
            f"Series {i} has shape {values.shape}, but must have shape (T,) or (T, m), "
            "with at least one step."
        )
    if not np.isfinite(values).all():
        raise KernelError(
            f"Series {i} holds a value that is not finite (NaN or infinity); in a list of series "
            "leave steps that are not there out, or correct it."
        )
    return values.reshape(len(values), -1)


def _cut(i: int, x: Array) -> Array:
    """A row (T, m) of an array without the steps at its end that are NaN throughout."""
    seen = np.flatnonzero(~np.isnan(x).all(axis=1))
    if not len(seen):
        raise KernelError(f"Series {i} has no value: it is NaN throughout.")
    whole = x[: seen[-1] + 1]
    finite = np.isfinite(whole).all(axis=1)
    if not finite.all():
        raise KernelError(
            f"Series {i} holds a value that is not finite (NaN or infinity) at step "
            f"{int(np.argmin(finite)) + 1}; only NaN at a series' end is padding. Correct it, or "
            "fill in what is missing."
        )
    return whole


def _numbers(x: Any, otherwise: str) -> Array:
    """An array of real numbers, in which NaN stands for what is masked or missing."""
    try:
        values = x.to_numpy() if hasattr(x, "iloc") else np.asarray(without_mask(x))
        if values.dtype.kind not in "biufO" or (
            values.dtype == object and any(isinstance(each, str | bytes) for each in values.flat)
        ):
            raise TypeError
        if hasattr(x, "iloc"):  # pandas has values of its own for what is missing
            values = x.to_numpy(dtype=np.float64, na_value=np.nan)
        with np.errstate(over="ignore"):
            # In one order in memory, on which the last bits of a product may depend.
            return np.asarray(values, dtype=np.float64, order="C")
    except (TypeError, ValueError, ArithmeticError, RuntimeError):
        raise KernelError(otherwise) from None


def _one_dimension(series: list[Array]) -> list[Array]:
    if not series:
        raise KernelError("There is no series.")
    for i, x in enumerate(series):
        if x.shape[1] != series[0].shape[1]:
            raise KernelError(
                f"Series {i} has {x.shape[1]} dimensions, but series 0 has {series[0].shape[1]}."
            )
    return series
