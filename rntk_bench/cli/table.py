"""`rntk-bench table`: the paper's tables, from run records."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli import _output, _selection


@click.command()
@click.argument("number", required=False, type=click.Choice(["1", "2"]))
@_output.table_format
@_output.standalone
@_selection.selection_options
@_selection.paper
@_selection.published_options
@click.option("--metrics", is_flag=True, help="Add the Friedman rank, P90, P95 and PMA to Table 1.")
@click.option(
    "--sort",
    metavar="COLUMN",
    help="Sort the rows by this column, ascending; descending with - before it.",
)
@click.option(
    "--digits", type=click.IntRange(0, 6), default=2, show_default=True, help="Number of decimals."
)
@_output.output
def table(
    number: str | None,
    table_format: str,
    standalone: bool,
    with_paper: bool,
    metrics: bool,
    sort: str | None,
    digits: int,
    output: Path | None,
    **selected: Any,
) -> None:
    """Print the paper's Table 1 (summary) or 2 (every dataset) from run records, or both."""
    from rntk_bench.report.tables.paper import table1, table2
    from rntk_bench.report.tables.sorting import sort_tables

    _output.check_output(output)
    if number == "2":
        options.reject_unused(["metrics"], "adds columns to Table 1, but only Table 2 is printed")
    results = _selection.load_results(**selected)
    builders = {
        "1": partial(table1, results, with_paper, digits=digits, metrics=metrics),
        "2": partial(table2, results, with_paper, digits=digits),
    }
    tables = [build() for name, build in builders.items() if number in (None, name)]
    if sort is not None:
        tables = sort_tables(tables, sort)
    _output.write_tables(tables, table_format, standalone, output)
