"""`rntk-bench plot`: pictures of one's own results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _completion as names
from rntk_bench.cli import _options as options
from rntk_bench.cli import _selection as selecting
from rntk_bench.cli._output import check_not_input
from rntk_bench.cli._streams import note
from rntk_bench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@click.group()
def plot() -> None:
    """Draw pictures of run records; each writes a PNG, a PDF, an SVG and a CSV."""


@plot.command()
@selecting.compared
@selecting.alpha
@click.option(
    "--nemenyi", is_flag=True, help="Show the critical difference of Nemenyi's test as a scale."
)
@options.out
def cd(alpha: float, nemenyi: bool, out: Path, **selected: Any) -> None:
    """Critical-difference diagram: mean ranks, and bars that join methods not told apart."""
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.cd import joined, plot_cd
    from rntk_bench.report.results.comparison import compare

    figures.require_packages("networkx")
    whole = _whole(*selecting.side_by_side(**selected))
    found = compare(whole)
    bars = joined(found, alpha)
    rows = found.ranks.rename_axis("method").reset_index(name="rank")
    rows["bars"] = [
        " ".join(str(k) for k, bar in enumerate(bars, start=1) if name in bar)
        for name in rows["method"]
    ]
    _save(plot_cd(whole, alpha, nemenyi), out, "cd", rows)


@plot.command()
@click.argument("a", metavar="METHOD", shell_complete=names.recorded_methods)
@click.argument("b", metavar="OTHER", shell_complete=names.recorded_methods)
@selecting.compared
@options.out
def scatter(a: str, b: str, out: Path, **selected: Any) -> None:
    """Accuracies of METHOD against those of OTHER, a point a dataset.

    Methods are named as for 'run', or by their titles in the tables.
    """
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.scatter import plot_scatter
    from rntk_bench.report.results.accuracies import column, paper_columns

    figures.require_packages()
    accuracies, notes = selecting.side_by_side(**selected)
    a, b = column(accuracies, a), column(accuracies, b)
    if selected["with_paper"] and not {a, b} & paper_columns(accuracies):
        raise InputError(
            "--paper adds the paper's numbers as methods, and neither of the two is one of these; "
            "name 'RNTK (paper)', for example, or leave it out."
        )
    if a == b:
        raise InputError(f"A scatter plot needs two methods, not {a} twice.")
    picture = plot_scatter(accuracies, a, b)
    both = _whole(accuracies[[a, b]], notes)
    _save(picture, out, f"scatter-{a}-{b}", both.reset_index())


@plot.command()
@selecting.compared
@options.out
def box(out: Path, **selected: Any) -> None:
    """Box plot of each method's accuracies over the datasets that all methods have."""
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.box import plot_box

    figures.require_packages()
    whole = _whole(*selecting.side_by_side(**selected))
    _save(plot_box(whole), out, "box", whole.reset_index())


@plot.command()
@click.argument("dataset", shell_complete=names.recorded_datasets)
@click.argument("method", default="rntk", shell_complete=names.recorded_methods)
@options.results
@selecting.protocols
@click.option("--x", metavar="PARAMETER", help="Horizontal axis.  [default: sigma_w, or the like]")
@click.option("--y", metavar="PARAMETER", help="Vertical axis.  [default: sigma_b, or the like]")
@options.out
def grid(
    dataset: str,
    method: str,
    results: Path,
    protocols: tuple[str, ...],
    x: str | None,
    y: str | None,
    out: Path,
) -> None:
    """Heat map of METHOD's validation accuracy on DATASET over two parameters of its grid.

    METHOD is rntk if it is left out. Each cell is the best over all other parameters; dots mark
    ties for the best, a star the chosen setting.
    """
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.grid import axes_of, plot_grid
    from rntk_bench.report.results.validation import validation_grid

    figures.require_packages()
    found = selecting.collected(results, (dataset,), (method,), protocols=protocols)
    for line in found.notes:
        note(line)
    record = found.records[dataset, method]
    validation = validation_grid(record)
    x, y = axes_of(validation, x, y)
    _save(plot_grid(record, x, y), out, f"grid-{dataset}-{method}", validation.table(x, y))


def _whole(accuracies: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """The datasets that every method has, and notes on these and on where results come from."""
    from rntk_bench.report.results.accuracies import complete

    whole, left_out = complete(accuracies)
    for line in (*left_out, *notes):
        note(line)
    return whole


def _save(picture: Figure, out: Path, name: str, rows: pd.DataFrame) -> None:
    from rntk_bench.report.plots import figures

    kinds = ("png", "pdf", "svg")
    name = figures.safe_file_name(name)
    check_not_input(out / f"{name}.csv")
    options.print_files(figures.save(picture, out, name, rows, kinds))
