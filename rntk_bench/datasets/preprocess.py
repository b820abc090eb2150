"""Preprocessing of series: the scalings that kernels read, and zero padding to a common length."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from rntk_bench.datasets.dataset import Sequences
from rntk_bench.errors import InputError, short_repr
from rntk_bench.types import FloatArray

INPUT_SCALINGS = ("archive", "unit-norm", "z", "unit", "raw")
"""Names of the input scalings, see `InputScaling`."""
Z_NORMALISED_TOLERANCE = 0.02
"""Means and standard deviations of z-normalised series differ by less than this, relative to the
mean standard deviation."""


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
        1. A dimension that is constant but for rounding is zero by "z"; a zero series stays zero.
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
        if self.name not in INPUT_SCALINGS:
            raise InputError(
                f"input is {short_repr(self.name)}, but must be one of {', '.join(INPUT_SCALINGS)}."
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
        return _map_series({"unit-norm": _unit, "z": z_normalise, "unit": unit_rms}[self.name], X)


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
    """Whether the series of a training set are z-normalised already, each dimension on its own.

    That is, if the largest |mean| is below 0.02 of the mean of the standard deviations, and so is
    the standard deviation of these.
    """
    values, _ = _near_one(np.concatenate(list(X)))
    parts = np.split(values, np.cumsum([len(x) for x in X])[:-1])
    means, deviations = (np.array([f(x, axis=0) for x in parts]) for f in (np.mean, np.std))
    limit = Z_NORMALISED_TOLERANCE * deviations.mean()
    return bool(np.abs(means).max() < limit and deviations.std() < limit)


def zero_series(X: Sequences) -> list[int]:
    """Indices of the series whose values are all zero."""
    return [i for i, x in enumerate(X) if not np.any(x)]


def z_normalise(x: FloatArray) -> FloatArray:
    """A series (T,) or (T, m), each dimension with mean 0 and standard deviation 1.

    A dimension that is constant, but for rounding, becomes zero.
    """
    scaled, _ = _near_one(x, axis=0)
    mean = scaled.mean(axis=0)
    deviation = np.sqrt(np.square(scaled - mean).mean(axis=0))
    varies = deviation > rounding(len(x)) * np.abs(mean)
    return np.where(varies, scaled - mean, 0.0) / np.where(varies, deviation, 1.0)


def unit_rms(x: FloatArray) -> FloatArray:
    """A series divided by the root mean square of its values; a series of zeros stays as it is."""
    scaled, _ = _near_one(x)
    rms = math.sqrt(np.square(scaled).mean())
    return scaled / rms if rms > 0.0 else scaled


def root_mean_square(X: Sequences) -> float:
    """The root mean square of all values of a set of series; 1 if all are zero."""
    values, exponent = _near_one(np.concatenate([np.ravel(x) for x in X]))
    return math.ldexp(math.sqrt(np.square(values).mean()), int(exponent)) or 1.0


def rounding(T: int) -> float:
    """What rounding may leave of a sum of T terms that cancel, relative to their RMS."""
    return T * float(np.finfo(np.float64).eps)


def _map_series(function: Callable[[FloatArray], FloatArray], X: Sequences) -> Sequences:
    scaled = [function(x) for x in X]
    return np.stack(scaled) if isinstance(X, np.ndarray) else scaled


def _unit(x: FloatArray) -> FloatArray:
    scaled, _ = _near_one(x)
    norm = np.sqrt(np.square(scaled).sum())
    return np.asarray(scaled / norm) if norm > 0 else scaled


def _near_one(x: FloatArray, axis: int | None = None) -> tuple[FloatArray, FloatArray]:
    """Values divided by a power of two, so that no square overflows or vanishes, and its exponent.

    The division is exact. With an axis, each of the others has its own power.
    """
    _, exponent = np.frexp(np.abs(x).max(axis=axis))
    return np.asarray(np.ldexp(x, -exponent)), exponent


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
