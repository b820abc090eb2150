"""Whether a Gram matrix is one that a support vector machine can be trained on.

The solver meets a Gram K only through its entries and the curvatures K_ii + K_jj - 2 K_ij of its
steps, the squared distances between two series in the kernel's space. They are not negative, but
for rounding: so they show at the cost of one pass what an eigendecomposition would.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.types import FloatArray

LARGEST_ENTRY = 1e150
"""Curvatures of a Gram with larger entries could overflow; their inverses, of one with entries
below the inverse."""
RESOLUTION = 2.0**-40
"""Squared distances below this share of the largest entry are rounding: all series look alike."""
NEGATIVE = 2.0**-20
"""Share of the largest squared distance by which one may be negative: beyond it the rounding that
made it so may decide between series that differ."""

OVERFLOWS: Final = "overflows"
VANISHES: Final = "vanishes"
INDEFINITE: Final = "is indefinite by rounding"


def flaw(gram: FloatArray) -> str | None:
    """What makes a Gram unusable, as a predicate; None if it is sound.

    Parameters
    ----------
    gram : (n, n), symmetric
    """
    bounded, largest, least, most = _extremes(gram)
    if not bounded:
        return OVERFLOWS
    if largest < 1.0 / LARGEST_ENTRY or (len(gram) > 1 and most <= RESOLUTION * largest):
        return VANISHES
    return INDEFINITE if least < -NEGATIVE * most else None


@compiled
def _extremes(K: FloatArray) -> tuple[bool, float, float, float]:
    """Whether all entries are numbers below the bound, the largest magnitude, and the least and
    the largest squared distance."""
    bounded = True
    largest = 0.0
    least, most = np.inf, -np.inf
    for i in range(len(K)):
        own = K[i, i]
        for j in range(i + 1):
            magnitude = abs(K[i, j])
            bounded &= magnitude < LARGEST_ENTRY
            largest = max(largest, magnitude)
        for j in range(i):
            square = own + K[j, j] - 2.0 * K[i, j]
            least = min(least, square)
            most = max(most, square)
    return bounded, largest, least, most
