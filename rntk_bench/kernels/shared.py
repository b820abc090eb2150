"""What a readout shared between the steps of a series weighs, `pooling="shared"` of the RNTK."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from rntk_bench.errors import KernelError
from rntk_bench.kernels.activations import Activation, LeakyReLU
from rntk_bench.kernels.base import Array
from rntk_bench.kernels.layout import TimeMajor

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


def check_parameters(bandwidth: float | str, lag_step: int) -> None:
    """Refuse a bandwidth or lag step that no kernel has.

    Raises
    ------
    KernelError
        It names the parameter.
    """
    if bandwidth != "all" and not (
        isinstance(bandwidth, Real) and math.isfinite(bandwidth) and bandwidth >= 0
    ):
        raise KernelError(
            f"RNTK: bandwidth is {bandwidth!r}, but must be 'all' or a finite number >= 0."
        )
    if not (isinstance(lag_step, Integral) and lag_step >= 1):
        raise KernelError(f"RNTK: lag_step is {lag_step!r}, but must be 1, 2, 3, ...")


def check_readout(readout: str, pooling: str, phi: Activation) -> None:
    """Refuse a readout that there is not, or not for this pooling or activation.

    Raises
    ------
    KernelError
        It names the readout.
    """
    if readout not in READOUTS:
        raise KernelError(f"RNTK: readout is {readout!r}, but must be {' or '.join(READOUTS)}.")
    if readout == "step" and pooling != "shared":
        raise KernelError(f"RNTK: readout='step' needs pooling='shared', not {pooling!r}.")
    if readout == "step" and not isinstance(phi, LeakyReLU):
        raise KernelError("RNTK: readout='step' is there for the activations relu and leaky_relu.")


def window_widths(bandwidth: float | str, lag_step: int, lengths: NDArray[np.int64]) -> Array:
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
    tangent: NDArray[np.bool_]
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

    def widths(self, series: TimeMajor) -> Array:
        """Widths of the windows, in lag steps, of every readout and series, (k, n)."""
        return np.stack(
            [window_widths(each, self.lag_step, series.lengths) for each in self.bandwidth]
        )

    def of_equal_steps(self, steps: Array, series: TimeMajor) -> Array:
        """Sums (.., k, n) over V and V + V' theta (.., 2, T, n) of every step with itself."""
        sums: Array = steps[..., : series.n].sum(axis=-2)
        return sums[..., self.tangent.astype(np.intp), :]


def _wanted(kernel: SharedReadable) -> tuple[float | str, bool]:
    """Bandwidth and whether Theta is wanted; of step units, which do not learn, K is the same."""
    return kernel.bandwidth, kernel.tangent or kernel.readout == "step"
