"""Representations of series: z-normalised, differenced, at RMS 1, and at coarser scales.

A series (T, m) is represented by one with as many dimensions. At scale q it is first averaged over
blocks of q steps, and an incomplete last block is dropped. RMS is the root of the mean square over
the steps and dimensions of a series.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from rntk_bench.datasets import preprocess
from rntk_bench.datasets.preprocess import root_mean_square, rounding, unit_rms, z_normalise
from rntk_bench.errors import KernelError, short_repr
from rntk_bench.kernels.parameters import as_number, at_least_one, one_of
from rntk_bench.kernels.series import Sequences, read_sequences
from rntk_bench.types import FloatArray

REPRESENTATIONS: Final = ("z", "difference", "unit", "raw")


@dataclass(frozen=True)
class Representation:
    """A transformation of sets of series.

    Parameters
    ----------
    name : str
        "z": the z-normalised series, averaged over blocks. "difference": the first differences of
        that. "unit": the averaged series. These three are scaled to RMS 1. "raw": the averaged
        series, divided by `rms`.
    scale : int, at least 1
        Steps in a block.
    rms : float, greater than 0
        For "raw": usually the `training_rms`.

    Notes
    -----
    "z" and "difference" z-normalise each dimension of a series by its own mean and standard
    deviation. One that is constant, but for rounding, becomes zero. A series that is zero, but for
    rounding, before it is scaled to RMS 1 stays zero.

    Raises
    ------
    KernelError
        For a parameter outside its range, and, when it is called, if a series is too short.
    """

    name: str = "z"
    scale: int = 1
    rms: float = 1.0

    def __post_init__(self) -> None:
        one_of(self, REPRESENTATIONS, name=self.name)
        at_least_one(self, scale=self.scale)
        rms = as_number(self.rms)
        if rms is None or not 0.0 < rms < math.inf:
            raise KernelError(
                f"Representation: rms is {short_repr(self.rms)}, but must be a finite number > 0."
            )
        object.__setattr__(self, "rms", rms)

    @property
    def shortest(self) -> int:
        """The least number of steps of a series that can be represented."""
        return self.scale * (2 if self.name == "difference" else 1)

    def __call__(self, X: Sequences) -> list[FloatArray]:
        """Represent each series: n arrays (T_i // scale, m), one step shorter for "difference"."""
        series = read_sequences(X)
        for i, x in enumerate(series):
            if len(x) < self.shortest:
                raise KernelError(
                    f"Series {i} has {len(x)} steps, but the representation {self.name!r} at scale "
                    f"{self.scale} needs {self.shortest}; leave out this representation or series."
                )
        return [self._represent(x) for x in series]

    def _represent(self, x: FloatArray) -> FloatArray:
        if self.name == "raw":
            return block_means(x, self.scale) / self.rms
        means = block_means(unit_rms(x) if self.name == "unit" else z_normalise(x), self.scale)
        return _restore_rms(np.diff(means, axis=0) if self.name == "difference" else means, len(x))


def block_means(x: FloatArray, scale: int) -> FloatArray:
    """Means (T // scale, m) of blocks of consecutive steps of a series (T, m)."""
    n_blocks = len(x) // scale
    if scale == 1:
        return x
    means: FloatArray = x[: n_blocks * scale].reshape(n_blocks, scale, -1).mean(axis=1)
    return means


def _restore_rms(x: FloatArray, T: int) -> FloatArray:
    """Means or differences of a series of T steps and RMS 1, scaled to RMS 1 again."""
    rms = math.sqrt(np.square(x).mean())
    return x / rms if rms > rounding(T) else np.zeros_like(x)


def training_rms(X: Sequences) -> float:
    """The RMS of all values of a training set; 1 if all are zero."""
    return root_mean_square(read_sequences(X))


def is_z_normalised(X: Sequences) -> bool:
    """Whether the series of a training set are z-normalised already, each dimension on its own.

    That is, if the largest |mean| is below 0.02 of the mean of the standard deviations, and so is
    the standard deviation of these.
    """
    return preprocess.is_z_normalised(read_sequences(X))
