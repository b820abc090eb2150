"""Preprocessing of series: the scalings that kernels read, and zero padding to a common length."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from rntk_bench.datasets.dataset import Sequences
from rntk_bench.errors import InputError, short_repr
from rntk_bench.types import FloatArray

INPUTS = ("archive", "unit-norm", "z", "unit", "raw")
"""Names of the input scalings, see `InputScaling`."""
NORMALISED = 0.02
"""Largest mean of a series, and largest standard deviation of the standard deviations of all, as
fractions of the mean standard deviation, at which a training set counts as z-normalised."""


@dataclass(frozen=True)
class InputScaling:
    """How series are scaled before a kernel reads them.

    Parameters
    ----------
    name : str
        "archive": the values as they are. "unit-norm": each series divided by its L2 norm over all
        steps and dimensions, as the paper does (A.1). "z": each dimension of each series has mean 0
        and standard deviation 1. "unit": "unit-norm" times the square root of the number of values.
        "raw": all series divided by one number, the root mean square of all values of the training
        set. Series read by "z" or "unit", and a training set read by "raw", have root mean square
        1. A dimension that is constant is zero by "z"; a series that is zero stays so.
    training_rms : float
        The root mean square of the training set; only "raw" depends on it.

    Raises
    ------
    InputError
        For another name.
    """

    name: str
    training_rms: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in INPUTS:
            raise InputError(
                f"input is {short_repr(self.name)}, but must be one of {', '.join(INPUTS)}."
            )

    @classmethod
    def fit(cls, name: str, X_train: Sequences) -> Self:
        """The scaling of this name for a training set.

        Raises
        ------
        InputError
            For another name.
        """
        return cls(name, root_mean_square(X_train) if name == "raw" else 1.0)

    def __call__(self, X: Sequences) -> Sequences:
        """The scaled series, in the same form as X."""
        if self.name == "archive":
            return X
        if self.name == "raw":
            return _map_series(lambda x: x / self.training_rms, X)
        return _map_series({"unit-norm": _unit, "z": z_normalise, "unit": _unit_rms}[self.name], X)


def inputs_that_differ(inputs: Iterable[str], X_train: Sequences) -> tuple[str, ...]:
    """The input scalings that give a training set distinct series.

    Of a training set that is z-normalised already, "unit" and "raw" repeat "z" and are left out if
    "z" is among the inputs.
    """
    inputs = tuple(inputs)
    if "z" in inputs and is_z_normalised(X_train):
        return tuple(name for name in inputs if name not in ("unit", "raw"))
    return inputs


def is_z_normalised(X: Sequences) -> bool:
    """Whether each dimension of each series has about mean 0, and all about the same deviation.

    The largest magnitude of a mean and the standard deviation of the standard deviations must be
    below `NORMALISED` times the mean of the standard deviations.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # values so large are not z-normalised
        means, deviations = (
            np.concatenate([np.atleast_1d(statistic(x, axis=0)) for x in X])
            for statistic in (np.mean, np.std)
        )
        bound = NORMALISED * deviations.mean()
        return bool(np.abs(means).max() < bound and deviations.std() < bound)


def unit_norm(X: Sequences) -> tuple[Sequences, list[int]]:
    """Divide each series by its L2 norm over all steps and dimensions.

    Parameters
    ----------
    X : ndarray of shape (n, T) or (n, T, m), or list of ndarray

    Returns
    -------
    X_unit : like X
        Series of norm 1; a zero series stays zero.
    zero : list of int
        Indices of the zero series.
    """
    scaled = InputScaling("unit-norm")(X)
    return scaled, zero_series(scaled)


def zero_series(X: Sequences) -> list[int]:
    """Indices of the series whose values are all zero."""
    return [i for i, x in enumerate(X) if not np.any(x)]


def z_normalise(x: FloatArray) -> FloatArray:
    """A series (T,) or (T, m), each dimension with mean 0 and variance 1; zero if constant."""
    scaled = _near_one(x)
    centred = np.where(np.ptp(x, axis=0) > 0, scaled - scaled.mean(axis=0), 0.0)
    deviation = np.sqrt(np.square(centred).mean(axis=0))
    return np.asarray(centred / np.where(deviation > 0, deviation, 1.0))


def root_mean_square(X: Sequences) -> float:
    """The root mean square of all values of a set of series, or 1 if all are zero."""
    values = np.concatenate([np.ravel(x) for x in X])
    largest = float(np.abs(values).max())
    return largest * float(np.sqrt(np.square(values / largest).mean())) if largest > 0 else 1.0


def _map_series(function: Callable[[FloatArray], FloatArray], X: Sequences) -> Sequences:
    scaled = [function(x) for x in X]
    return np.stack(scaled) if isinstance(X, np.ndarray) else scaled


def _unit(x: FloatArray) -> FloatArray:
    scaled = _near_one(x)
    norm = np.sqrt(np.square(scaled).sum())
    return np.asarray(scaled / norm) if norm > 0 else scaled


def _unit_rms(x: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(x.size) * _unit(x))


def _near_one(x: FloatArray) -> FloatArray:
    """The series times a power of two, which rounds nothing, so that squares do not overflow."""
    _, exponent = np.frexp(np.abs(x).max())
    return np.asarray(np.ldexp(x, -exponent))


def zero_pad(X: Sequences, length: int | None = None) -> FloatArray:
    """Pad each series with zeros at the end to a common length.

    Parameters
    ----------
    X : ndarray of shape (n, T) or (n, T, m), or list of ndarray
    length : int, optional
        Length of the result, at least that of the longest series, which is the default.

    Returns
    -------
    ndarray of shape (n, length) or (n, length, m)
    """
    if length is None:
        length = max(len(x) for x in X)
    padded = np.zeros((len(X), length, *X[0].shape[1:]))
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    return padded
