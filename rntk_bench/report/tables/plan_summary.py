"""The paper's Table 1 of one plan in three lines, for the end of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from rntk_bench.methods import display_name
from rntk_bench.report.results.statistics import summarize
from rntk_bench.storage.records import Record


def plan_summary(records: Sequence[Record]) -> list[str]:
    """Mean, standard deviation and mean rank of each method, one column per method.

    They are over the datasets on which every method of the records has a result, as in Table 1. Of
    fewer than two datasets there is no summary.

    Parameters
    ----------
    records : sequence of Record
        Records that did not fail. If there are several of a method on a dataset, their mean counts.

    Returns
    -------
    list of str
        Three lines, or none.
    """
    accuracies: dict[str, dict[str, list[Fraction]]] = defaultdict(lambda: defaultdict(list))
    methods: dict[str, None] = {}
    for record in records:
        if record.test is not None:
            accuracy = Fraction(100 * record.test["correct"], record.test["n"])
            accuracies[record.dataset][record.method].append(accuracy)
            methods[record.method] = None
    complete = [row for row in accuracies.values() if len(row) == len(methods)]
    if len(complete) < 2:
        return []
    table = [[sum(row[name], Fraction()) / len(row[name]) for name in methods] for row in complete]
    n_all = "" if len(complete) == len(accuracies) else f"{len(complete)} of "
    columns = [[f"{n_all}{len(accuracies)} datasets", "mean ± std, %", "mean rank"]]
    for name, summary in zip(methods, summarize(table), strict=True):
        mean = f"{float(summary.mean):.2f} ± {summary.std:.2f}"
        columns.append([display_name(name), mean, f"{float(summary.rank):.2f}"])
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in zip(*columns, strict=True)
    ]
