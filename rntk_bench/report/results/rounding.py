"""What a number that was printed with a few decimals can stand for."""

from __future__ import annotations

from fractions import Fraction
from math import ceil


def could_print(value: Fraction | float, printed: Fraction, unit: Fraction) -> bool:
    """Whether `value`, rounded or cut to multiples of `unit`, gives `printed`."""
    return printed - unit / 2 <= value < printed + unit


def possible_counts(printed: Fraction, n: int, unit: Fraction) -> range:
    """Counts of right answers among `n` whose share `could_print` as this one.

    Parameters
    ----------
    printed : Fraction
        Share of right answers, between 0 and 1.
    n : int
        Series of the test set.
    unit : Fraction
        The last decimal that was printed, 1/10,000 for percent with two.

    Returns
    -------
    range
        Within 0 to `n`; empty where no count gives what was printed.
    """
    first, end = ceil(n * (printed - unit / 2)), ceil(n * (printed + unit))
    return range(max(first, 0), min(end, n + 1))


def nearest_count(printed: Fraction, n: int) -> int:
    """Count of right answers among `n` whose share is nearest to this one."""
    return min(max(round(n * printed), 0), n)
