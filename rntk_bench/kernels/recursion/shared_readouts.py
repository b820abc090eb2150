"""The weights of a readout that is shared between the steps, `pooling="shared"` of the RNTK."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, Self

import numpy as np

from rntk_bench.errors import KernelError
from rntk_bench.kernels.activations import Activation, LeakyReLU
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
    """Validate bandwidth, lag step and readout, and store them as plain values.

    Raises
    ------
    KernelError
        If one is invalid, or not available for this pooling or activation.
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
        raise KernelError("RNTK: readout='step' is available only for relu and leaky_relu.")


def window_widths(bandwidth: float | str, lag_step: int, lengths: IntArray) -> FloatArray:
    """Width b + 1 of the window of each series, in lag steps, shape (n,)."""
    if bandwidth == "all":
        return np.full(len(lengths), EVERY_STEP)
    if bandwidth == 0:
        return np.ones(len(lengths))
    with np.errstate(over="ignore"):
        b = np.clip(np.rint(float(bandwidth) * lengths / lag_step), 1.0, EVERY_STEP)
    return np.asarray(b + 1.0)


def lagged_passes(bandwidth: float | str, lag_step: int, length: int) -> float:
    """Cost of a Gram of series of this length, relative to one recursion."""
    width = float(window_widths(bandwidth, lag_step, np.array([length]))[0])
    n_lags = most_lags(width, lag_step, length)
    return 1.0 + 2.0 * sum(1.0 - k * lag_step / length for k in range(1, n_lags))


def most_lags(width: float, lag_step: int, length: int) -> int:
    """How many lags >= 0 series of this length have within windows of at most this width."""
    return 1 + int(min((length - 1) // lag_step, math.ceil(width) - 1))


@dataclass(frozen=True)
class SharedReadouts:
    """The k kernels that one recursion along each diagonal computes.

    `bandwidth` and `tangent` (Theta, else K) have one entry per kernel. `lag_step` and `step`
    (whether the step function of the pre-activations is read) are the same for all.
    """

    bandwidth: tuple[float | str, ...]
    tangent: BoolArray
    lag_step: int
    step: bool
    all_steps: ClassVar[bool] = True
    """Whether all steps are read."""

    @classmethod
    def of(cls, kernels: Iterable[SharedReadable]) -> Self:
        """The distinct readouts of some kernels."""
        kernels = list(kernels)
        bandwidth, tangent = zip(*dict.fromkeys(map(_readout_key, kernels)), strict=True)
        first = kernels[0]
        return cls(bandwidth, np.array(tangent), int(first.lag_step), first.readout == "step")

    def position(self, kernel: SharedReadable) -> int:
        """Index of the readout of this kernel."""
        return list(zip(self.bandwidth, self.tangent, strict=True)).index(_readout_key(kernel))

    def widths(self, series: TimeMajor) -> FloatArray:
        """Widths of the windows, in lag steps, of each readout and series, (k, n)."""
        return np.stack(
            [window_widths(each, self.lag_step, series.lengths) for each in self.bandwidth]
        )

    def of_equal_steps(self, steps: FloatArray, series: TimeMajor) -> FloatArray:
        """Sums (.., k, n) over V and V + V' theta (.., 2, T, n) of each step with itself."""
        sums: FloatArray = steps[..., : series.n].sum(axis=-2)
        return sums[..., self.tangent.astype(np.intp), :]


def _readout_key(kernel: SharedReadable) -> tuple[float | str, bool]:
    """Bandwidth, and whether it is Theta; for the step readout Theta is equal to K."""
    return kernel.bandwidth, kernel.tangent or kernel.readout == "step"
