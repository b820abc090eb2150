"""The audit's findings as tables."""

from __future__ import annotations

from fractions import Fraction
from operator import ne

from rntk_bench.methods import display_name
from rntk_bench.report.results import paper
from rntk_bench.report.results.audit import (
    STATISTICS,
    UNIT,
    Explanation,
    Impossible,
    cut,
    explanations,
    impossible_entries,
    recompute_table1,
    table1_misprints,
)
from rntk_bench.report.results.rounding import nearest_count, possible_counts
from rntk_bench.report.tables.cells import Cell, Column, Table

_WRONG = "†"


def audit_table1() -> Table:
    """Table 1 as printed beside what Table 2 gives, what does not agree marked."""
    misprints = {(found.method, found.statistic): found for found in table1_misprints()}
    columns = [Column("method")]
    for statistic in STATISTICS:
        columns += [Column("printed", statistic), Column("Table 2", statistic)]
    rows = []
    for method, recomputed in recompute_table1().items():
        row = [Cell(display_name(method))]
        for statistic in STATISTICS:
            printed = getattr(paper.PRINTED_TABLE1[method], statistic)
            mark = _WRONG if (method, statistic) in misprints else ""
            row += [Cell(printed, mark=mark), Cell(getattr(recomputed, statistic), ".3f")]
        rows.append(row)
    notes = [
        f"{len(misprints)} of {len(rows) * len(STATISTICS)} statistics do not follow from Table 2, "
        "whether rounded or cut to two decimals."
    ]
    notes += [
        f"{_WRONG} {display_name(found.method)}, {found.statistic}: printed {found.printed}, "
        f"should be {found.right}."
        for found in misprints.values()
    ]
    return Table(
        "Audit of Table 1",
        "The paper's Table 1, and the same statistics of its Table 2",
        columns,
        rows,
        notes,
    )


def audit_table2() -> Table:
    """Every impossible entry of Table 2 with the nearest possible one."""
    printed = paper.printed_table2()
    found = impossible_entries(printed)
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
            Cell(_percent(entry), ".2f"),
            Cell(f"{entry.nearest} of {entry.n_test}"),
            Cell(_remark(entry, explained.get((entry.dataset, entry.method)))),
        ]
        for entry in found
    ]
    n_entries = sum(map(len, printed.values()))
    notes = [
        f"{len(found)} of {n_entries} entries are impossible: no count of right answers over the "
        "size of the test set in the archive's summary, rounded or cut to two decimals, gives them."
    ]
    notes += [_sentence(explanation) for explanation in dict.fromkeys(explained.values())]
    return Table(
        "Audit of Table 2",
        "Entries of the paper's Table 2 that no test set gives, in percent",
        columns,
        rows,
        notes,
    )


def _percent(entry: Impossible) -> Fraction:
    return Fraction(100 * entry.nearest, entry.n_test)


def _remark(entry: Impossible, explanation: Explanation | None) -> str | None:
    """What may have happened to an entry."""
    if explanation is not None:
        count = nearest_count(entry.printed / 100, explanation.n_test)
        return f"{count} of {explanation.n_test}: {' or '.join(explanation.others)}"
    if possible_counts(entry.printed, entry.n_test, UNIT):
        return f"a fraction? {float(100 * entry.printed):.2f} is possible"
    printed = f"{float(entry.printed):.2f}"
    for near in (f"{float(_percent(entry)):.2f}", cut(_percent(entry))):
        if len(near) == len(printed) and sum(map(ne, near, printed)) == 1:
            return f"one digit from {near}"
    return None


def _sentence(explanation: Explanation) -> str:
    *others, last = map(display_name, explanation.methods)
    names = " or ".join(explanation.others)
    return (
        f"{explanation.dataset}: the entries of {', '.join(others)} and {last} are multiples of "
        f"1/{explanation.n_test}, the size of the test set of {names}, not in Table 2 otherwise."
    )
