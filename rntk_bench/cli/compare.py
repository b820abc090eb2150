"""`rntk-bench compare`: whether methods differ over datasets, and by how much."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from rntk_bench.cli import _output, _selection


@click.command()
@click.argument("part", required=False, type=click.Choice(["ranks", "pairs"]))
@_output.table_format
@_output.standalone
@_selection.accuracy_table_options
@_selection.alpha
@_output.output
def compare(
    part: str | None,
    table_format: str,
    standalone: bool,
    alpha: float,
    output: Path | None,
    **selected: Any,
) -> None:
    """Test whether methods differ over datasets: mean ranks with Friedman's test, and all pairs
    with Wilcoxon's signed-rank test and Holm's correction, or one of these tables."""
    from rntk_bench.report.results.comparison import compare_methods
    from rntk_bench.report.tables.comparison import pairs_table, ranks_table

    _output.check_output(output)
    accuracies, notes = _selection.load_accuracy_table(**selected)
    comparison = compare_methods(accuracies)
    builders = {"ranks": ranks_table, "pairs": pairs_table}
    tables = [build(comparison, alpha) for name, build in builders.items() if part in (None, name)]
    tables[0] = replace(tables[0], notes=[*comparison.notes, *tables[0].notes, *notes])
    _output.write_tables(tables, table_format, standalone, output)
