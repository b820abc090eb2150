"""`rntk-bench table`: the paper's tables from one's own run records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rntk_bench.cli import options, selecting
from rntk_bench.report.render import RENDERERS


@click.command()
@click.argument("number", required=False, type=click.Choice(["1", "2"]))
@click.option(
    "--format",
    "style",
    type=click.Choice(list(RENDERERS)),
    default="text",
    show_default=True,
    help="How to set the tables.",
)
@selecting.selection
@click.option(
    "--paper/--no-paper",
    "with_paper",
    default=True,
    show_default=True,
    help="Put the paper's numbers beside one's own.",
)
@options.output
def table(
    number: str | None, style: str, with_paper: bool, output: Path | None, **selected: Any
) -> None:
    """Print the paper's Table 1 (summary) or 2 (every dataset) from run records, or both."""
    from rntk_bench.report.tables import table1, table2

    results = selecting.collected(**selected)
    builders = {"1": table1, "2": table2}
    tables = [
        build(results, with_paper) for name, build in builders.items() if number in (None, name)
    ]
    options.write_tables(tables, style, output)
