"""`rntk-bench report`: everything about run records on one page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli import _paths as paths
from rntk_bench.cli import _selection as selecting
from rntk_bench.cli._output import check_not_input
from rntk_bench.errors import StorageError


@click.command()
@selecting.selection
@selecting.published
@selecting.paper
@options.data_dir
@options.cache_dir
@click.option(
    "-o",
    "--output",
    type=paths.FILE,
    default=Path("results/report.html"),
    show_default=True,
    help="The page.",
)
def report(
    with_paper: bool,
    data_dir: Path | None,
    cache_dir: Path | None,
    output: Path,
    **selected: Any,
) -> None:
    """Write one HTML page of run records: tables, figures and a section for each dataset.

    The page needs nothing but itself. Its confusion matrices need the datasets, since records hold
    predictions and no labels: those of --data-dir, earlier downloads and packaged copies are read.
    """
    from rntk_bench.report.page.labels import Labels
    from rntk_bench.report.page.render import render_page
    from rntk_bench.report.plots import figures
    from rntk_bench.storage.atomic import check_writable, write_atomically
    from rntk_bench.storage.encoding import encode

    check_not_input(output)
    figures.require_packages("networkx")
    results = selecting.collected_with(**selected)
    with _written(output):
        check_writable(output.parent)
    page = render_page(results, Labels(data_dir, cache_dir), with_paper)
    with _written(output):
        write_atomically(output, encode(page), durable=False)
    options.print_files([output])


@contextmanager
def _written(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"Cannot write {output}: {error.strerror}; choose another file with --output."
        ) from error
