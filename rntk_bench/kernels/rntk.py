"""The Recurrent Neural Tangent Kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from rntk_bench.errors import KernelError
from rntk_bench.kernels import loops
from rntk_bench.kernels.activations import NEAR, P_NEAR, P_WIDE, R_NEAR, R_WIDE
from rntk_bench.kernels.base import Array, Kernel, Sequences, at_least_zero, read_series


@dataclass(frozen=True)
class TimeMajor:
    """Two sets of series as (T, n padded to full vectors); `y` is None for one set."""

    x: Array
    n_x: int
    y: Array | None
    n_y: int

    @classmethod
    def of(cls, X: Sequences, Y: Sequences | None = None) -> Self:
        """Transpose the series so that one time step of all of them is contiguous."""
        x, n_x = _time_major(X)
        if Y is None:
            return cls(x, n_x, None, n_x)
        y, n_y = _time_major(Y)
        if len(x) != len(y):
            raise KernelError(
                f"RNTK: the two sets have series of {len(x)} and {len(y)} steps; "
                "this version takes one length."
            )
        return cls(x, n_x, y, n_y)


@dataclass(frozen=True)
class RNTK(Kernel):
    r"""Kernel of an infinitely wide recurrent network, Theorem 1.

        Sigma(t)  = sigma_w^2 V[Sigma(t-1)] + sigma_u^2 / m <x_t, x'_t> + sigma_b^2      (16)
        theta(t)  = Sigma(t) + sigma_w^2 V'[Sigma(t-1)] theta(t-1)
        Theta     = sigma_v^2 (V[Sigma(T)] + V'[Sigma(T)] theta(T))                      (13)

    with E[h_0 h_0'] = sigma_h^2 for a series with itself and 0 for two series, even of equal
    values, in place of V at the first step (15).

    Parameters
    ----------
    sigma_w, sigma_u, sigma_b, sigma_h, sigma_v : float, at least 0
        Standard deviations (7) of the recurrent weights, input weights, biases, first hidden
        state and readout.
    n_layers : int
        Hidden layers; 1 in this version.
    activation : str
        "relu" in this version.
    pooling : str
        "last" in this version: the readout is taken at the last step.
    direction : str
        "forward" in this version.

    Raises
    ------
    KernelError
        For a parameter outside these.
    """

    sigma_w: float = math.sqrt(2.0)
    sigma_u: float = 1.0
    sigma_b: float = 0.0
    sigma_h: float = 0.0
    sigma_v: float = 1.0
    n_layers: int = 1
    activation: str = "relu"
    pooling: str = "last"
    direction: str = "forward"

    name: ClassVar[str] = "rntk"
    uses_time: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for parameter, served in _SERVED.items():
            value = getattr(self, parameter)
            if value != served:
                raise KernelError(
                    f"RNTK: {parameter} is {value!r}, but this version computes {served!r} only."
                )
        at_least_zero(
            self,
            sigma_w=self.sigma_w,
            sigma_u=self.sigma_u,
            sigma_b=self.sigma_b,
            sigma_h=self.sigma_h,
            sigma_v=self.sigma_v,
        )

    @classmethod
    def prepare(cls, X: Sequences, Y: Sequences | None = None) -> TimeMajor:
        """Lay out the series (n, T), all of one length, for the compiled loop."""
        return TimeMajor.of(X, Y)

    def gram(self, prepared: TimeMajor) -> Array:
        """Theta, shape (n_x, n_y)."""
        unit = self._unit(prepared)
        rows, s_x, diagonal = self._walk(prepared.x, unit)
        columns, s_y, _ = (rows, s_x, None) if prepared.y is None else self._walk(prepared.y, unit)
        readout = self.sigma_v * unit
        scale_x, scale_y = readout * s_x[: prepared.n_x], readout * s_y[: prepared.n_y]
        out = np.empty((prepared.n_x, prepared.n_y))
        if not (np.isfinite(scale_x).all() and np.isfinite(scale_y).all()):
            out[:] = np.inf
            return out
        loops.rntk_gram(
            rows,
            columns,
            scale_x,
            scale_y,
            prepared.y is None,
            P_WIDE,
            R_WIDE,
            P_NEAR,
            R_NEAR,
            NEAR,
            out,
        )
        if prepared.y is None:
            np.fill_diagonal(out, self._square(scale_x) * diagonal[: prepared.n_x])
        return out

    def diag(self, X: Sequences) -> Array:
        """Theta(x, x) of every series, shape (n,), in closed form."""
        prepared = self.prepare(X)
        unit = self._unit(prepared)
        _, s, diagonal = self._walk(prepared.x, unit)
        scale = self.sigma_v * unit * s
        return self.checked((self._square(scale) * diagonal)[: prepared.n_x])

    def _walk(self, steps: Array, unit: float) -> tuple[Array, Array, Array]:
        sigmas = self.sigma_u / unit, self.sigma_b / unit, self.sigma_h / unit
        weights, s, diagonal = loops.walk(steps, self.sigma_w, *sigmas)
        return weights, s, diagonal

    @staticmethod
    def _square(scale: Array) -> Array:
        with np.errstate(over="ignore"):
            return scale * scale

    def _unit(self, prepared: TimeMajor) -> float:
        """Power of two near the largest term of (16), so that no square leaves float64's range."""
        sets = (prepared.x,) if prepared.y is None else (prepared.x, prepared.y)
        drive = max(float(np.abs(steps).max()) for steps in sets) * self.sigma_u
        largest = max(drive, self.sigma_b, self.sigma_h * self.sigma_w)
        return 2.0 ** math.frexp(largest)[1] if math.isfinite(largest) else 1.0


_SERVED = {"n_layers": 1, "activation": "relu", "pooling": "last", "direction": "forward"}


def _time_major(X: Sequences) -> tuple[Array, int]:
    values = read_series(X)
    if values.ndim == 3:
        if values.shape[2] != 1:
            raise KernelError(
                f"RNTK: the series have {values.shape[2]} dimensions; this version takes one."
            )
        values = values[:, :, 0]
    n = len(values)
    # Repeated, not zero: the loop's choice of polynomial looks at all columns.
    return np.pad(values.T, ((0, 0), (0, -n % loops.LANES)), mode="edge"), n
