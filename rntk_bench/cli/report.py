"""`rntk-bench report`: run records on one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli import _paths as paths
from rntk_bench.cli import _selection
from rntk_bench.cli._output import check_not_input, output_errors, write_text


@click.command()
@_selection.selection_options
@_selection.published_options
@_selection.paper
@options.data_dir
@options.cache_dir
@click.option(
    "-o",
    "--output",
    type=paths.FILE,
    default=Path("results/report.html"),
    show_default=True,
    help="File of the page.",
)
def report(
    with_paper: bool,
    data_dir: Path | None,
    cache_dir: Path | None,
    output: Path,
    **selected: Any,
) -> None:
    """Write one HTML page of run records: tables, figures and a section for each dataset.

    The page loads no other files. Its confusion matrices need the labels of the datasets, which
    records do not contain: datasets are read from --data-dir, earlier downloads and packages.
    """
    from rntk_bench.report.page.labels import Labels
    from rntk_bench.report.page.render import render_page
    from rntk_bench.report.plots import figures
    from rntk_bench.storage.atomic import check_writable

    check_not_input(output)
    figures.require_packages("networkx")
    results = _selection.load_results(**selected)
    with output_errors(output):
        check_writable(output.parent)
    write_text(render_page(results, Labels(data_dir, cache_dir), with_paper), output)
    options.print_files([output])
