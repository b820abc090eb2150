"""The Gaussian operators V and V' (B.5) with their partial derivatives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rntk_bench.errors import KernelError
from rntk_bench.kernels.activations import Erf, LeakyReLU, get_activation
from rntk_bench.kernels.rntk import RNTK
from rntk_bench.types import FloatArray


@dataclass(frozen=True)
class Moments:
    """Pre-activations z1 and z2 of pairs of series at one layer and step, arrays (P,).

    K1, K2 are their variances, S is their covariance. With A and B the variances, for erf plus
    1/2, c = S / sqrt(A B), `one_minus_c` is 1 - c, `one_plus_c` 1 + c, and D is sqrt(A B - S^2).
    """

    K1: FloatArray
    K2: FloatArray
    S: FloatArray
    D: FloatArray
    one_minus_c: FloatArray
    one_plus_c: FloatArray


class Operators(Protocol):
    """V and V' of one phi. The derivative of V by S is V' for every phi."""

    @property
    def offset(self) -> float:
        """A - K1."""

    def alone(self, K: FloatArray) -> FloatArray:
        """V of a pre-activation with itself."""

    def alone_slope(self, K: FloatArray) -> FloatArray:
        """Derivative of `alone`."""

    def slope(self, z: Moments) -> FloatArray:
        """V'."""

    def loss(self, z: Moments) -> FloatArray:
        """1 - rho, with rho the correlation of phi(z1) and phi(z2) without subtracting means."""

    def partials(self, z: Moments) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Derivatives of V by K1, of V' by S and of V' by K1; 0 where there is none."""


@dataclass(frozen=True)
class LeakyReLUOperators:
    """(159) and (160), for phi(z) = k z + (1 - k) relu(z)."""

    k: float
    offset: float = 0.0

    def alone(self, K: FloatArray) -> FloatArray:
        """(1 + k^2) K / 2."""
        return 0.5 * (1.0 + self.k**2) * K

    def alone_slope(self, K: FloatArray) -> FloatArray:
        """(1 + k^2) / 2."""
        return np.full_like(K, 0.5 * (1.0 + self.k**2))

    def slope(self, z: Moments) -> FloatArray:
        """V' = k + (1 - k)^2 (pi - arccos c) / (2 pi)."""
        return self.k + (1.0 - self.k) ** 2 * (0.5 - _angle(z) / (2.0 * math.pi))

    def loss(self, z: Moments) -> FloatArray:
        """With psi = arccos c, 1 - rho of ReLU is 1 - c - (sin psi - psi cos psi) / pi."""
        sine, cosine = np.sqrt(z.one_minus_c * z.one_plus_c), 0.5 * (z.one_plus_c - z.one_minus_c)
        relu = np.maximum(z.one_minus_c - (sine - _angle(z) * cosine) / math.pi, 0.0)
        return (2.0 * self.k * z.one_minus_c + (1.0 - self.k) ** 2 * relu) / (1.0 + self.k**2)

    def partials(self, z: Moments) -> tuple[FloatArray, FloatArray, FloatArray]:
        """D / (4 pi K1), 1 / (2 pi D) and -S / (4 pi K1 D), each times (1 - k)^2."""
        bend = (1.0 - self.k) ** 2 / (2.0 * math.pi)
        by_S = ratio(np.full_like(z.D, bend), z.D)
        return 0.5 * bend * ratio(z.D, z.K1), by_S, -0.5 * by_S * ratio(z.S, z.K1)


@dataclass(frozen=True)
class ErfOperators:
    """(161) and (162)."""

    offset: float = 0.5

    def alone(self, K: FloatArray) -> FloatArray:
        """2 / pi arcsin(2 K / (1 + 2 K))."""
        return np.asarray(2.0 / math.pi * np.arctan2(2.0 * K, np.sqrt(1.0 + 4.0 * K)))

    def alone_slope(self, K: FloatArray) -> FloatArray:
        """4 / (pi (1 + 2 K) sqrt(1 + 4 K))."""
        return np.asarray(4.0 / (math.pi * (1.0 + 2.0 * K) * np.sqrt(1.0 + 4.0 * K)))

    def slope(self, z: Moments) -> FloatArray:
        """V' = 2 / (pi D)."""
        return 2.0 / (math.pi * z.D)

    def loss(self, z: Moments) -> FloatArray:
        """V = 2 / pi arcsin c, over the roots of both `alone`."""
        V = 2.0 / math.pi * np.arctan2(z.S, z.D)
        return 1.0 - ratio(V, np.sqrt(self.alone(z.K1) * self.alone(z.K2)))

    def partials(self, z: Moments) -> tuple[FloatArray, FloatArray, FloatArray]:
        """-S / (pi A D), 2 S / (pi D^3) and -B / (pi D^3)."""
        A, B, cube = z.K1 + self.offset, z.K2 + self.offset, math.pi * z.D**3
        return -z.S / (math.pi * A * z.D), 2.0 * z.S / cube, -B / cube


def operators(kernel: RNTK) -> Operators:
    """Return the operators of the kernel's activation.

    Raises
    ------
    KernelError
        If it is not relu, leaky_relu or erf, or the readout is shared between the steps.
    """
    if kernel.pooling == "shared":
        raise KernelError(
            "The derivative of the RNTK is not available for pooling='shared'; choose another."
        )
    match get_activation(kernel.activation):
        case LeakyReLU(slope):
            return LeakyReLUOperators(slope)
        case Erf():
            return ErfOperators()
    raise KernelError(
        "The derivative of the RNTK is available only for relu, leaky_relu and erf, "
        f"not for {kernel.activation!r}."
    )


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """The quotient of two arrays that broadcast to the first's shape, 0 where the second is 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0.0)


def _angle(z: Moments) -> FloatArray:
    """arccos c."""
    return np.asarray(2.0 * np.arctan2(np.sqrt(z.one_minus_c), np.sqrt(z.one_plus_c)))
