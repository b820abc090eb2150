"""Comparing methods over datasets as Demsar (2006) and Benavoli, Corani and Mangili (2016) advise.

Friedman's test says whether any method differs; Wilcoxon's signed-rank tests with Holm's correction
say which pairs do, and effect sizes by how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rntk_bench.errors import InputError
from rntk_bench.report.results.accuracies import complete
from rntk_bench.report.results.statistics import mean_ranks

Array = NDArray[np.float64]

TIE = 0.005 + 1e-9
"""Percentage points up to which accuracies tie: half a digit of those that are printed to two
decimals, and less than one series of the archive's largest test set (16,800)."""
MIN_DATASETS = 6
"""With fewer, no signed-rank test has a p-value below 5 %."""


class Friedman(NamedTuple):
    """Friedman's test: chi-squared with k - 1 degrees of freedom, and its p-value."""

    statistic: float
    p: float

    def show(self) -> str:
        """The p-value to two digits, as far as they mean something, after its sign."""
        return f"= {self.p:.2g}" if self.p >= 1e-16 else "< 1e-16"


@dataclass(frozen=True)
class Comparison:
    """What `compare` finds.

    Attributes
    ----------
    accuracies : DataFrame (n_datasets, k)
        In percent, without gaps.
    ranks : Series (k,)
        Mean rank of each method, 1 the best; methods that tie share the mean of their ranks. The
        best come first.
    friedman : Friedman or None
        None for two methods, for which it is not defined.
    pairs : DataFrame (k (k - 1) / 2, 10)
        Each pair `a`, `b`, `a` of the better mean rank: `wins`, `ties` and `losses` of `a`; `mean`
        and `median` of the differences a - b in percentage points; `effect`, the matched-pairs
        rank-biserial correlation; `p` of the two-sided signed-rank test, and `p_holm`.
    notes : list of str
        What was left out.
    """

    accuracies: pd.DataFrame
    ranks: pd.Series[float]
    friedman: Friedman | None
    pairs: pd.DataFrame
    notes: list[str]


def compare(accuracies: pd.DataFrame) -> Comparison:
    """Compare methods on the datasets that all of them have results of.

    Parameters
    ----------
    accuracies : DataFrame (n_datasets, k)
        In percent; NaN where there is no result.

    Raises
    ------
    InputError
        Fewer than two methods or `MIN_DATASETS` datasets are left.
    """
    from statsmodels.stats.multitest import multipletests

    whole, notes = complete(accuracies)
    n_datasets, n_methods = whole.shape
    if n_methods < 2:
        raise InputError("A comparison needs at least two methods with results.")
    if n_datasets < MIN_DATASETS:
        raise InputError(
            f"All {n_methods} methods have results on {n_datasets} of {len(accuracies)} datasets; "
            f"a comparison needs {MIN_DATASETS}, since with fewer no signed-rank test reaches 5 %."
        )
    places = pd.DataFrame(
        np.apply_along_axis(_merge_ties, 1, whole.to_numpy()), whole.index, whole.columns
    )
    ranks = mean_ranks(places).sort_values(kind="stable")
    pairs = pd.DataFrame(
        [
            {"a": a, "b": b, **compare_pair((whole[a] - whole[b]).to_numpy())}
            for a, b in combinations(ranks.index, 2)
        ]
    )
    pairs["p_holm"] = multipletests(pairs["p"], method="holm")[1]
    return Comparison(whole, ranks, _friedman(places), pairs, notes)


def compare_pair(differences: Array) -> dict[str, Any]:
    """Wins, ties, losses, effect sizes and the signed-rank test of differences in points (n,).

    Ties take part in ranking the differences and are then dropped (Pratt, 1959). The rank-biserial
    correlation is (W+ - W-) / (W+ + W-), from -1, every difference negative, to 1.
    """
    from scipy.stats import rankdata, wilcoxon

    # Rounded, so that equal differences of fractions have equal ranks.
    d = np.where(np.abs(differences) <= TIE, 0.0, np.round(differences, 9))
    ranks = rankdata(np.abs(d))
    above, below = ranks[d > 0].sum(), ranks[d < 0].sum()
    return {
        "wins": int((d > 0).sum()),
        "ties": int((d == 0).sum()),
        "losses": int((d < 0).sum()),
        "mean": float(np.mean(differences)),
        "median": float(np.median(d)),
        "effect": float((above - below) / (above + below)) if d.any() else 0.0,
        "p": float(wilcoxon(d, zero_method="pratt").pvalue) if d.any() else 1.0,
    }


def _merge_ties(row: Array) -> Array:
    """Numbers in the order of a row's accuracies (k,), the same for those that tie."""
    order = np.argsort(row, kind="stable")
    places = np.empty(len(row))
    places[order] = np.cumsum(np.diff(row[order], prepend=row[order[0]]) > TIE)
    return places


def _friedman(places: pd.DataFrame) -> Friedman | None:
    from scipy.stats import friedmanchisquare

    if places.shape[1] < 3:
        return None
    if (places.nunique(axis=1) == 1).all():  # all the same everywhere: 0 / 0
        return Friedman(0.0, 1.0)
    found = friedmanchisquare(*places.to_numpy().T)
    return Friedman(float(found.statistic), float(found.pvalue))
