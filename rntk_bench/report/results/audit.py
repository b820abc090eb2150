"""The paper's Tables 1 and 2 held against arithmetic.

An accuracy is a count of right answers over the size of the test set, so that most percentages
with two decimals are impossible on a small test set; and Table 1 follows from Table 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import floor

from rntk_bench.datasets.archive import ARCHIVE
from rntk_bench.report.results import paper
from rntk_bench.report.results.rounding import could_print, nearest_count, possible_counts
from rntk_bench.report.results.statistics import Summary, summarize

UNIT = Fraction(1, 100)
"""Last decimal of both tables, in percent; zeros at the end are not printed in Table 2."""

STATISTICS = ("mean", "std", "rank")

_UNLIKELY = Fraction(1, 1000)


@dataclass(frozen=True)
class Impossible:
    """An entry, in percent, that no count of right answers gives; and the nearest count."""

    dataset: str
    method: str
    printed: Fraction
    n_test: int
    nearest: int


@dataclass(frozen=True)
class Explanation:
    """Impossible entries of one row that are possible on the test set of other datasets.

    Attributes
    ----------
    dataset : str
        The row.
    methods : tuple of str
        Its impossible entries.
    others : tuple of str
        Datasets without a row of their own, with `n_test` series in the test set.
    n_test : int
    """

    dataset: str
    methods: tuple[str, ...]
    others: tuple[str, ...]
    n_test: int


@dataclass(frozen=True)
class Misprint:
    """A statistic of Table 1 that Table 2 does not give, rounded or cut to two decimals."""

    method: str
    statistic: str
    printed: str
    recomputed: Fraction | float

    @property
    def right(self) -> str:
        """What should be printed, cut to two decimals as Table 1 is."""
        return cut(self.recomputed)


def cut(number: Fraction | float) -> str:
    """A number's first two decimals."""
    return f"{floor(100 * number) / 100:.2f}"


def impossible_entries(table: Mapping[str, Mapping[str, Fraction]]) -> list[Impossible]:
    """Entries of a table of the archive's datasets that no count of right answers gives.

    Parameters
    ----------
    table : mapping of dataset to mapping of method to Fraction
        Accuracies in percent with two decimals, rounded or cut.
    """
    return [
        Impossible(dataset, method, printed, n_test, nearest_count(printed / 100, n_test))
        for dataset, row in table.items()
        for n_test in [ARCHIVE[dataset].n_test]
        for method, printed in row.items()
        if not _is_possible(printed, n_test)
    ]


def explanations(table: Mapping[str, Mapping[str, Fraction]]) -> list[Explanation]:
    """Rows with several impossible entries that another dataset's test set explains.

    The smallest size that allows them all is named if it is unlikely, less than once in a
    thousand, that any of the sizes tried would allow them by chance.
    """
    sizes: dict[int, list[str]] = {}
    for name, entry in ARCHIVE.items():
        if name not in table:
            sizes.setdefault(entry.n_test, []).append(name)
    found = []
    for dataset, group in groupby(impossible_entries(table), key=lambda entry: entry.dataset):
        entries = list(group)
        for n_test in sorted(sizes):
            by_chance = _share_of_possible(n_test) ** len(entries) * len(sizes)
            if by_chance < _UNLIKELY and all(_is_possible(e.printed, n_test) for e in entries):
                methods = tuple(entry.method for entry in entries)
                found.append(Explanation(dataset, methods, tuple(sizes[n_test]), n_test))
                break
    return found


def recompute_table1() -> dict[str, Summary]:
    """Table 1 from Table 2 as printed."""
    rows = [list(row.values()) for row in paper.printed_table2().values()]
    return dict(zip(paper.METHODS, summarize(rows), strict=True))


def table1_misprints() -> list[Misprint]:
    """What Table 1 prints and Table 2 does not give."""
    recomputed = recompute_table1()
    return [
        Misprint(method, statistic, printed, value)
        for method, summary in paper.PRINTED_TABLE1.items()
        for statistic in STATISTICS
        for printed in [getattr(summary, statistic)]
        for value in [getattr(recomputed[method], statistic)]
        if not could_print(value, Fraction(printed), UNIT)
    ]


def _is_possible(printed: Fraction, n_test: int) -> bool:
    return bool(possible_counts(printed / 100, n_test, UNIT / 100))


def _share_of_possible(n_test: int) -> Fraction:
    """Share of the percentages with two decimals that are possible: each count rounds to one and
    is cut to the same or, half of the time, another."""
    return min(Fraction(1), n_test * Fraction(3, 2) * UNIT / 100)
