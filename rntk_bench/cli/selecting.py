"""Options that say which run records a command is about, and reading these."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import options
from rntk_bench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from rntk_bench.report.results import Results

protocols = click.option(
    "--protocol",
    "protocols",
    metavar="ID",
    multiple=True,
    help="Keep only protocols whose identifier starts so; may be repeated.",
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
            type=click.Path(dir_okay=False, path_type=Path),
            help="Keep the datasets and methods of this configuration.",
        ),
        click.option(
            "-m", "--method", "methods", multiple=True, metavar="METHOD", help="Keep these methods."
        ),
        click.option(
            "-d",
            "--dataset",
            "datasets",
            multiple=True,
            metavar="NAME",
            help="Keep these datasets.",
        ),
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


def compared(command: Callable[..., None]) -> Callable[..., None]:
    """`selection` for commands that set methods side by side, as keywords of `side_by_side`."""
    paper = click.option(
        "--paper/--no-paper",
        "with_paper",
        default=False,
        show_default=True,
        help="Add the paper's numbers as further methods.",
    )
    return selection(paper(command))


def side_by_side(with_paper: bool, **selected: Any) -> tuple[pd.DataFrame, list[str]]:
    """Accuracies in percent (datasets, methods), and the notes on where they come from."""
    from rntk_bench.report.accuracies import accuracies

    results = collected(**selected)
    return accuracies(results, with_paper), results.notes
