"""Preprocessing of series: scaling to unit norm, and zero padding to a common length."""

from __future__ import annotations

import numpy as np

from rntk_bench.datasets.dataset import Sequences
from rntk_bench.types import FloatArray


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
    scaled = [_unit(x) for x in X]
    zero = [i for i, x in enumerate(scaled) if not x.any()]
    return (np.stack(scaled) if isinstance(X, np.ndarray) else scaled), zero


def _unit(x: FloatArray) -> FloatArray:
    # A power of two brings the largest value near 1 without rounding, so that squares
    # neither overflow nor underflow.
    _, exponent = np.frexp(np.abs(x).max())
    scaled = np.ldexp(x, -exponent)
    norm = np.sqrt(np.square(scaled).sum())
    return np.asarray(scaled / norm) if norm > 0 else scaled


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
