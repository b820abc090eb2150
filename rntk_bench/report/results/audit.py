"""Check the numbers of the paper's Tables 1 and 2.

An accuracy is a count of correct predictions over the size of the test set, so that most
percentages with two decimals are impossible on a small test set; and Table 1 follows from Table 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import floor

from rntk_bench.datasets.archive import ARCHIVE
from rntk_bench.report.results import paper
from rntk_bench.report.results.rounding import nearest_count, possible_counts, rounds_to
from rntk_bench.report.results.statistics import Summary, summarize

UNIT = Fraction(1, 100)
"""Last decimal of both tables, in percent; Table 2 omits trailing zeros."""

STATISTICS = ("mean", "std", "rank")

_MAX_CHANCE = Fraction(1, 1000)


@dataclass(frozen=True)
class ImpossibleEntry:
    """An entry, in percent, that no count of correct predictions gives; and the nearest count."""

    dataset: str
    method: str
    printed: Fraction
    n_test: int
    nearest: int


@dataclass(frozen=True)
class Explanation:
    """Impossible entries of one row that are possible with the test set of other datasets.

    Attributes
    ----------
    dataset : str
        The dataset of the row.
    methods : tuple of str
        The methods of its impossible entries.
    others : tuple of str
        Datasets without a row in the table whose test sets have `n_test` series.
    n_test : int
    """

    dataset: str
    methods: tuple[str, ...]
    others: tuple[str, ...]
    n_test: int


@dataclass(frozen=True)
class Misprint:
    """A statistic of Table 1 that does not follow from Table 2, rounded or truncated."""

    method: str
    statistic: str
    printed: str
    recomputed: Fraction | float

    @property
    def corrected(self) -> str:
        """The recomputed statistic, truncated to two decimals as Table 1 is."""
        return truncate(self.recomputed)


def truncate(number: Fraction | float) -> str:
    """A number truncated to two decimals."""
    return f"{floor(100 * number) / 100:.2f}"


def impossible_entries(table: Mapping[str, Mapping[str, Fraction]]) -> list[ImpossibleEntry]:
    """Entries of a table that no count of correct predictions rounds to.

    Parameters
    ----------
    table : mapping of dataset to mapping of method to Fraction
        Accuracies in percent with two decimals, rounded or truncated; datasets of the archive.
    """
    return [
        ImpossibleEntry(dataset, method, printed, n_test, nearest_count(printed / 100, n_test))
        for dataset, row in table.items()
        for n_test in [ARCHIVE[dataset].n_test]
        for method, printed in row.items()
        if not _is_possible(printed, n_test)
    ]


def explanations(table: Mapping[str, Mapping[str, Fraction]]) -> list[Explanation]:
    """Rows with several impossible entries that the test set of another dataset explains.

    The smallest size of test set with which all of them are possible explains them if the
    probability that any of the sizes would do so by chance is less than one in a thousand.
    """
    sizes: dict[int, list[str]] = {}
    for name, entry in ARCHIVE.items():
        if name not in table:
            sizes.setdefault(entry.n_test, []).append(name)
    result = []
    for dataset, group in groupby(impossible_entries(table), key=lambda entry: entry.dataset):
        entries = list(group)
        for n_test in sorted(sizes):
            chance = _fraction_possible(n_test) ** len(entries) * len(sizes)
            if chance < _MAX_CHANCE and all(_is_possible(e.printed, n_test) for e in entries):
                methods = tuple(entry.method for entry in entries)
                result.append(Explanation(dataset, methods, tuple(sizes[n_test]), n_test))
                break
    return result


def recompute_table1() -> dict[str, Summary]:
    """Table 1 from Table 2 as printed."""
    rows = [list(row.values()) for row in paper.printed_table2().values()]
    return dict(zip(paper.METHODS, summarize(rows), strict=True))


def table1_misprints() -> list[Misprint]:
    """The statistics of Table 1 that do not follow from Table 2."""
    recomputed = recompute_table1()
    return [
        Misprint(method, statistic, printed, value)
        for method, summary in paper.PRINTED_TABLE1.items()
        for statistic in STATISTICS
        for printed in [getattr(summary, statistic)]
        for value in [getattr(recomputed[method], statistic)]
        if not rounds_to(value, Fraction(printed), UNIT)
    ]


def _is_possible(printed: Fraction, n_test: int) -> bool:
    return bool(possible_counts(printed / 100, n_test, UNIT / 100))


def _fraction_possible(n_test: int) -> Fraction:
    """Fraction of the percentages with two decimals that are possible.

    Each count rounds to one percentage, and is truncated to the same or, half of the time, another.
    """
    return min(Fraction(1), n_test * Fraction(3, 2) * UNIT / 100)
