"""`rntk-bench table`: the paper's tables from one's own run records."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import output as to
from rntk_bench.cli import selecting
from rntk_bench.errors import InputError

if TYPE_CHECKING:
    from rntk_bench.report.results import Results


@click.command()
@click.argument("number", required=False, type=click.Choice(["1", "2"]))
@to.style
@to.standalone
@selecting.selection
@click.option(
    "--paper/--no-paper",
    "with_paper",
    default=True,
    show_default=True,
    help="Put the paper's numbers beside one's own.",
)
@click.option(
    "--with",
    "files",
    metavar="FILE",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Add the accuracies of a CSV file, a row a dataset and a column a classifier, fractions "
    "or percent; may be repeated.",
)
@click.option(
    "--column",
    "columns",
    metavar="NAME",
    multiple=True,
    help="Of the files of --with, add only this column; may be repeated.",
)
@click.option("--metrics", is_flag=True, help="Add the Friedman rank, P90, P95 and PMA to Table 1.")
@click.option(
    "--sort",
    metavar="COLUMN",
    help="Sort the rows by this column, upwards; downwards with - before it.",
)
@click.option("--digits", type=click.IntRange(0, 6), default=2, show_default=True, help="Decimals.")
@to.output
def table(
    number: str | None,
    style: str,
    standalone: bool,
    with_paper: bool,
    files: tuple[Path, ...],
    columns: tuple[str, ...],
    metrics: bool,
    sort: str | None,
    digits: int,
    output: Path | None,
    **selected: Any,
) -> None:
    """Print the paper's Table 1 (summary) or 2 (every dataset) from run records, or both."""
    from rntk_bench.report.sorting import sort_tables
    from rntk_bench.report.tables import table1, table2

    results = _with_files(selecting.collected(**selected), files, columns)
    builders = {
        "1": partial(table1, results, with_paper, digits=digits, metrics=metrics),
        "2": partial(table2, results, with_paper, digits=digits),
    }
    tables = [build() for name, build in builders.items() if number in (None, name)]
    if sort is not None:
        tables = sort_tables(tables, sort)
    to.write_tables(tables, style, standalone, output)


def _with_files(results: Results, files: tuple[Path, ...], columns: tuple[str, ...]) -> Results:
    """Add the files' columns, and say how they were read."""
    from rntk_bench.report.join import join
    from rntk_bench.report.published import choose, read_published

    if columns and not files:
        raise InputError("--column chooses among the columns of a file: name one with --with.")
    read = [column for path in dict.fromkeys(files) for column in read_published(path)]
    joined, report = join(results, choose(read, columns) if read else [])
    for line in report:
        click.echo(f"Note: {line}", err=True)
    return joined
