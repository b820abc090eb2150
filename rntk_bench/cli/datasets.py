"""`rntk-bench datasets`: the datasets that can be loaded, and where from."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli._streams import warn
from rntk_bench.errors import DataError, one_line

_COLUMNS = ("name", "source", "n_train", "n_test", "length", "n_classes")


@click.command()
@options.data_dir
@options.cache_dir
@click.option(
    "--format",
    "table_format",
    type=click.Choice(["text", "csv"]),
    default="text",
    show_default=True,
    help="Format of the table.",
)
def datasets(data_dir: Path | None, cache_dir: Path | None, table_format: str) -> None:
    """List the datasets and the source from which each would be read.

    The source is "folder" for --data-dir, "cache" for an earlier download, the name of the package
    that contains a copy, or "download". The sizes of the archive's datasets are those of its
    summary; other datasets are read.
    """
    from rntk_bench.datasets import dataset_names

    rows = [_COLUMNS, *(_row(name, data_dir, cache_dir) for name in dataset_names(data_dir))]
    if table_format == "csv":
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        texts, numbers = row[:2], row[2:]
        cells = [one_line(text).ljust(width) for text, width in zip(texts, widths[:2], strict=True)]
        cells += [text.rjust(width) for text, width in zip(numbers, widths[2:], strict=True)]
        click.echo("  ".join(cells))


def _row(name: str, data_dir: Path | None, cache_dir: Path | None) -> tuple[str, ...]:
    """The entries of `_COLUMNS` for one dataset."""
    from rntk_bench.datasets import ARCHIVE, locate

    try:
        location = locate(name, data_dir=data_dir, cache_dir=cache_dir)
        sizes = ARCHIVE[name] if name in ARCHIVE else location.read()
    except DataError as error:
        warn(str(error))
        return (name, "unusable", *["-"] * 4)
    counts = (sizes.n_train, sizes.n_test, sizes.length, sizes.n_classes)
    return (name, location.source, *map(str, counts))
