"""The table of the best test accuracies that any setting of a grid has."""

from __future__ import annotations

from collections.abc import Sequence

from rntk_bench.benchmark.ceilings import Ceiling
from rntk_bench.formatting import format_setting
from rntk_bench.methods import display_name
from rntk_bench.report.results.paper import paper_accuracy
from rntk_bench.report.tables.table import Cell, Column, Table


def ceilings_table(
    ceilings: Sequence[Ceiling], C: Sequence[float], single_precision: bool = False
) -> Table:
    """A row per dataset and method: the paper's accuracy, the best one, and its setting."""
    computed = ", computed in single precision" if single_precision else ""
    rows = [
        [
            Cell(ceiling.dataset),
            Cell(display_name(ceiling.method)),
            Cell(paper_accuracy(ceiling.dataset, ceiling.method), ".2f"),
            Cell(100 * ceiling.accuracy, ".2f"),
            Cell(f"{ceiling.n_correct} of {ceiling.n_test}"),
            Cell(format_setting(ceiling.setting)),
            Cell(f"{ceiling.C:g}"),
        ]
        for ceiling in ceilings
    ]
    columns = [
        Column("dataset"),
        Column("method", words=True),
        Column("paper"),
        Column("best"),
        Column("correct"),
        Column("first setting", words=True),
        Column("C"),
    ]
    return Table(
        "Ceilings",
        f"The best test accuracy in percent of all settings with C from {C[0]:g} to {C[-1]:g}"
        f"{computed}",
        columns,
        rows,
        [
            "The best setting is found with the labels of the test set: it is a bound on what the "
            "method can reach, and no result of it."
        ],
    )
