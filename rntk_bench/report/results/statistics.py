"""Statistics of a complete table of accuracies, one row per dataset and one column per method.

Those of the paper's Table 1, and those of M. Fernandez-Delgado, E. Cernadas, S. Barro and
D. Amorim, "Do we Need Hundreds of Classifiers to Solve Real World Classification Problems?",
JMLR 15, 2014.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Summary:
    """One method over all datasets; accuracies are in the unit of the table.

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


@dataclass(frozen=True)
class Metrics:
    """One method relative to the best method on each dataset.

    The best accuracy is the highest of the methods that are compared; where it is 0, every method
    counts as the best.

    Attributes
    ----------
    friedman_rank : float
        Mean rank, 1 the best; methods that tie get the mean of their ranks.
    p90, p95 : Fraction
        Fraction of the datasets on which the accuracy is at least 90 or 95 percent of the best.
    pma : Fraction
        Mean over the datasets of the accuracy as a fraction of the best ("percentage of the maximum
        accuracy").
    """

    friedman_rank: float
    p90: Fraction
    p95: Fraction
    pma: Fraction


def competition_ranks(accuracies: Sequence[Fraction]) -> list[int]:
    """Ranks by decreasing accuracy; methods that tie all get the smallest of their ranks."""
    return [1 + sum(other > accuracy for other in accuracies) for accuracy in accuracies]


def summarize(table: Sequence[Sequence[Fraction]]) -> list[Summary]:
    """Summarize each column of a table with at least one row and no missing entries.

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


def mean_ranks(accuracies: pd.DataFrame) -> pd.Series[float]:
    """Mean rank of each method as in Friedman's test: 1 the best, ties get the mean rank.

    Parameters
    ----------
    accuracies : DataFrame
        One row per dataset, one column per method.

    Raises
    ------
    ValueError
        An accuracy is missing.
    """
    if accuracies.isna().any(axis=None):
        raise ValueError("Ranks need the accuracy of every method on every dataset.")
    return accuracies.astype(float).rank(axis=1, ascending=False).mean()


def relative_metrics(table: Sequence[Sequence[Fraction]]) -> list[Metrics]:
    """Metrics of each column of a table with at least one row and no missing entries."""
    import pandas as pd

    fractions = [[entry / max(row) if max(row) else Fraction(1) for entry in row] for row in table]
    ranks = mean_ranks(pd.DataFrame([[float(entry) for entry in row] for row in table]))
    return [
        Metrics(
            friedman_rank=float(rank),
            p90=_fraction_at_least(Fraction(9, 10), column),
            p95=_fraction_at_least(Fraction(19, 20), column),
            pma=statistics.mean(column),
        )
        for rank, column in zip(ranks, zip(*fractions, strict=True), strict=True)
    ]


def _fraction_at_least(minimum: Fraction, column: Sequence[Fraction]) -> Fraction:
    return Fraction(sum(entry >= minimum for entry in column), len(column))
