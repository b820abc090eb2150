"""`rntk-bench table`: the paper's tables and their noise, from run records."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli import _output, _selection


@click.command()
@click.argument("part", required=False, type=click.Choice(["1", "2", "noise"]))
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
    part: str | None,
    table_format: str,
    standalone: bool,
    with_paper: bool,
    metrics: bool,
    sort: str | None,
    digits: int,
    output: Path | None,
    **selected: Any,
) -> None:
    """Print the paper's Table 1 (summary) or 2 (every dataset) from run records, or both.

    "noise" is a table of its own: how much of the mean accuracies is chance, because test sets are
    finite and because of the folds' seed.
    """
    from rntk_bench.report.tables.noise import noise_table
    from rntk_bench.report.tables.paper import table1, table2
    from rntk_bench.report.tables.sorting import sort_tables

    _output.check_output(output)
    if part in ("2", "noise"):
        options.reject_unused(["metrics"], "adds columns to Table 1, which is not printed")
    if part == "noise":
        options.reject_unused(
            ["with_paper", "average"], "has no effect on the noise of the archive's splits"
        )
    results = _selection.load_results(**selected)
    builders = {
        "1": partial(table1, results, with_paper, digits=digits, metrics=metrics),
        "2": partial(table2, results, with_paper, digits=digits),
        "noise": partial(noise_table, results, digits=digits),
    }
    tables = [builders[name]() for name in ([part] if part else ["1", "2"])]
    if sort is not None:
        tables = sort_tables(tables, sort)
    _output.write_tables(tables, table_format, standalone, output)
