"""Statistics of a complete table of accuracies, a row a dataset, a column a method.

Those of Table 1, and those of M. Fernandez-Delgado, E. Cernadas, S. Barro and D. Amorim, "Do we
Need Hundreds of Classifiers to Solve Real World Classification Problems?", JMLR 15, 2014.
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


@dataclass(frozen=True)
class Metrics:
    """How one method stands among others over all datasets.

    On each dataset the best accuracy is that of the best of the methods compared; where that is 0,
    every method reaches it.

    Attributes
    ----------
    friedman_rank : float
        Mean rank, 1 the best; methods that tie share the mean of their ranks.
    p90, p95 : Fraction
        Share of the datasets on which the accuracy is at least 90 or 95 percent of the best.
    pma : Fraction
        Mean over the datasets of the accuracy as a share of the best ("percentage of the maximum
        accuracy").
    """

    friedman_rank: float
    p90: Fraction
    p95: Fraction
    pma: Fraction


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


def mean_ranks(accuracies: pd.DataFrame) -> pd.Series[float]:
    """Mean rank of each method as in Friedman's test: 1 the best, ties share the mean rank.

    Parameters
    ----------
    accuracies : DataFrame
        A row a dataset, a column a method.

    Raises
    ------
    ValueError
        If a method lacks a dataset.
    """
    if accuracies.isna().any(axis=None):
        raise ValueError("Ranks need the accuracy of every method on every dataset.")
    return accuracies.astype(float).rank(axis=1, ascending=False).mean()


def compare_with_best(table: Sequence[Sequence[Fraction]]) -> list[Metrics]:
    """Metrics of each column of a table with at least one row and no gaps."""
    import pandas as pd

    shares = [[entry / max(row) if max(row) else Fraction(1) for entry in row] for row in table]
    ranks = mean_ranks(pd.DataFrame([[float(entry) for entry in row] for row in table]))
    return [
        Metrics(
            friedman_rank=float(rank),
            p90=_share_from(Fraction(9, 10), column),
            p95=_share_from(Fraction(19, 20), column),
            pma=statistics.mean(column),
        )
        for rank, column in zip(ranks, zip(*shares, strict=True), strict=True)
    ]


def _share_from(least: Fraction, column: Sequence[Fraction]) -> Fraction:
    return Fraction(sum(share >= least for share in column), len(column))
