"""Table 1's statistics of a complete table of accuracies, a row a dataset, a column a method."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Summary:
    """One method over all datasets; accuracies are in the table's own unit.

    Attributes
    ----------
    mean : Fraction
    std : float or None
        Sample standard deviation (ddof = 1); None for a single dataset.
    rank : Fraction
        Mean competition rank, 1 the best.
    """

    mean: Fraction
    std: float | None
    rank: Fraction


def competition_ranks(accuracies: Sequence[Fraction]) -> list[int]:
    """Rank methods by falling accuracy; those that tie all take the smallest of their ranks."""
    return [1 + sum(other > accuracy for other in accuracies) for accuracy in accuracies]


def summarize(table: Sequence[Sequence[Fraction]]) -> list[Summary]:
    """Summarize each column of a table with at least one row and no gaps.

    Fractions keep equal accuracies equal, so that rounding neither makes nor breaks a tie.
    """
    columns = zip(*table, strict=True)
    ranks = zip(*map(competition_ranks, table), strict=True)
    return [
        Summary(
            mean=statistics.mean(column),
            std=float(statistics.stdev(column)) if len(column) > 1 else None,
            rank=statistics.mean(map(Fraction, places)),
        )
        for column, places in zip(columns, ranks, strict=True)
    ]
