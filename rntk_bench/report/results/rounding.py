"""Which counts of correct predictions a printed accuracy can stand for."""

from __future__ import annotations

from fractions import Fraction
from math import ceil


def rounds_to(value: Fraction | float, printed: Fraction, unit: Fraction) -> bool:
    """Whether `value`, rounded or truncated to a multiple of `unit`, is `printed`."""
    return printed - unit / 2 <= value < printed + unit


def possible_counts(printed: Fraction, n: int, unit: Fraction) -> range:
    """Counts of correct predictions among `n` whose fraction `rounds_to` the printed one.

    Parameters
    ----------
    printed : Fraction
        Fraction of correct predictions, between 0 and 1.
    n : int
        Size of the test set.
    unit : Fraction
        The last printed decimal, 1/10,000 for percent with two decimals.

    Returns
    -------
    range
        Within 0 to `n`; empty if no count rounds to the printed fraction.
    """
    first, end = ceil(n * (printed - unit / 2)), ceil(n * (printed + unit))
    return range(max(first, 0), min(end, n + 1))


def nearest_count(printed: Fraction, n: int) -> int:
    """The count of correct predictions among `n` whose fraction is nearest to `printed`."""
    return min(max(round(n * printed), 0), n)
