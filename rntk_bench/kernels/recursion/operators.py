"""The Gaussian operators of one pair, as the compiled loops call them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from rntk_bench.compiling import compiled
from rntk_bench.kernels.recursion.polynomials import P_NEAR, P_WIDE, R_NEAR, R_WIDE, Q


class Curves(NamedTuple):
    """The polynomials of one activation.

    `kink` is the share of |z| in it, `begin` the gap where f = 0: from there a pair starts that
    has no common past; `least_slope` is 4 h at c = -1.
    """

    near_p: tuple[float, ...]
    near_r: tuple[float, ...]
    wide_p: tuple[float, ...]
    wide_r: tuple[float, ...]
    arcsine: tuple[float, ...]
    kink: float
    begin: float
    least_slope: float

    @classmethod
    def of(cls, slope: float = 0.0) -> Curves:
        """Of the leaky ReLU z -> max(z, slope z), 0 <= slope <= 1; ReLU has slope 0.

        With V = (1 + slope^2) sqrt(K1 K2) f and V' = (1 + slope^2) h, the operators (159), (160)
        become  f = (1 - kink) c / 2 + kink f_ReLU,  h = (1 - kink) / 2 + kink h_ReLU  where
        kink = (1 - slope)^2 / (1 + slope^2), so that f(1) = h(1) = 1/2 for every slope.
        """
        kink = (1.0 - slope) ** 2 / (1.0 + slope**2)
        near_p, near_r, wide_p, wide_r = (
            tuple(kink * c for c in curve) for curve in (P_NEAR, R_NEAR, P_WIDE, R_WIDE)
        )
        curves = cls(near_p, near_r, wide_p, wide_r, Q, kink, 2.0, 2.0 * (1.0 - kink))
        if slope == 0.0:
            return curves
        begin = brentq(lambda u: wide(u, curves)[0] - 2.0, 1.0, 2.0, xtol=1e-16)
        return curves._replace(begin=begin)

    def of_step_units(self) -> Curves:
        """The same V, and h of ReLU, whose derivative is the step 1[z > 0]."""
        return self._replace(near_p=P_NEAR, wide_p=P_WIDE, least_slope=0.0)


@compiled
def in_order(gap: float) -> np.int64:
    """The bits of a number >= 0 as an integer, which is in the same order as the number.

    A maximum of integers vectorises, one of floats (with its NaNs) does not.
    """
    bits: np.int64 = np.float64(gap).view(np.int64)
    return bits


@compiled
def polynomial(v: float, c: Any) -> float:
    """c[0] + c[1] v + c[2] v^2 + ..."""
    value: float = c[len(c) - 1]
    for k in range(len(c) - 2, -1, -1):
        value = value * v + c[k]
    return value


@compiled
def near(u: float, curves: Any) -> tuple[float, float]:
    """4 (1/2 - f) and 4 h for a gap 0 <= u <= NEAR."""
    root = math.sqrt(u)
    lack = 2.0 * u - u * root * polynomial(u, curves.near_r)
    return lack, 2.0 - root * polynomial(u, curves.near_p)


@compiled
def wide(u: float, curves: Any) -> tuple[float, float]:
    """4 (1/2 - f) and 4 h for any gap 0 <= u <= 2."""
    v = max(min(u, 2.0 - u), 0.0)
    root = math.sqrt(v)
    quarter = root * polynomial(v, curves.wide_p)
    lack = 2.0 * (u - curves.kink * max(u - 1.0, 0.0)) - v * root * polynomial(v, curves.wide_r)
    return lack, curves.least_slope + quarter if u > 1.0 else 2.0 - quarter


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
def step(g: float, distance: float, lack: float, carried: float) -> tuple[float, float]:
    """The next gap and theta of one layer, from 4 (1/2 - f) and 4 h theta; g is alpha alpha'."""
    gap = g * lack + distance
    return gap, (1.0 - gap) + g * carried
