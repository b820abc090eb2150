"""Exact derivative of the RNTK of two series with respect to the first, for the sensitivity (23).

It is computed by reverse-mode differentiation of the recursion in `rntk.py`, vectorised over pairs
of series. With K1 and K2 the variances of the two pre-activations and S their covariance at one
layer and step, Theta depends on x through K1, S and theta. Each layer and step propagates the
derivatives with respect to these to the previous step and the layer below.

For ReLU, V' has a singular derivative at c = S / sqrt(K1 K2) = 1 and -1, and K1 K2 - S^2 would
lose its digits near there. It is K1 K2 (1 - c) (1 + c), and both factors are sums without
cancellation: a pre-activation is a sum of independent parts (hidden state, bias, inputs), which
make up the proportions v, |v| = 1, of its standard deviation. With rho the correlation of a part
of x with the same part of x',

    1 - c = sum (v - v')^2 / 2 + v v' (1 - rho),    1 + c = sum (v + v')^2 / 2 - v v' (1 - rho).

For erf, K1 + 1/2 and K2 + 1/2 take the place of K1 and K2: the halves are parts that are
independent for any two series.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from rntk_bench.errors import KernelError
from rntk_bench.kernels.gradients.operators import Moments, Operators, operators, ratio
from rntk_bench.kernels.rntk import RNTK
from rntk_bench.kernels.series import Sequences, read_series
from rntk_bench.types import BoolArray, FloatArray, IntArray

BLOCK = 2**18
"""Maximal number of steps of pairs, over all layers, in memory at a time."""


def input_gradient(kernel: RNTK, X: Sequences, Y: Sequences) -> FloatArray:
    """Derivative of Theta(x_p, y_p) with respect to x_p, for pairs p of different series.

    Where Theta is not differentiable (a pre-activation has variance 0, or c is 1 or -1), the terms
    without a derivative are set to 0.

    Parameters
    ----------
    kernel : RNTK
        With ReLU, leaky ReLU or erf; for an NNGP the derivative of K is computed.
    X, Y : array of shape (P, T) or (P, T, m)
        P pairs. The series in Y may have another length; pairs are aligned at their ends.

    Returns
    -------
    ndarray of the shape of X

    Raises
    ------
    KernelError
        For other activations, sets that do not match, or derivatives outside the range of float64.
    """
    phi = operators(kernel)
    x, y = _time_major(X), _time_major(Y)
    if x.shape[1:] != y.shape[1:]:
        (m, P), (m_y, P_y) = x.shape[1:], y.shape[1:]
        raise KernelError(
            f"{P} series of {m} dimensions do not match {P_y} of {m_y}; both sets must have the "
            "same number of series and of dimensions."
        )
    gradient = np.zeros_like(x)
    size = max(1, BLOCK // (kernel.n_layers * max(len(x), len(y))))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for first in range(0, x.shape[2], size):
            block = np.s_[..., first : first + size]
            if kernel.direction != "backward":
                gradient[block] += _gradient(kernel, phi, x[block], y[block])
            if kernel.direction != "forward":
                gradient[block] += _gradient(kernel, phi, x[::-1][block], y[::-1][block])[::-1]
    by_series = np.moveaxis(gradient, -1, 0)
    return kernel.check_finite(by_series.reshape(*by_series.shape[:2], *np.asarray(X).shape[2:]))


def _time_major(X: Sequences) -> FloatArray:
    """Convert series to shape (T, m, P)."""
    return np.moveaxis(read_series(X), 0, -1)


def _gradient(kernel: RNTK, phi: Operators, x: FloatArray, y: FloatArray) -> FloatArray:
    """Derivatives (T, m, P) for x (T, m, P) and y (T', m, P)."""
    w, u, b = (kernel.per_layer(name) for name in ("sigma_w", "sigma_u", "sigma_b"))
    common = min(len(x), len(y))
    readout = np.zeros(common)
    if kernel.pooling == "average":
        readout[:] = kernel.sigma_v**2 / math.sqrt(len(x) * len(y))
    else:
        readout[-1] = kernel.sigma_v**2
    alone = SelfMoments.of(x, w, u, b, kernel.sigma_h, phi)
    other = SelfMoments.of(y, w, u, b, kernel.sigma_h, phi)
    together = PairMoments.of(alone.last(common), other.last(common), w, u, phi)
    to_product, to_K = together.backward(w, u, readout, kernel.tangent, phi)
    gradient = 2.0 * x * alone.backward(to_K, w, u, phi)[:, None]
    gradient[len(x) - common :] += y[len(y) - common :] * to_product[:, None]
    return np.asarray(gradient / x.shape[1])


@dataclass(frozen=True)
class SelfMoments:
    """The variances of each series.

    K (L, T, P) is Sigma(l,t,t)(x, x); `parts`, one array (T, k, P) per layer, holds the standard
    deviations of its independent parts: the hidden state, the bias, and the layer below or the m
    inputs (with their sign).
    """

    K: FloatArray
    parts: list[FloatArray]

    @classmethod
    def of(
        cls, x: FloatArray, w: FloatArray, u: FloatArray, b: FloatArray, h: float, phi: Operators
    ) -> Self:
        """Apply the recursion to the series (T, m, P)."""
        (T, m, P), L = x.shape, len(w)
        K, parts, below = np.empty((L, T, P)), [], x / math.sqrt(m)
        for k in range(L):
            part = np.empty((T, 2 + below.shape[1], P))
            part[:, 1], part[:, 2:] = b[k], u[k] * below
            hidden, below = np.full(P, h), np.empty((T, 1, P))
            for t in range(T):
                part[t, 0] = w[k] * hidden
                K[k, t] = np.square(part[t]).sum(axis=0)
                hidden = below[t, 0] = np.sqrt(phi.alone(K[k, t]))
            parts.append(part)
        return cls(K, parts)

    def last(self, steps: int) -> Self:
        """Select the last steps."""
        return type(self)(self.K[:, -steps:], [part[-steps:] for part in self.parts])

    def take(self, positions: IntArray) -> Self:
        """Select some of the series, in this order."""
        return type(self)(self.K[..., positions], [part[..., positions] for part in self.parts])

    def proportions(self, offset: float) -> list[FloatArray]:
        """The parts divided by sqrt(K + offset)."""
        return [
            ratio(part, np.sqrt(K + offset)[:, None])
            for part, K in zip(self.parts, self.K, strict=True)
        ]

    def backward(
        self, to_K: FloatArray, w: FloatArray, u: FloatArray, phi: Operators
    ) -> FloatArray:
        """Derivative of Theta by |x_t|^2 / m, shape (T, P).

        `to_K` is that by K of the last steps, but for what goes through `phi.alone`.
        """
        L, T, P = self.K.shape
        total = np.zeros((L + 1, T + 1, P))  # zeros beyond the last layer and step
        total[:L, T - to_K.shape[1] : T] = to_K
        up = np.append(u[1:], 0.0)
        for t in reversed(range(T)):
            for k in reversed(range(L)):
                to_alone = w[k] ** 2 * total[k, t + 1] + up[k] ** 2 * total[k + 1, t]
                total[k, t] += phi.alone_slope(self.K[k, t]) * to_alone
        return np.asarray(u[0] ** 2 * total[0, :T])


@dataclass(frozen=True)
class PairMoments:
    """Pairs at their common steps: `moments[k][t]`, and V' and theta, (L, T, P)."""

    moments: list[list[Moments]]
    slope: FloatArray
    theta: FloatArray

    @classmethod
    def of(
        cls,
        x: SelfMoments,
        y: SelfMoments,
        w: FloatArray,
        u: FloatArray,
        phi: Operators,
        same: BoolArray | None = None,
    ) -> Self:
        """Apply the recursion to the pairs; `same` (P,) marks pairs of a series with itself."""
        L, T, P = x.K.shape
        v, v_y = x.proportions(phi.offset), y.proportions(phi.offset)
        moments: list[list[Moments]] = [[] for _ in range(L)]
        slope, theta = np.empty((2, L, T, P))
        loss = np.ones((L, P))  # 1 - rho of the hidden states, which begin independent
        if same is not None:
            loss[:, same] = 0.0
        carried = np.zeros((L, P))  # V' theta of the step before
        for t in range(T):
            for k in range(L):
                losses = np.zeros_like(v[k][t])
                losses[0] = loss[k]
                tangent = w[k] ** 2 * carried[k]
                if k:
                    losses[2] = loss[k - 1]
                    tangent += u[k] ** 2 * carried[k - 1]
                z = _moments(x.K[k, t], y.K[k, t], v[k][t], v_y[k][t], losses, phi.offset)
                moments[k].append(z)
                slope[k, t], loss[k] = phi.slope(z), phi.loss(z)
                theta[k, t] = z.S + tangent
                carried[k] = slope[k, t] * theta[k, t]
        return cls(moments, slope, theta)

    def backward(
        self, w: FloatArray, u: FloatArray, readout: FloatArray, tangent: bool, phi: Operators
    ) -> tuple[FloatArray, FloatArray]:
        """Derivatives by <x_t, x'_t> / m, (T, P), and by K1 but for `phi.alone`, (L, T, P).

        `readout` (T,) is the factor of V, and of V' theta if `tangent`, of the last layer.
        """
        L, T, P = self.theta.shape
        to_product, to_K = np.empty((T, P)), np.empty((L, T, P))
        to_S, to_theta = np.zeros((2, L, P))  # of the step after, theta's part of S in to_S
        for t in reversed(range(T)):
            above_S, above_theta = readout[t], readout[t] * tangent
            for k in reversed(range(L)):
                slope, theta = self.slope[k, t], self.theta[k, t]
                V_K, slope_S, slope_K = phi.partials(self.moments[k][t])
                to_V = w[k] ** 2 * to_S[k] + above_S
                to_carried = w[k] ** 2 * to_theta[k] + above_theta
                to_theta[k] = to_carried * slope
                to_S[k] = to_V * slope + to_carried * theta * slope_S + to_theta[k]
                to_K[k, t] = to_V * V_K + to_carried * theta * slope_K
                above_S, above_theta = u[k] ** 2 * to_S[k], u[k] ** 2 * to_theta[k]
            to_product[t] = above_S
        return to_product, to_K


def _moments(
    K1: FloatArray,
    K2: FloatArray,
    v: FloatArray,
    v_y: FloatArray,
    losses: FloatArray,
    offset: float,
) -> Moments:
    """From the variances (P,), the proportions v and v' and 1 - rho of the parts, each (k, P)."""
    A, B = K1 + offset, K2 + offset
    scale = np.sqrt(A) * np.sqrt(B)
    product = v * v_y
    lost = product * losses
    unshared = 0.5 * (offset / A + offset / B) if offset else 0.0
    one_minus_c = (0.5 * (v - v_y) ** 2 + lost).sum(axis=0) + unshared
    one_plus_c = (0.5 * (v + v_y) ** 2 - lost).sum(axis=0) + unshared
    S = scale * (product - lost).sum(axis=0)
    return Moments(K1, K2, S, scale * np.sqrt(one_minus_c * one_plus_c), one_minus_c, one_plus_c)
