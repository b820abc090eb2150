"""`rntk-bench audit`: the paper's tables held against arithmetic."""

from __future__ import annotations

from pathlib import Path

import click

from rntk_bench.cli import _output as to


@click.command()
@click.argument("number", required=False, type=click.Choice(["1", "2"]))
@to.style
@to.standalone
@to.output
def audit(number: str | None, style: str, standalone: bool, output: Path | None) -> None:
    """Print what cannot be in the paper's Table 1 (from its Table 2) or 2 (entries), or both.

    It is a report: the exit code is 0 whatever it finds.
    """
    from rntk_bench.report.tables.audit import audit_table1, audit_table2

    to.check_output(output)
    builders = {"1": audit_table1, "2": audit_table2}
    tables = [build() for name, build in builders.items() if number in (None, name)]
    to.write_tables(tables, style, standalone, output)
