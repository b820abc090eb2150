"""`rntk-bench compare`: whether methods differ over datasets, and by how much."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from rntk_bench.cli import _output as to
from rntk_bench.cli import _selection as selecting


@click.command()
@click.argument("part", required=False, type=click.Choice(["ranks", "pairs"]))
@to.style
@to.standalone
@selecting.compared
@selecting.alpha
@to.output
def compare(
    part: str | None,
    style: str,
    standalone: bool,
    alpha: float,
    output: Path | None,
    **selected: Any,
) -> None:
    """Test whether methods differ over datasets: mean ranks with Friedman's test, and all pairs
    with Wilcoxon's signed-rank test under Holm's correction, or one of these tables."""
    from rntk_bench.report.results.comparison import compare as compared
    from rntk_bench.report.tables.comparison import pairs_table, ranks_table

    to.check_output(output)
    accuracies, notes = selecting.side_by_side(**selected)
    found = compared(accuracies)
    builders = {"ranks": ranks_table, "pairs": pairs_table}
    tables = [build(found, alpha) for name, build in builders.items() if part in (None, name)]
    tables[0] = replace(tables[0], notes=[*found.notes, *tables[0].notes, *notes])
    to.write_tables(tables, style, standalone, output)
