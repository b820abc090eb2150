"""Exact derivatives of the kernels with respect to their parameters, for Gaussian processes.

Those of the RNTK are computed by forward-mode differentiation of the recursion in `rntk.py`,
vectorised over pairs of series: every variance, covariance and theta carries its derivatives along
p directions. The values and the partial derivatives of V and V' are those of `operators.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from itertools import combinations_with_replacement
from typing import Self

import numpy as np

from rntk_bench.errors import KernelError
from rntk_bench.kernels.base import Kernel
from rntk_bench.kernels.gradients.inputs import PairMoments, SelfMoments
from rntk_bench.kernels.gradients.operators import Operators, operators
from rntk_bench.kernels.ntk import NTK
from rntk_bench.kernels.polynomial import Polynomial
from rntk_bench.kernels.rbf import RBF
from rntk_bench.kernels.rntk import BOTH, RNTK
from rntk_bench.kernels.series import Sequences, read_sequences
from rntk_bench.types import FloatArray, IntArray

BLOCK = 2**20
"""Maximal number of derivatives of variances, over all layers and steps, in memory at a time."""


@singledispatch
def parameter_gradient(kernel: Kernel, X: Sequences, names: Sequence[str]) -> FloatArray:
    """Derivatives of `kernel(X)` with respect to some of its parameters.

    Parameters
    ----------
    kernel : Kernel
        An RNTK or NNGP with ReLU, leaky ReLU or erf, an NTK, RBF, or Polynomial.
    X : n series
    names : names of parameters that may be any number > 0

    Returns
    -------
    ndarray of shape (n, n, p), where p is the number of parameters; a parameter with one value
    per layer counts as that many

    Raises
    ------
    KernelError
        For other kernels and parameters, or if a derivative leaves the range of float64.
    """
    del X
    raise KernelError(
        f"The derivative of {kernel} by {', '.join(names)} is not available; leave these out."
    )


@parameter_gradient.register
def _(kernel: RBF, X: Sequences, names: Sequence[str]) -> FloatArray:
    _check_names(kernel, names, "alpha")
    prepared = kernel.prepare(X)
    by_alpha = -prepared.square_distance * kernel.gram(prepared)
    return np.repeat(by_alpha[..., None], len(names), axis=2)


@parameter_gradient.register
def _(kernel: Polynomial, X: Sequences, names: Sequence[str]) -> FloatArray:
    _check_names(kernel, names, "r")
    with np.errstate(over="ignore"):
        by_r = kernel.degree * (kernel.r + kernel.prepare(X).inner) ** (kernel.degree - 1)
    return np.repeat(kernel.check_finite(by_r)[..., None], len(names), axis=2)


@parameter_gradient.register
def _(kernel: NTK, X: Sequences, names: Sequence[str]) -> FloatArray:
    """The NTK is the RNTK of one step, whose input weights are the NTK's weights."""
    _check_names(kernel, names, "sigma_w", "sigma_b", "sigma_v")
    one_step = RNTK(
        sigma_u=kernel.sigma_w,
        sigma_b=kernel.sigma_b,
        sigma_v=kernel.sigma_v,
        n_layers=kernel.n_layers,
    )
    renamed = ["sigma_u" if name == "sigma_w" else name for name in names]
    return parameter_gradient(one_step, kernel.prepare(X).x[:, None], renamed)


@parameter_gradient.register
def _(kernel: RNTK, X: Sequences, names: Sequence[str]) -> FloatArray:
    _check_names(kernel, names, "sigma_w", "sigma_u", "sigma_b", "sigma_h", "sigma_v")
    phi, directions, series = operators(kernel), _Directions.of(kernel, names), read_sequences(X)
    gradient = np.zeros((len(series), len(series), len(directions.v)))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for direction in BOTH.get(kernel.direction, (kernel.direction,)):
            oriented = series if direction == "forward" else [x[::-1] for x in series]
            _add_gradient(kernel, phi, directions, oriented, gradient)
    return kernel.check_finite(gradient)


def _check_names(kernel: Kernel, names: Sequence[str], *known: str) -> None:
    for name in names:
        if name not in known:
            raise KernelError(
                f"The derivative of {type(kernel).__name__} is available only for "
                f"{', '.join(known)}, not for {name}."
            )


@dataclass(frozen=True)
class _Directions:
    """Derivatives of the parameters along p directions: w, u, b (p, L), h and v (p,)."""

    w: FloatArray
    u: FloatArray
    b: FloatArray
    h: FloatArray
    v: FloatArray

    @classmethod
    def of(cls, kernel: RNTK, names: Sequence[str]) -> Self:
        """One direction per parameter, or per layer of a parameter with one value per layer."""
        L = kernel.n_layers
        rows = []
        for name in names:
            row = "wubhv".index(name[-1])
            entries = np.zeros((5, L))
            if isinstance(getattr(kernel, name), int | float):
                entries[row] = 1.0
                rows.append(entries)
                continue
            for k in range(L):
                layer = entries.copy()
                layer[row, k] = 1.0
                rows.append(layer)
        w, u, b, h, v = np.array(rows).reshape(len(rows), 5, L).swapaxes(0, 1)
        return cls(w, u, b, h[:, 0], v[:, 0])


@dataclass(frozen=True)
class _Recursion:
    """The derivatives of the recursion (116) and (141) along the directions."""

    kernel: RNTK
    directions: _Directions

    def carry(
        self,
        k: int,
        before: FloatArray,
        d_before: FloatArray,
        below: FloatArray,
        d_below: FloatArray,
    ) -> FloatArray:
        """Derivatives (p, P) of w^2 before + u^2 below at layer k, from values and derivatives."""
        w, u = (self.kernel.per_layer(name)[k] for name in ("sigma_w", "sigma_u"))
        recurrent = w**2 * d_before + 2.0 * w * self.directions.w[:, k, None] * before
        return np.asarray(
            recurrent + u**2 * d_below + 2.0 * u * self.directions.u[:, k, None] * below
        )

    def bias(self, k: int) -> FloatArray:
        """Derivatives (p, 1) of b^2."""
        return np.asarray(2.0 * self.kernel.per_layer("sigma_b")[k] * self.directions.b[:, k, None])

    def first(self) -> FloatArray:
        """Derivatives (p, 1) of h^2."""
        return 2.0 * self.kernel.sigma_h * self.directions.h[:, None]

    def alone(self, x: FloatArray, K: FloatArray, phi: Operators) -> FloatArray:
        """Derivatives (L, T, p, n) of the variances K (L, T, n) of the series x (T, m, n)."""
        L, T, n = K.shape
        p = len(self.directions.v)
        derivatives = np.empty((L, T, p, n))
        inputs, none = np.square(x).mean(axis=1), np.zeros((p, n))
        for t in range(T):
            below, d_below = inputs[t], none
            for k in range(L):
                before, d_before = np.full(n, self.kernel.sigma_h**2), self.first() + none
                if t:
                    before = phi.alone(K[k, t - 1])
                    d_before = phi.alone_slope(K[k, t - 1]) * derivatives[k, t - 1]
                derivatives[k, t] = self.carry(k, before, d_before, below, d_below) + self.bias(k)
                below, d_below = phi.alone(K[k, t]), phi.alone_slope(K[k, t]) * derivatives[k, t]
        return derivatives

    def together(self, x: _Set, y: _Set, phi: Operators, readout: FloatArray) -> FloatArray:
        """Derivatives (p, P) of Theta of P pairs at their T common steps.

        `readout` (T,) is the factor of V and V' theta without sigma_v^2.
        """
        (L, T, p, P), kernel = x.variation.shape, self.kernel
        same = x.positions == y.positions
        w, u = (kernel.per_layer(name) for name in ("sigma_w", "sigma_u"))
        pairs = PairMoments.of(x.alone, y.alone, w, u, phi, same)
        products, none = (x.x * y.x).mean(axis=1), np.zeros((p, P))
        first, d_first = kernel.sigma_h**2 * same, self.first() * same
        V, d_V = np.repeat([first], L, axis=0), np.repeat([d_first], L, axis=0)
        C, d_C = np.zeros((L, P)), np.zeros((L, p, P))  # V' theta
        total, d_total = np.zeros(P), np.zeros((p, P))
        for t in range(T):
            for k in range(L):
                z, theta, slope = pairs.moments[k][t], pairs.theta[k, t], pairs.slope[k, t]
                below = (V[k - 1], d_V[k - 1]) if k else (products[t], none)
                d_S = self.carry(k, V[k], d_V[k], *below) + self.bias(k)
                tangent_below = (C[k - 1], d_C[k - 1]) if k else (np.zeros(P), none)
                d_theta = d_S + self.carry(k, C[k], d_C[k], *tangent_below)
                V_K1, slope_S, slope_K1 = phi.partials(z)
                V_K2, _, slope_K2 = phi.partials(replace(z, K1=z.K2, K2=z.K1))
                d_slope = (
                    slope_S * d_S + slope_K1 * x.variation[k, t] + slope_K2 * y.variation[k, t]
                )
                V[k] = (1.0 - phi.loss(z)) * np.sqrt(phi.alone(z.K1) * phi.alone(z.K2))
                d_V[k] = V_K1 * x.variation[k, t] + V_K2 * y.variation[k, t] + slope * d_S
                C[k], d_C[k] = slope * theta, d_slope * theta + slope * d_theta
            total += readout[t] * (V[-1] + kernel.tangent * C[-1])
            d_total += readout[t] * (d_V[-1] + kernel.tangent * d_C[-1])
        v = kernel.sigma_v
        return np.asarray(v**2 * d_total + 2.0 * v * self.directions.v[:, None] * total)


@dataclass(frozen=True)
class _Set:
    """Series x (T, m, n) of the same length, their positions, and their moments.

    `variation` (L, T, p, n) are the derivatives of the variances.
    """

    positions: IntArray
    x: FloatArray
    alone: SelfMoments
    variation: FloatArray

    @classmethod
    def of(
        cls, recursion: _Recursion, phi: Operators, series: Sequence[FloatArray], T: int
    ) -> Self:
        """Collect the series of length T."""
        kernel = recursion.kernel
        positions = np.flatnonzero([len(x) == T for x in series])
        x = np.stack([series[int(i)] for i in positions], axis=-1)
        w, u, b = (kernel.per_layer(name) for name in ("sigma_w", "sigma_u", "sigma_b"))
        alone = SelfMoments.of(x, w, u, b, kernel.sigma_h, phi)
        return cls(positions, x, alone, recursion.alone(x, alone.K, phi))

    def last(self, steps: int) -> Self:
        """Select the last steps."""
        cut = self.x[-steps:], self.alone.last(steps), self.variation[:, -steps:]
        return type(self)(self.positions, *cut)

    def take(self, columns: IntArray) -> Self:
        """Select some of the series, in this order."""
        entries = self.positions[columns], self.x[..., columns]
        return type(self)(*entries, self.alone.take(columns), self.variation[..., columns])


def _add_gradient(
    kernel: RNTK,
    phi: Operators,
    directions: _Directions,
    series: Sequence[FloatArray],
    gradient: FloatArray,
) -> None:
    """Add the derivatives of one direction of time, length by length."""
    recursion = _Recursion(kernel, directions)
    lengths = sorted({len(x) for x in series})
    sets = [_Set.of(recursion, phi, series, T) for T in lengths]
    for one, other in combinations_with_replacement(sets, 2):
        T, n, n_other = len(one.x), len(one.positions), len(other.positions)  # T is the shorter
        readout = np.zeros(T)
        readout[-1] = 1.0
        if kernel.pooling == "average":
            readout[:] = 1.0 / math.sqrt(T * len(other.x))
        pairs = np.triu_indices(n) if one is other else np.indices((n, n_other)).reshape(2, -1)
        size = max(1, BLOCK // (kernel.n_layers * T * len(directions.v)))
        for start in range(0, len(pairs[0]), size):
            rows, columns = (positions[start : start + size] for positions in pairs)
            x, y = one.take(rows), other.last(T).take(columns)
            derivatives = recursion.together(x, y, phi, readout).T
            gradient[x.positions, y.positions] += derivatives
            off_diagonal = x.positions != y.positions
            gradient[y.positions[off_diagonal], x.positions[off_diagonal]] += derivatives[
                off_diagonal
            ]
