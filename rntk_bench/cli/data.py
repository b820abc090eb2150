"""The commands `datasets` and `fetch`: what can be loaded, and bringing it to this machine."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from rntk_bench.cli import _completion as names
from rntk_bench.cli import _options as options
from rntk_bench.cli._streams import say
from rntk_bench.errors import DataError, one_line

_COLUMNS = ("name", "source", "n_train", "n_test", "length", "n_classes")


@click.command()
@options.data_dir
@options.cache_dir
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "csv"]),
    default="text",
    show_default=True,
    help="How the table is printed.",
)
def datasets(data_dir: Path | None, cache_dir: Path | None, style: str) -> None:
    """List the datasets and where each would be read from.

    The source is "folder" for --data-dir, "cache" for an earlier download, the package that carries
    a copy, or "download". Sizes are the archive's; other datasets are read to find theirs.
    """
    from rntk_bench.datasets import dataset_names

    rows = [_COLUMNS, *(_row(name, data_dir, cache_dir) for name in dataset_names(data_dir))]
    if style == "csv":
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        texts, numbers = row[:2], row[2:]
        cells = [one_line(text).ljust(width) for text, width in zip(texts, widths[:2], strict=True)]
        cells += [text.rjust(width) for text, width in zip(numbers, widths[2:], strict=True)]
        click.echo("  ".join(cells))


def _row(name: str, data_dir: Path | None, cache_dir: Path | None) -> tuple[str, ...]:
    from rntk_bench.datasets import ARCHIVE, locate

    try:
        location = locate(name, data_dir=data_dir, cache_dir=cache_dir)
        sizes = ARCHIVE[name] if name in ARCHIVE else location.read()
    except DataError as error:
        click.echo(f"Warning: {error}", err=True)
        return (name, "unusable", *["-"] * 4)
    numbers = (sizes.n_train, sizes.n_test, sizes.length, sizes.n_classes)
    return (name, location.source, *map(str, numbers))


@click.command()
@click.argument("wanted", metavar="[NAME]...", nargs=-1, shell_complete=names.datasets)
@click.option("--all", "everything", is_flag=True, help="Fetch every dataset of the archive.")
@options.data_dir
@options.cache_dir
def fetch(
    wanted: tuple[str, ...], everything: bool, data_dir: Path | None, cache_dir: Path | None
) -> None:
    """Download the datasets that are not on this machine yet.

    One that fails does not stop the others; the exit code is then 2. The environment variable
    RNTK_BENCH_MIRROR replaces the addresses that are asked, as in https://example.org/TSC for
    https://example.org/TSC/Beef.zip.
    """
    from tqdm import tqdm

    from rntk_bench.datasets import ARCHIVE

    if everything == bool(wanted):
        raise click.UsageError("Give the names of the datasets, or --all.")
    failed = False
    # disable=None draws the progress line on terminals only.
    for name in tqdm(tuple(ARCHIVE) if everything else wanted, disable=None, leave=False):
        try:
            said, error = f"{one_line(name)}: {_fetch(name, data_dir, cache_dir)}", False
        except DataError as reason:
            said, error = f"Error: {reason}", True
        with tqdm.external_write_mode():
            say(said, err=error)
        failed = failed or error
    if failed:
        raise click.exceptions.Exit(DataError.exit_code)


def _fetch(name: str, data_dir: Path | None, cache_dir: Path | None) -> str:
    """Fetch one dataset and say what happened."""
    from rntk_bench.datasets import fetch_dataset, locate, needs_download

    location = locate(name, data_dir=data_dir, cache_dir=cache_dir)
    if needs_download(location):
        return f"downloaded to {fetch_dataset(name, cache_dir=cache_dir)}"
    return f"already here, from {location.source} ({location.paths[0].parent})"
