"""The activation functions phi, by name or as a callable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr

from rntk_bench.errors import KernelError, short_repr
from rntk_bench.kernels.parameters import at_least_zero
from rntk_bench.types import FloatArray

Function = Callable[[FloatArray], FloatArray]

DISTANCE: Final = 4e-3
"""Step size of finite differences: rounding and truncation errors are then both about 1e-13."""
LEAK: Final = 0.01
"""Slope of "leaky_relu" for negative values, as in the common deep-learning libraries."""


@dataclass(frozen=True)
class LeakyReLU:
    """phi(z) = max(z, slope z), 0 <= slope <= 1; ReLU has slope 0. Closed form."""

    slope: float = 0.0

    def __post_init__(self) -> None:
        at_least_zero(self, slope=self.slope)
        if self.slope > 1.0:
            raise KernelError(f"LeakyReLU: slope is {self.slope}, but must be from 0 to 1.")


@dataclass(frozen=True)
class Erf:
    """phi(z) = erf(z). Closed form."""


@dataclass(frozen=True)
class Smooth:
    """Any other phi; the kernel is computed by its Hermite series, see `recursion/smooth.py`.

    Parameters
    ----------
    phi : callable
        Function of an array of any shape that returns an array of the same shape.
    derivative : callable, optional
        The derivative of phi; by default a seven-point finite difference.
    """

    phi: Function
    derivative: Function | None = None

    def __post_init__(self) -> None:
        for name, function in (("phi", self.phi), ("derivative", self.derivative)):
            if not callable(function) and (name == "phi" or function is not None):
                raise KernelError(
                    f"Smooth: {name} is {short_repr(function)}, but must be a function of arrays."
                )

    def slope(self, z: FloatArray, distance: float = DISTANCE) -> FloatArray:
        """phi'(z); a finite difference has the step size `distance`."""
        return _difference(self.phi, z, distance) if self.derivative is None else self.derivative(z)

    def curvature(self, z: FloatArray) -> FloatArray:
        """phi''(z)."""
        return _difference(self.slope, z)


Activation = LeakyReLU | Erf | Smooth


def _gelu_slope(z: FloatArray) -> FloatArray:
    return np.asarray(ndtr(z) + z * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))


ACTIVATIONS: Final[dict[str, Activation]] = {
    "relu": LeakyReLU(0.0),
    "leaky_relu": LeakyReLU(LEAK),
    "erf": Erf(),
    "tanh": Smooth(np.tanh, lambda z: 1.0 - np.tanh(z) ** 2),
    "gelu": Smooth(lambda z: np.asarray(z * ndtr(z)), _gelu_slope),
    "sin": Smooth(np.sin, np.cos),
}


def get_activation(activation: str | Function | Activation) -> Activation:
    """Return the activation with this name, or wrap a function as one.

    Raises
    ------
    KernelError
        For an unknown name, or something that is not a function of arrays.
    """
    if isinstance(activation, LeakyReLU | Erf | Smooth):
        return activation
    if isinstance(activation, str) and activation in ACTIVATIONS:
        return ACTIVATIONS[activation]
    if callable(activation):
        return Smooth(activation)
    raise KernelError(
        f"RNTK: activation is {short_repr(activation)}, but must be one of "
        f"{', '.join(ACTIVATIONS)}, or a function of arrays."
    )


def _difference(function: Function, z: FloatArray, distance: float = DISTANCE) -> FloatArray:
    first, second, third = (
        function(z + k * distance) - function(z - k * distance) for k in (1, 2, 3)
    )
    return np.asarray((45.0 * first - 9.0 * second + third) / (60.0 * distance))
