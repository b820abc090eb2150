"""Checks whether a support vector machine can be trained on a Gram matrix.

The solver uses a Gram K only through its entries and the curvatures K_ii + K_jj - 2 K_ij, which
are squared distances between two series in the feature space and so, except for rounding, not
negative. One pass over them therefore finds what an eigendecomposition would find at a higher cost.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.types import FloatArray

LARGEST_ENTRY = 1e150
"""With larger entries curvatures could overflow; with all entries below 1 / LARGEST_ENTRY their
inverses could."""
RESOLUTION = 2.0**-40
"""Squared distances below this fraction of the largest entry are rounding errors: all series are
equal within rounding."""
NEGATIVE = 2.0**-20
"""The most negative squared distance that is accepted, as a fraction of the largest. Beyond it,
rounding errors may be as large as the differences between the series."""

OVERFLOWS: Final = "overflows"
VANISHES: Final = "vanishes"
INDEFINITE: Final = "is indefinite by rounding"


def invalid_reason(gram: FloatArray) -> str | None:
    """Return why a Gram is unusable, worded to follow "the Gram"; None if it is usable.

    Parameters
    ----------
    gram : (n, n), symmetric
    """
    bounded, largest, min_square, max_square = _extremes(gram)
    if not bounded:
        return OVERFLOWS
    if largest < 1.0 / LARGEST_ENTRY or (len(gram) > 1 and max_square <= RESOLUTION * largest):
        return VANISHES
    return INDEFINITE if min_square < -NEGATIVE * max_square else None


@compiled
def _extremes(K: FloatArray) -> tuple[bool, float, float, float]:
    """Extremes of a Gram.

    Returns whether all entries are numbers below `LARGEST_ENTRY` in magnitude, the largest
    magnitude, and the smallest and largest squared distance.
    """
    bounded = True
    largest = 0.0
    min_square, max_square = np.inf, -np.inf
    for i in range(len(K)):
        diagonal = K[i, i]
        for j in range(i + 1):
            magnitude = abs(K[i, j])
            bounded &= magnitude < LARGEST_ENTRY
            largest = max(largest, magnitude)
        for j in range(i):
            square = diagonal + K[j, j] - 2.0 * K[i, j]
            min_square = min(min_square, square)
            max_square = max(max_square, square)
    return bounded, largest, min_square, max_square
