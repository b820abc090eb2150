"""The paper's Tables 1 and 2 from one's own results, beside the paper's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from rntk_bench.report import paper
from rntk_bench.report.cells import Cell, Column, Table
from rntk_bench.report.results import SMALLER_GRID, Results, display_name
from rntk_bench.report.statistics import summarize

_SHARED_ROW_NOTE = (
    f"In the paper's row {paper.SHARED_ROW} the kernels' entries are those of "
    f"{paper.KERNELS_OF_SHARED_ROW}, and are compared with it."
)


def table1(results: Results, with_paper: bool = True) -> Table:
    """Mean, deviation and mean rank of each method over the datasets on which all have results."""
    methods = [
        method
        for method in results.methods
        if any((dataset, method) in results.accuracy for dataset in results.datasets)
    ]
    complete = [
        dataset
        for dataset in results.datasets
        if methods and all((dataset, method) in results.accuracy for method in methods)
    ]
    accuracies = [
        [100 * results.accuracy[dataset, method] for method in methods] for dataset in complete
    ]
    columns = [Column("method"), Column("datasets"), *_summary_columns("ours")]
    mixed = {
        method: sum((dataset, method) in results.smaller_grid for dataset in complete)
        for method in methods
    }
    rows = [
        [
            Cell(display_name(method)),
            Cell(_result_count(results, method), ".0f"),
            *(replace(cell, mark=SMALLER_GRID if mixed[method] else "") for cell in cells),
        ]
        for method, cells in zip(methods, _summary_cells(accuracies, len(methods)), strict=True)
    ]
    notes = list(results.notes)
    notes += [
        f"{SMALLER_GRID} {display_name(method)}: on {count} of these {len(complete)} datasets "
        "with a smaller grid."
        for method, count in mixed.items()
        if count
    ]
    if len(methods) < len(results.methods):
        absent = [display_name(name) for name in results.methods if name not in methods]
        notes.append(f"Without any result: {', '.join(absent)}.")
    if with_paper:
        columns += _summary_columns("paper")
        cells_of, paper_notes = _paper_summaries(methods, complete)
        for method, row in zip(methods, rows, strict=True):
            row += cells_of.get(method, [Cell(None)] * 3)
        notes += paper_notes
    caption = (
        "Test accuracy in percent and mean rank, over the "
        f"{len(complete)} of {len(results.datasets)} datasets with results of every method"
    )
    return Table("Table 1", caption, columns, rows, notes)


def table2(results: Results, with_paper: bool = True) -> Table:
    """Accuracy of each method on each dataset, the best of each row in bold."""
    columns = [Column("dataset")]
    for method in results.methods:
        columns += _accuracy_columns(method, with_paper)
    rows = []
    for dataset in results.datasets:
        known = [
            results.accuracy[dataset, method]
            for method in results.methods
            if (dataset, method) in results.accuracy
        ]
        best = max(known) if len(known) > 1 else None
        row = [Cell(dataset)]
        for method in results.methods:
            row += _accuracy_cells(results, dataset, method, best, with_paper)
        rows.append(row)
    notes = list(results.notes)
    if with_paper and {paper.SHARED_ROW, paper.KERNELS_OF_SHARED_ROW} & set(results.datasets):
        notes.append(_SHARED_ROW_NOTE)
    return Table("Table 2", "Test accuracy in percent", columns, rows, notes)


def _accuracy_columns(method: str, with_paper: bool) -> list[Column]:
    name = display_name(method)
    if not with_paper or method not in paper.METHODS:
        return [Column(name)]
    return [Column(title, name) for title in ("ours", "paper", "diff")]


def _accuracy_cells(
    results: Results, dataset: str, method: str, best: Fraction | None, with_paper: bool
) -> list[Cell]:
    """Cells of one method on one dataset, as many as it has columns."""
    accuracy = results.accuracy.get((dataset, method))
    if accuracy is not None:
        mark = SMALLER_GRID if (dataset, method) in results.smaller_grid else ""
        cells = [Cell(100 * accuracy, ".2f", bold=accuracy == best, mark=mark)]
    else:
        cells = [Cell("failed" if (dataset, method) in results.failed else None)]
    if with_paper and method in paper.METHODS:
        printed = paper.paper_accuracy(dataset, method)
        difference = None
        if accuracy is not None and printed is not None:
            difference = 100 * accuracy - printed
        cells += [Cell(printed, ".2f"), Cell(difference, "+z.2f")]
    return cells


def _result_count(results: Results, method: str) -> int:
    return sum(name == method for _, name in results.accuracy)


def _summary_columns(group: str) -> list[Column]:
    return [Column("mean", group), Column("std", group), Column("rank", group)]


def _summary_cells(accuracies: Sequence[Sequence[Fraction]], n_methods: int) -> list[list[Cell]]:
    """Mean, deviation and rank of each method, the best mean and rank in bold."""
    if not any(accuracies):
        return [[Cell(None)] * 3 for _ in range(n_methods)]
    summaries = summarize(accuracies)
    mean = max(summary.mean for summary in summaries)
    rank = min(summary.rank for summary in summaries)
    several = n_methods > 1
    return [
        [
            Cell(summary.mean, ".2f", bold=several and summary.mean == mean),
            Cell(summary.std, ".2f"),
            Cell(summary.rank, ".2f", bold=several and summary.rank == rank),
        ]
        for summary in summaries
    ]


def _paper_summaries(
    methods: Sequence[str], datasets: Sequence[str]
) -> tuple[dict[str, list[Cell]], list[str]]:
    """The paper's numbers over the same datasets and methods, as far as it has them."""
    methods = [method for method in methods if method in paper.METHODS]
    rows = [[paper.paper_accuracy(dataset, method) for method in methods] for dataset in datasets]
    complete = [[entry for entry in row if entry is not None] for row in rows if None not in row]
    cells = _summary_cells(complete, len(methods))
    printed = [
        "{} {} ± {} ({})".format(display_name(method), *paper.PRINTED_TABLE1[method])
        for method in methods
    ]
    notes = [
        f"Paper: its Table 2 over the {len(complete)} of these datasets that it reports, ranked "
        "among the methods shown.",
        "Printed in the paper over its 53 datasets, mean ± std (rank among seven methods): "
        f"{', '.join(printed)}.",
    ]
    misprints = [
        f"{getattr(paper.PRINTED_TABLE1[method], field)} ({display_name(method)}) should be {right}"
        for (method, field), right in paper.TABLE1_MISPRINTS.items()
        if method in methods
    ]
    if misprints:
        notes.append(
            f"By the paper's Table 2, cut to two decimals as Table 1 is, {', '.join(misprints)}."
        )
    return dict(zip(methods, cells, strict=True)), notes if methods else []
