"""What a readout shared between the steps of a series weighs, `pooling="shared"` of the RNTK."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, Self

import numpy as np

from rntk_bench.errors import KernelError
from rntk_bench.kernels.activations import Activation, LeakyReLU, Smooth
from rntk_bench.kernels.parameters import at_least_one, at_least_zero, one_of
from rntk_bench.kernels.recursion.layout import TimeMajor
from rntk_bench.types import BoolArray, FloatArray, IntArray

READOUTS = ("state", "step")
EVERY_STEP: Final = 2.0**100
"""A window so wide that the weights of all lags round to exactly 1."""


class SharedReadable(Protocol):
    """A kernel with a shared readout; the parameters are the RNTK's."""

    @property
    def bandwidth(self) -> float | str: ...  # noqa: D102
    @property
    def lag_step(self) -> int: ...  # noqa: D102
    @property
    def readout(self) -> str: ...  # noqa: D102
    @property
    def tangent(self) -> bool: ...  # noqa: D102


def check_shared(kernel: SharedReadable, pooling: str, phi: Activation) -> None:
    """Store bandwidth, lag step and readout as plain values.

    Raises
    ------
    KernelError
        Naming the first that no kernel has, or none with this pooling or activation.
    """
    if isinstance(kernel.bandwidth, str) and kernel.bandwidth != "all":
        raise KernelError(
            f"RNTK: bandwidth is {kernel.bandwidth!r}, but must be 'all' or a finite number >= 0."
        )
    if kernel.bandwidth != "all":
        at_least_zero(kernel, bandwidth=kernel.bandwidth)
    at_least_one(kernel, lag_step=kernel.lag_step)
    one_of(kernel, READOUTS, readout=kernel.readout)
    if kernel.readout == "step" and pooling != "shared":
        raise KernelError(f"RNTK: readout='step' needs pooling='shared', not {pooling!r}.")
    if kernel.readout == "step" and not isinstance(phi, LeakyReLU):
        raise KernelError("RNTK: readout='step' is there for the activations relu and leaky_relu.")
    if pooling == "shared" and isinstance(phi, Smooth):
        raise KernelError(
            "RNTK: pooling='shared' is there for the activations relu, leaky_relu and erf."
        )


def window_widths(bandwidth: float | str, lag_step: int, lengths: IntArray) -> FloatArray:
    """Width b + 1 of the window of every series, in lag steps, shape (n,)."""
    if bandwidth == "all":
        return np.full(len(lengths), EVERY_STEP)
    if bandwidth == 0:
        return np.ones(len(lengths))
    with np.errstate(over="ignore"):
        b = np.clip(np.rint(float(bandwidth) * lengths / lag_step), 1.0, EVERY_STEP)
    return np.asarray(b + 1.0)


def lagged_passes(bandwidth: float | str, lag_step: int, length: int) -> float:
    """Pair-steps of a Gram of series of one length, over those of one recursion."""
    width = float(window_widths(bandwidth, lag_step, np.array([length]))[0])
    n_lags = int(min((length - 1) // lag_step, math.ceil(width) - 1))
    return 1.0 + 2.0 * sum(1.0 - k * lag_step / length for k in range(1, n_lags + 1))


@dataclass(frozen=True)
class SharedReadouts:
    """Which kernels one recursion along each diagonal is to give, each an entry of the first two.

    `bandwidth` (k,) as given, `tangent` (k,): Theta, else K; `lag_step`, and `step`, whether
    step units are read, are the same for all.
    """

    bandwidth: tuple[float | str, ...]
    tangent: BoolArray
    lag_step: int
    step: bool
    every: ClassVar[bool] = True
    """Whether every step is read."""

    @classmethod
    def of(cls, kernels: Iterable[SharedReadable]) -> Self:
        """Every readout that some of the kernels need, once."""
        kernels = list(kernels)
        bandwidth, tangent = zip(*dict.fromkeys(map(_wanted, kernels)), strict=True)
        first = kernels[0]
        return cls(bandwidth, np.array(tangent), int(first.lag_step), first.readout == "step")

    def position(self, kernel: SharedReadable) -> int:
        """Where the readout of this kernel stands."""
        return list(zip(self.bandwidth, self.tangent, strict=True)).index(_wanted(kernel))

    def widths(self, series: TimeMajor) -> FloatArray:
        """Widths of the windows, in lag steps, of every readout and series, (k, n)."""
        return np.stack(
            [window_widths(each, self.lag_step, series.lengths) for each in self.bandwidth]
        )

    def of_equal_steps(self, steps: FloatArray, series: TimeMajor) -> FloatArray:
        """Sums (.., k, n) over V and V + V' theta (.., 2, T, n) of every step with itself."""
        sums: FloatArray = steps[..., : series.n].sum(axis=-2)
        return sums[..., self.tangent.astype(np.intp), :]


def _wanted(kernel: SharedReadable) -> tuple[float | str, bool]:
    """Bandwidth and whether Theta is wanted; of step units, which do not learn, K is the same."""
    return kernel.bandwidth, kernel.tangent or kernel.readout == "step"
