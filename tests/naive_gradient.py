"""The derivative of Theta by differences of the naive kernel, whose 40 digits leave no rounding."""

import numpy as np

from tests import naive

STEP = 2.0**-16
GRID = 2.0**-24
"""Series on this grid move by multiples of STEP without rounding."""
STENCIL = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
"""Central difference of sixth order."""


def on_grid(values):
    return np.round(np.asarray(values) / GRID) * GRID


def input_gradient(x, y, **parameters):
    """d Theta(x, y) / dx, of the shape of x."""
    gradient = np.empty(x.shape)
    for index in np.ndindex(*x.shape):
        total = 0
        for k, weight in STENCIL.items():
            for sign in (1, -1):
                moved = x.copy()
                moved[index] += sign * k * STEP
                total += sign * weight * naive.rntk(moved, y, False, **parameters)
        gradient[index] = float(total) / STEP
    return gradient
