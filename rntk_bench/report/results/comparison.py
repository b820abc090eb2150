"""Comparing methods over datasets as Demsar (2006) and Benavoli, Corani and Mangili (2016) advise.

Friedman's test shows whether any method differs, Wilcoxon's signed-rank tests with Holm's
correction show which pairs do, and effect sizes show by how much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rntk_bench.errors import InputError
from rntk_bench.report.results.accuracies import drop_incomplete
from rntk_bench.report.results.statistics import mean_ranks
from rntk_bench.types import FloatArray

TIE = 0.005 + 1e-9
"""Accuracies tie if they differ by no more percentage points than this: half a unit of the second
decimal, and less than one series of the archive's largest test set (16,800)."""
MIN_DATASETS = 6
"""With fewer, no signed-rank test has a p-value below 5 %."""


class FriedmanTest(NamedTuple):
    """Friedman's test: chi-squared with k - 1 degrees of freedom, and its p-value."""

    statistic: float
    p: float

    def format_p(self) -> str:
        """The p-value with its relation, such as "= 0.012"; below 1e-16 its digits mean nothing."""
        return f"= {self.p:.2g}" if self.p >= 1e-16 else "< 1e-16"


@dataclass(frozen=True)
class MethodComparison:
    """The result of `compare_methods`.

    Attributes
    ----------
    accuracies : DataFrame (n_datasets, k)
        In percent, without missing entries.
    ranks : Series (k,)
        Mean rank of each method, 1 the best; methods that tie get the mean of their ranks. Sorted,
        the best first.
    friedman : FriedmanTest or None
        None for two methods, for which it is not defined.
    pairs : DataFrame (k (k - 1) / 2, 11)
        One row per pair of methods `a` and `b`, of which `a` has the better mean rank: `wins`,
        `ties` and `losses` of `a`; `mean`, its `standard_error` over the datasets, and `median` of
        the differences a - b in percentage points; `effect`, the matched-pairs rank-biserial
        correlation; `p` of the two-sided signed-rank test, and `p_holm`.
    notes : list of str
        Datasets and methods that were left out.
    """

    accuracies: pd.DataFrame
    ranks: pd.Series[float]
    friedman: FriedmanTest | None
    pairs: pd.DataFrame
    notes: list[str]


def compare_methods(accuracies: pd.DataFrame) -> MethodComparison:
    """Compare methods on the datasets for which all of them have results.

    Parameters
    ----------
    accuracies : DataFrame (n_datasets, k)
        In percent; NaN where there is no result.

    Raises
    ------
    InputError
        Fewer than two methods or `MIN_DATASETS` datasets remain.
    """
    complete, notes = drop_incomplete(accuracies)
    n_datasets, n_methods = complete.shape
    if n_methods < 2:
        raise InputError(
            "A comparison needs at least two methods with results; run another, or add the paper's "
            "with --paper."
        )
    if n_datasets < MIN_DATASETS:
        raise InputError(
            f"All {n_methods} methods have results on {n_datasets} of {len(accuracies)} datasets; "
            f"a comparison needs {MIN_DATASETS}, since with fewer no signed-rank test reaches 5 %; "
            "run more."
        )
    ordinals = pd.DataFrame(
        np.apply_along_axis(_merge_ties, 1, complete.to_numpy()), complete.index, complete.columns
    )
    ranks = mean_ranks(ordinals).sort_values(kind="stable")
    pairs = pd.DataFrame(
        [
            {"a": a, "b": b, **compare_pair((complete[a] - complete[b]).to_numpy())}
            for a, b in combinations(ranks.index, 2)
        ]
    )
    pairs["p_holm"] = holm_correction(pairs["p"].to_numpy())
    return MethodComparison(complete, ranks, _friedman(ordinals), pairs, notes)


def compare_pair(differences: FloatArray) -> dict[str, Any]:
    """Wins, ties, losses, effect sizes and the signed-rank test of differences in points (n,).

    Zero differences are ranked and then dropped (Pratt, 1959). The rank-biserial
    correlation is (W+ - W-) / (W+ + W-), from -1, every difference negative, to 1.
    """
    from scipy.stats import rankdata, wilcoxon

    # Rounded, so that equal differences of fractions have equal ranks.
    d = np.where(np.abs(differences) <= TIE, 0.0, np.round(differences, 9))
    ranks, n = rankdata(np.abs(d)), len(d)
    above, below = ranks[d > 0].sum(), ranks[d < 0].sum()
    return {
        "wins": int((d > 0).sum()),
        "ties": int((d == 0).sum()),
        "losses": int((d < 0).sum()),
        "mean": float(np.mean(differences)),
        "standard_error": float(np.std(differences, ddof=1) / math.sqrt(n)) if n > 1 else math.nan,
        "median": float(np.median(d)),
        "effect": float((above - below) / (above + below)) if d.any() else 0.0,
        "p": float(wilcoxon(d, zero_method="pratt").pvalue) if d.any() else 1.0,
    }


def holm_correction(p: FloatArray) -> FloatArray:
    """Correct the p-values of n tests for their number, by Holm's step-down procedure (1979).

    The smallest is multiplied by n, the next by n - 1, and so on; each is at least the one before
    it, and at most 1.
    """
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(corrected, 1.0)


def _merge_ties(row: FloatArray) -> FloatArray:
    """Numbers that order a row's accuracies (k,), equal for accuracies that tie."""
    order = np.argsort(row, kind="stable")
    ordinals = np.empty(len(row))
    ordinals[order] = np.cumsum(np.diff(row[order], prepend=row[order[0]]) > TIE)
    return ordinals


def _friedman(ordinals: pd.DataFrame) -> FriedmanTest | None:
    from scipy.stats import friedmanchisquare

    if ordinals.shape[1] < 3:
        return None
    if (ordinals.nunique(axis=1) == 1).all():  # all methods tie everywhere: 0 / 0
        return FriedmanTest(0.0, 1.0)
    test = friedmanchisquare(*ordinals.to_numpy().T)
    return FriedmanTest(float(test.statistic), float(test.pvalue))
