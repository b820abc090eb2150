"""`rntk-bench plot`: figures of run records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _completion, _selection
from rntk_bench.cli import _options as options
from rntk_bench.cli._output import check_not_input
from rntk_bench.cli._streams import note
from rntk_bench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@click.group()
def plot() -> None:
    """Draw figures of run records, each as PNG, PDF and SVG, with its data as CSV."""


@plot.command()
@_selection.accuracy_table_options
@_selection.alpha
@click.option(
    "--nemenyi", is_flag=True, help="Also show the critical difference of Nemenyi's test."
)
@options.out
def cd(alpha: float, nemenyi: bool, out: Path, **selected: Any) -> None:
    """Critical-difference diagram: mean ranks, and bars that join indistinguishable methods."""
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.cd import indistinguishable_groups, plot_cd
    from rntk_bench.report.results.comparison import compare_methods

    figures.require_packages("networkx")
    complete = _common_datasets(*_selection.load_accuracy_table(**selected))
    comparison = compare_methods(complete)
    bars = indistinguishable_groups(comparison, alpha)
    rows = comparison.ranks.rename_axis("method").reset_index(name="rank")
    rows["bars"] = [
        " ".join(str(k) for k, bar in enumerate(bars, start=1) if name in bar)
        for name in rows["method"]
    ]
    _save(plot_cd(complete, alpha, nemenyi), out, "cd", rows)


@plot.command()
@click.argument("a", metavar="METHOD", shell_complete=_completion.recorded_methods)
@click.argument("b", metavar="OTHER", shell_complete=_completion.recorded_methods)
@_selection.accuracy_table_options
@options.out
def scatter(a: str, b: str, out: Path, **selected: Any) -> None:
    """Accuracies of METHOD against those of OTHER, one point per dataset.

    Methods are named as for 'run', or by their titles in tables.
    """
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.scatter import plot_scatter
    from rntk_bench.report.results.accuracies import find_column, paper_columns

    figures.require_packages()
    accuracies, notes = _selection.load_accuracy_table(**selected)
    a, b = find_column(accuracies, a), find_column(accuracies, b)
    if selected["with_paper"] and not {a, b} & paper_columns(accuracies):
        raise InputError(
            "--paper adds the paper's numbers as methods, and neither of the two is one of these; "
            "name 'RNTK (paper)', for example, or leave it out."
        )
    if a == b:
        raise InputError(f"A scatter plot needs two methods, not {a} twice; name another.")
    figure = plot_scatter(accuracies, a, b)
    common = _common_datasets(accuracies[[a, b]], notes)
    _save(figure, out, f"scatter-{a}-{b}", common.reset_index())


@plot.command()
@_selection.accuracy_table_options
@options.out
def box(out: Path, **selected: Any) -> None:
    """Box plot of each method's accuracies over the datasets that all methods have."""
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.box import plot_box

    figures.require_packages()
    complete = _common_datasets(*_selection.load_accuracy_table(**selected))
    _save(plot_box(complete), out, "box", complete.reset_index())


@plot.command()
@click.argument("dataset", shell_complete=_completion.recorded_datasets)
@click.argument("method", default="rntk", shell_complete=_completion.recorded_methods)
@options.results
@_selection.protocols
@_selection.one_resample
@click.option("--x", metavar="PARAMETER", help="Horizontal axis.  [default: sigma_w, or similar]")
@click.option("--y", metavar="PARAMETER", help="Vertical axis.  [default: sigma_b, or similar]")
@options.out
def grid(
    dataset: str,
    method: str,
    results: Path,
    protocols: tuple[str, ...],
    resample: int,
    x: str | None,
    y: str | None,
    out: Path,
) -> None:
    """Heat map of the validation accuracy of METHOD on DATASET over two parameters of its grid.

    METHOD is rntk by default. Each value is the best over all other parameters; dots mark the
    settings that tie for the best, a star the chosen setting.
    """
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.grid import choose_axes, plot_grid
    from rntk_bench.report.results.validation import validation_grid

    figures.require_packages()
    loaded = _selection.load_results(
        results, datasets=(dataset,), methods=(method,), protocols=protocols, resample=resample
    )
    if len(loaded.datasets) > 1:
        raise InputError(f"{dataset!r} stands for {len(loaded.datasets)} datasets; name one.")
    (dataset,) = loaded.datasets
    for line in loaded.notes:
        note(line)
    record = loaded.records[dataset, method]
    validation = validation_grid(record)
    x, y = choose_axes(validation, x, y)
    name = f"grid-{dataset}-{method}" + (f"-resample{resample}" if resample else "")
    _save(plot_grid(record, x, y), out, name, validation.to_frame(x, y))


def _common_datasets(accuracies: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Keep the datasets that every method has, and print the notes on the results."""
    from rntk_bench.report.results.accuracies import drop_incomplete

    complete, left_out = drop_incomplete(accuracies)
    for line in (*left_out, *notes):
        note(line)
    return complete


def _save(figure: Figure, out: Path, name: str, rows: pd.DataFrame) -> None:
    from rntk_bench.report.plots import figures

    formats = ("png", "pdf", "svg")
    name = figures.safe_file_name(name)
    check_not_input(out / f"{name}.csv")
    options.print_files(figures.save(figure, out, name, rows, formats))
