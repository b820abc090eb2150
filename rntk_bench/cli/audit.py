"""`rntk-bench audit`: errors in the paper's tables."""

from __future__ import annotations

from pathlib import Path

import click

from rntk_bench.cli import _output


@click.command()
@click.argument("number", required=False, type=click.Choice(["1", "2"]))
@_output.table_format
@_output.standalone
@_output.output
def audit(number: str | None, table_format: str, standalone: bool, output: Path | None) -> None:
    """Print the errors in Table 1 or Table 2 of the paper, or in both.

    Table 1 is recomputed from Table 2. An accuracy in Table 2 is an error if no number of correct
    predictions on the test set gives it. The exit code is 0 whether or not there are errors.
    """
    from rntk_bench.report.tables.audit import audit_table1, audit_table2

    _output.check_output(output)
    builders = {"1": audit_table1, "2": audit_table2}
    tables = [build() for name, build in builders.items() if number in (None, name)]
    _output.write_tables(tables, table_format, standalone, output)
