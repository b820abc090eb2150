"""Tables of the errors in the paper's Tables 1 and 2."""

from __future__ import annotations

from fractions import Fraction
from operator import ne

from rntk_bench.methods import display_name
from rntk_bench.report.results import paper
from rntk_bench.report.results.audit import (
    STATISTICS,
    UNIT,
    Explanation,
    ImpossibleEntry,
    explanations,
    impossible_entries,
    recompute_table1,
    table1_misprints,
    truncate,
)
from rntk_bench.report.results.rounding import nearest_count, possible_counts
from rntk_bench.report.tables.table import Cell, Column, Table

_WRONG_MARK = "†"


def audit_table1() -> Table:
    """Table 1 as printed and as it follows from Table 2, with marks where they differ."""
    misprints = {(misprint.method, misprint.statistic): misprint for misprint in table1_misprints()}
    columns = [Column("method")]
    for statistic in STATISTICS:
        columns += [Column("printed", statistic), Column("Table 2", statistic)]
    rows = []
    for method, recomputed in recompute_table1().items():
        row = [Cell(display_name(method))]
        for statistic in STATISTICS:
            printed = getattr(paper.PRINTED_TABLE1[method], statistic)
            mark = _WRONG_MARK if (method, statistic) in misprints else ""
            row += [Cell(printed, mark=mark), Cell(getattr(recomputed, statistic), ".3f")]
        rows.append(row)
    notes = [
        f"{len(misprints)} of {len(rows) * len(STATISTICS)} statistics do not follow from Table 2, "
        "whether rounded or cut to two decimals."
    ]
    notes += [
        f"{_WRONG_MARK} {display_name(misprint.method)}, {misprint.statistic}: "
        f"printed {misprint.printed}, should be {misprint.corrected}, cut to two decimals."
        for misprint in misprints.values()
    ]
    return Table(
        "Audit of Table 1",
        "The paper's Table 1, and the same statistics of its Table 2",
        columns,
        rows,
        notes,
    )


def audit_table2() -> Table:
    """The impossible entries of Table 2 with the nearest possible ones."""
    printed = paper.printed_table2()
    entries = impossible_entries(printed)
    explained = {
        (explanation.dataset, method): explanation
        for explanation in explanations(printed)
        for method in explanation.methods
    }
    columns = [
        Column("dataset"),
        Column("method", words=True),
        Column("printed"),
        Column("nearest"),
        Column("right answers"),
        Column("remark", words=True),
    ]
    rows = [
        [
            Cell(entry.dataset),
            Cell(display_name(entry.method)),
            Cell(entry.printed, ".2f"),
            Cell(_nearest_percent(entry), ".2f"),
            Cell(f"{entry.nearest} of {entry.n_test}"),
            Cell(_remark(entry, explained.get((entry.dataset, entry.method)))),
        ]
        for entry in entries
    ]
    n_entries = sum(map(len, printed.values()))
    notes = [
        f"{len(entries)} of {n_entries} entries are impossible: no count of right answers over the "
        "size of the test set in the archive's summary, rounded or cut to two decimals, gives them."
    ]
    notes += [_describe(explanation) for explanation in dict.fromkeys(explained.values())]
    return Table(
        "Audit of Table 2",
        "Entries of the paper's Table 2 that no test set gives, in percent",
        columns,
        rows,
        notes,
    )


def _nearest_percent(entry: ImpossibleEntry) -> Fraction:
    return Fraction(100 * entry.nearest, entry.n_test)


def _remark(entry: ImpossibleEntry, explanation: Explanation | None) -> str | None:
    """A possible cause of an impossible entry."""
    if explanation is not None:
        count = nearest_count(entry.printed / 100, explanation.n_test)
        return f"{count} of {explanation.n_test}: {' or '.join(explanation.others)}"
    if possible_counts(entry.printed, entry.n_test, UNIT):
        return f"a fraction? {float(100 * entry.printed):.2f} is possible"
    printed = f"{float(entry.printed):.2f}"
    for nearest in (f"{float(_nearest_percent(entry)):.2f}", truncate(_nearest_percent(entry))):
        if len(nearest) == len(printed) and sum(map(ne, nearest, printed)) == 1:
            return f"one digit from {nearest}"
    return None


def _describe(explanation: Explanation) -> str:
    *others, last = map(display_name, explanation.methods)
    names = " or ".join(explanation.others)
    return (
        f"{explanation.dataset}: the entries of {', '.join(others)} and {last} are multiples of "
        f"1/{explanation.n_test}, the size of the test set of {names}, not in Table 2 otherwise."
    )
