"""Options that say which run records a command is about, and reading these."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import names, options, paths
from rntk_bench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from rntk_bench.report.results import Results

protocols = click.option(
    "--protocol",
    "protocols",
    metavar="ID",
    multiple=True,
    shell_complete=names.protocols,
    help="Keep only protocols whose identifier starts so; may be repeated.",
)

paper = click.option(
    "--paper/--no-paper",
    "with_paper",
    default=True,
    show_default=True,
    help="Put the paper's numbers beside one's own.",
)

alpha = click.option(
    "--alpha",
    type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Level at which Holm's correction tells methods apart.",
)


def selection(command: Callable[..., None]) -> Callable[..., None]:
    """Folder, datasets, methods and protocols, as keywords of `collected`."""
    for option in (
        protocols,
        click.option(
            "-c",
            "--config",
            type=paths.FILE,
            shell_complete=names.configurations,
            help="Keep the datasets and methods of this configuration.",
        ),
        options.methods("Keep these methods.", complete=names.recorded_methods),
        options.datasets("Keep these datasets.", names.recorded_datasets),
        options.results,
    ):
        command = option(command)
    return command


def collected(
    results: Path,
    datasets: tuple[str, ...] = (),
    methods: tuple[str, ...] = (),
    config: Path | None = None,
    protocols: tuple[str, ...] = (),
) -> Results:
    """The results that `selection` asks for; a warning for each file that cannot be read.

    Raises
    ------
    InputError
        There is no record, or none that was asked for.
    """
    from rntk_bench.config import read_experiment
    from rntk_bench.report.results import collect
    from rntk_bench.store.records import read_records

    records, problems = read_records(results)
    for problem in problems:
        click.echo(f"Warning: {problem}", err=True)
    if not records:
        raise InputError(
            f"There are no run records in {results}; make some with 'rntk-bench run --dataset "
            "Coffee', or name their folder with --results."
        )
    if config is not None:
        experiment = read_experiment(config)
        datasets, methods = datasets or experiment.datasets, methods or experiment.methods
    return collect(records, protocols, datasets, methods)


def published(command: Callable[..., None]) -> Callable[..., None]:
    """Files of others' accuracies, as further keywords of `collected_with`."""
    for option in (
        click.option(
            "--column",
            "columns",
            metavar="NAME",
            multiple=True,
            help="Of the files of --with, add only this column; may be repeated.",
        ),
        click.option(
            "--with",
            "files",
            metavar="FILE",
            multiple=True,
            type=paths.FILE,
            help="Add the accuracies of a CSV file, a row a dataset and a column a classifier, "
            "fractions or percent; may be repeated.",
        ),
    ):
        command = option(command)
    return command


def collected_with(files: tuple[Path, ...], columns: tuple[str, ...], **selected: Any) -> Results:
    """What `collected` returns and the files' columns; notes on how these were read."""
    from rntk_bench.report.join import join
    from rntk_bench.report.published import choose, read_published

    results = collected(**selected)
    if columns and not files:
        raise InputError("--column chooses among the columns of a file: name one with --with.")
    read = [column for path in dict.fromkeys(files) for column in read_published(path)]
    joined, report = join(results, choose(read, columns) if read else [])
    for line in report:
        click.echo(f"Note: {line}", err=True)
    return joined


def compared(command: Callable[..., None]) -> Callable[..., None]:
    """Options of commands that set methods side by side, as keywords of `side_by_side`."""
    further = click.option(
        "--paper/--no-paper",
        "with_paper",
        default=False,
        show_default=True,
        help="Add the paper's numbers as further methods.",
    )
    return selection(further(published(command)))


def side_by_side(with_paper: bool, **selected: Any) -> tuple[pd.DataFrame, list[str]]:
    """Accuracies in percent (datasets, methods), and the notes on where they come from."""
    from rntk_bench.report.accuracies import accuracies

    results = collected_with(**selected)
    return accuracies(results, with_paper), results.notes
