"""The paper's Tables 1 and 2 from run records, with the paper's numbers for comparison."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rntk_bench.methods import display_name
from rntk_bench.report.results import paper
from rntk_bench.report.results.audit import table1_misprints
from rntk_bench.report.results.results import SMALLER_GRID, Results
from rntk_bench.report.results.rounding import nearest_count
from rntk_bench.report.results.statistics import relative_metrics, summarize
from rntk_bench.report.tables.table import Cell, Column, Table

_SHARED_ROW_NOTE = (
    f"In the paper's row {paper.SHARED_ROW} the kernels' entries are those of "
    f"{paper.KERNELS_OF_SHARED_ROW}, and are compared with it."
)


_ChooseBest = Callable[[Iterable[Any]], Any]
_TABLE1: list[tuple[str, _ChooseBest | None]] = [("mean", max), ("std", None), ("rank", min)]
_METRICS: list[tuple[str, _ChooseBest | None]] = [
    ("Friedman rank", min),
    ("P90", max),
    ("P95", max),
    ("PMA", max),
]
_METRICS_NOTE = (
    "Friedman rank: mean rank, ties share the mean of theirs (rank: all take the smallest). P90, "
    "P95: percent of the datasets on which the accuracy is at least 90, 95 % of the best there. "
    "PMA: mean percentage of the best accuracy (Fernandez-Delgado et al., 2014)."
)


def table1(
    results: Results, with_paper: bool = True, *, digits: int = 2, metrics: bool = False
) -> Table:
    """Mean, standard deviation and mean rank of each method over the datasets that all have.

    Parameters
    ----------
    results : Results
    with_paper : bool
        Whether to add the paper's numbers over the same datasets.
    digits : int
        Number of decimals.
    metrics : bool
        Whether to add the Friedman rank, P90, P95 and PMA (`statistics.Metrics`; fractions in
        percent).
    """
    methods, complete = results.complete()
    accuracies = [
        [100 * results.accuracy[dataset, method] for method in methods] for dataset in complete
    ]
    ours = "ours and published" if results.published else "ours"
    columns = [Column("method"), Column("datasets"), *_summary_columns(ours, metrics)]
    summaries = _summary_cells(accuracies, len(methods), digits, metrics)
    n_smaller_grid = {
        method: sum((dataset, method) in results.smaller_grid for dataset in complete)
        for method in methods
    }
    rows = [
        [
            Cell(display_name(method)),
            Cell(_result_count(results, method), ".0f"),
            *(replace(cell, mark=SMALLER_GRID if n_smaller_grid[method] else "") for cell in cells),
        ]
        for method, cells in zip(methods, summaries, strict=True)
    ]
    notes = list(results.notes)
    notes += [
        f"{SMALLER_GRID} {display_name(method)}: on {count} of these {len(complete)} datasets "
        "with a smaller grid."
        for method, count in n_smaller_grid.items()
        if count
    ]
    if len(methods) < len(results.methods):
        without_results = [display_name(name) for name in results.methods if name not in methods]
        notes.append(f"Without any result: {', '.join(without_results)}.")
    if with_paper:
        notes += _archive_split_note(results)
        columns += _summary_columns("paper", metrics)
        cells_of, paper_notes = _paper_summaries(methods, complete, digits, metrics)
        for method, row in zip(methods, rows, strict=True):
            row += cells_of.get(method, [Cell(None)] * len(_titles(metrics)))
        notes += paper_notes
    if metrics:
        notes.append(_METRICS_NOTE)
    caption = (
        "Test accuracy in percent and mean rank, over the "
        f"{len(complete)} of {len(results.datasets)} datasets with results of every method"
    )
    return Table("Table 1", caption, columns, rows, notes)


def table2(results: Results, with_paper: bool = True, *, digits: int = 2) -> Table:
    """Accuracy of each method on each dataset, the best of each row in bold.

    A mean over resamples is followed by its standard error. The parameters are those of `table1`.
    """
    columns = [Column("dataset")]
    for method in results.methods:
        columns += _accuracy_columns(results, method, with_paper)
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
            row += _accuracy_cells(results, dataset, method, best, with_paper, digits)
        rows.append(row)
    notes = list(results.notes)
    if with_paper:
        notes += [*_archive_split_note(results), *_agreement_notes(results)]
    if with_paper and {paper.SHARED_ROW, paper.KERNELS_OF_SHARED_ROW} & set(results.datasets):
        notes.append(_SHARED_ROW_NOTE)
    return Table("Table 2", "Test accuracy in percent", columns, rows, notes)


def _archive_split_note(results: Results) -> list[str]:
    """What to say of the paper's numbers next to means over resamples."""
    return ["The paper's numbers are of the archive's split."] if results.standard_error else []


def _agreement_notes(results: Results) -> list[str]:
    """How far each method's accuracies are from the paper's."""
    sentences = []
    for method in results.methods:
        differences, n_near_equal = [], 0
        for dataset in results.datasets:
            ours = results.accuracy.get((dataset, method))
            printed = paper.paper_accuracy(dataset, method)
            n = results.test_set_size(dataset)
            if ours is not None and printed is not None and n is not None:
                differences.append(abs(100 * ours - printed))
                n_near_equal += abs(round(n * ours) - nearest_count(printed / 100, n)) <= 1
        if differences:
            mean = float(statistics.mean(differences))
            sentences.append(
                f"{display_name(method)} {mean:.2f} ({n_near_equal} of {len(differences)})"
            )
    if not sentences:
        return []
    return [
        "Mean absolute difference from the paper in points (datasets with a difference of one test "
        f"series or none): {', '.join(sentences)}."
    ]


def _accuracy_columns(results: Results, method: str, with_paper: bool) -> list[Column]:
    name = display_name(method)
    titles = ["ours", "paper", "diff"] if with_paper and method in paper.METHODS else [""]
    if results.standard_error:
        titles[:1] = ["mean", "se"]
    return [Column(title, name) if title else Column(name) for title in titles]


def _accuracy_cells(
    results: Results,
    dataset: str,
    method: str,
    best: Fraction | None,
    with_paper: bool,
    digits: int,
) -> list[Cell]:
    """The cells of one method on one dataset, one per column of the method."""
    accuracy = results.accuracy.get((dataset, method))
    if accuracy is not None:
        mark = SMALLER_GRID if (dataset, method) in results.smaller_grid else ""
        cells = [Cell(100 * accuracy, f".{digits}f", bold=accuracy == best, mark=mark)]
    else:
        cells = [Cell("failed" if (dataset, method) in results.failed else None)]
    if results.standard_error:
        error = results.standard_error.get((dataset, method))
        cells.append(Cell(None if error is None else 100 * error, f".{digits}f"))
    if with_paper and method in paper.METHODS:
        printed = paper.paper_accuracy(dataset, method)
        difference = None
        if accuracy is not None and printed is not None:
            difference = 100 * accuracy - printed
        cells += [Cell(printed, f".{digits}f"), Cell(difference, f"+z.{digits}f")]
    return cells


def _result_count(results: Results, method: str) -> int:
    return sum(name == method for _, name in results.accuracy)


def _titles(metrics: bool) -> list[tuple[str, _ChooseBest | None]]:
    """Titles of the columns of a summary, and the function that chooses the best entry of each."""
    return _TABLE1 + _METRICS if metrics else _TABLE1


def _summary_columns(group: str, metrics: bool) -> list[Column]:
    return [Column(title, group) for title, _ in _titles(metrics)]


def _summary_cells(
    accuracies: Sequence[Sequence[Fraction]], n_methods: int, digits: int, metrics: bool
) -> list[list[Cell]]:
    """One row of statistics per method, the best entries in bold."""
    titles = _titles(metrics)
    if not any(accuracies):
        return [[Cell(None)] * len(titles) for _ in range(n_methods)]
    rows = [[summary.mean, summary.std, summary.rank] for summary in summarize(accuracies)]
    if metrics:
        for row, metric in zip(rows, relative_metrics(accuracies), strict=True):
            row += [metric.friedman_rank, 100 * metric.p90, 100 * metric.p95, 100 * metric.pma]
    best = [
        choose(column) if choose is not None and n_methods > 1 else None
        for (_, choose), column in zip(titles, zip(*rows, strict=True), strict=True)
    ]
    return [
        [
            Cell(value, f".{digits}f", bold=value is not None and value == highest)
            for value, highest in zip(row, best, strict=True)
        ]
        for row in rows
    ]


def _paper_summaries(
    methods: Sequence[str], datasets: Sequence[str], digits: int, metrics: bool
) -> tuple[dict[str, list[Cell]], list[str]]:
    """The paper's numbers over those of the datasets and methods that it has, and notes on them."""
    methods = [method for method in methods if method in paper.METHODS]
    rows = [[paper.paper_accuracy(dataset, method) for method in methods] for dataset in datasets]
    complete = [[entry for entry in row if entry is not None] for row in rows if None not in row]
    cells = _summary_cells(complete, len(methods), digits, metrics)
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
        f"{misprint.printed} ({display_name(misprint.method)}) should be {misprint.corrected}"
        for misprint in table1_misprints()
        if misprint.method in methods
    ]
    if misprints:
        notes.append(
            f"By the paper's Table 2, cut to two decimals as Table 1 is, {', '.join(misprints)}."
        )
    return dict(zip(methods, cells, strict=True)), notes if methods else []
