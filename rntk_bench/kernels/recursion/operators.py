"""The Gaussian operators of one pair of series, for the compiled loops."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from rntk_bench.compiling import compiled
from rntk_bench.kernels.recursion.polynomials import P_FULL, P_SMALL, R_FULL, R_SMALL, Q


class Curves(NamedTuple):
    """The polynomials of the operators of one activation.

    `kink` is the weight of the ReLU part of the operators. `start` is the u = 1 - c at which f = 0,
    the initial value of a pair without common history. `least_slope` is 4 h at c = -1.
    """

    p_small: tuple[float, ...]
    r_small: tuple[float, ...]
    p_full: tuple[float, ...]
    r_full: tuple[float, ...]
    arcsine: tuple[float, ...]
    kink: float
    start: float
    least_slope: float

    @classmethod
    def of(cls, slope: float = 0.0) -> Curves:
        """The curves of the leaky ReLU z -> max(z, slope z), 0 <= slope <= 1; ReLU has slope 0.

        With V = (1 + slope^2) sqrt(K1 K2) f and V' = (1 + slope^2) h, the operators (159), (160)
        become  f = (1 - kink) c / 2 + kink f_ReLU,  h = (1 - kink) / 2 + kink h_ReLU  where
        kink = (1 - slope)^2 / (1 + slope^2), so that f(1) = h(1) = 1/2 for every slope.
        """
        kink = (1.0 - slope) ** 2 / (1.0 + slope**2)
        p_small, r_small, p_full, r_full = (
            tuple(kink * c for c in curve) for curve in (P_SMALL, R_SMALL, P_FULL, R_FULL)
        )
        curves = cls(p_small, r_small, p_full, r_full, Q, kink, 2.0, 2.0 * (1.0 - kink))
        if slope == 0.0:
            return curves
        start = brentq(lambda u: relu_full_range(u, curves)[0] - 2.0, 1.0, 2.0, xtol=1e-16)
        return curves._replace(start=start)

    def of_step_units(self) -> Curves:
        """The same V, with the h of ReLU, whose derivative is the step function 1[z > 0]."""
        return self._replace(p_small=P_SMALL, p_full=P_FULL, least_slope=0.0)


@compiled
def sortable_bits(x: float) -> np.int64:
    """The bits of a number >= 0 as an integer that sorts like the number.

    A maximum of integers is vectorised; one of floats is not, because of NaN.
    """
    bits: np.int64 = np.float64(x).view(np.int64)
    return bits


@compiled
def polynomial(v: float, c: Any) -> float:
    """c[0] + c[1] v + c[2] v^2 + ..."""
    value: float = c[len(c) - 1]
    for k in range(len(c) - 2, -1, -1):
        value = value * v + c[k]
    return value


@compiled
def relu_small_range(u: float, curves: Any) -> tuple[float, float]:
    """4 (1/2 - f) and 4 h for u = 1 - c with 0 <= u <= SMALL_RANGE."""
    root = math.sqrt(u)
    deficit = 2.0 * u - u * root * polynomial(u, curves.r_small)
    return deficit, 2.0 - root * polynomial(u, curves.p_small)


@compiled
def relu_full_range(u: float, curves: Any) -> tuple[float, float]:
    """4 (1/2 - f) and 4 h for any u = 1 - c, 0 <= u <= 2."""
    v = max(min(u, 2.0 - u), 0.0)
    root = math.sqrt(v)
    quarter = root * polynomial(v, curves.p_full)
    deficit = 2.0 * (u - curves.kink * max(u - 1.0, 0.0)) - v * root * polynomial(v, curves.r_full)
    return deficit, curves.least_slope + quarter if u > 1.0 else 2.0 - quarter


@compiled
def arcsine(c: float, curves: Any) -> tuple[float, float]:
    """arcsin(c) and 1 / sqrt(1 - c^2) for -1 < c < 1."""
    square = c * c
    rest = (1.0 - c) * (1.0 + c)
    w = math.sqrt(rest)
    inside = square <= 0.5
    z = c if inside else w
    part = z * polynomial(square if inside else rest, curves.arcsine)
    outside = math.copysign(0.5 * math.pi - part, c)
    return part if inside else outside, 1.0 / w


@compiled
def step(g: float, distance: float, deficit: float, carried: float) -> tuple[float, float]:
    """The next u and theta of one layer, from 4 (1/2 - f) and 4 h theta; g is alpha alpha'."""
    next_u = g * deficit + distance
    return next_u, (1.0 - next_u) + g * carried
