"""The nonlinearities phi, by name or as a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr

from rntk_bench.errors import KernelError, short_repr
from rntk_bench.kernels.parameters import at_least_zero
from rntk_bench.kernels.series import Array

Function = Callable[[Array], Array]

DISTANCE: Final = 4e-3
"""Of the points of a difference: errors by rounding and by truncation are then alike, 1e-13."""
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
    """Any other phi, through its Hermite series, see `smooth.py`.

    Parameters
    ----------
    phi : callable
        Takes and returns an array of any shape.
    derivative : callable, optional
        Of phi; by default a seven-point difference of it.
    """

    phi: Function
    derivative: Function | None = None

    def __post_init__(self) -> None:
        for name, function in (("phi", self.phi), ("derivative", self.derivative)):
            if not callable(function) and (name == "phi" or function is not None):
                raise KernelError(
                    f"Smooth: {name} is {short_repr(function)}, but must be a function of arrays."
                )

    def slope(self, z: Array, distance: float = DISTANCE) -> Array:
        """phi'(z); where it is a difference, of points that are multiples of `distance` apart."""
        return _difference(self.phi, z, distance) if self.derivative is None else self.derivative(z)

    def curvature(self, z: Array) -> Array:
        """phi''(z)."""
        return _difference(self.slope, z)


Activation = LeakyReLU | Erf | Smooth


def _gelu_slope(z: Array) -> Array:
    return np.asarray(ndtr(z) + z * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))


ACTIVATIONS: Final[dict[str, Activation]] = {
    "relu": LeakyReLU(0.0),
    "leaky_relu": LeakyReLU(LEAK),
    "erf": Erf(),
    "tanh": Smooth(np.tanh, lambda z: 1.0 - np.tanh(z) ** 2),
    "gelu": Smooth(lambda z: np.asarray(z * ndtr(z)), _gelu_slope),
    "sin": Smooth(np.sin, np.cos),
}


def activation(given: str | Function | Activation) -> Activation:
    """The nonlinearity of that name, or made of that function.

    Raises
    ------
    KernelError
        For an unknown name, or something that is not a function of arrays.
    """
    if isinstance(given, LeakyReLU | Erf | Smooth):
        return given
    if isinstance(given, str) and given in ACTIVATIONS:
        return ACTIVATIONS[given]
    if callable(given):
        return Smooth(given)
    raise KernelError(
        f"RNTK: activation is {short_repr(given)}, but must be one of {', '.join(ACTIVATIONS)}, "
        "or a function of arrays."
    )


def _difference(function: Function, z: Array, distance: float = DISTANCE) -> Array:
    near, middle, far = (function(z + k * distance) - function(z - k * distance) for k in (1, 2, 3))
    return np.asarray((45.0 * near - 9.0 * middle + far) / (60.0 * distance))
