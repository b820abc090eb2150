"""`rntk-bench table`: the paper's tables from one's own run records."""

from __future__ import annotations

from pathlib import Path

import click

from rntk_bench.cli import names, options
from rntk_bench.errors import InputError, RntkBenchError
from rntk_bench.report.render import RENDERERS


@click.command()
@click.argument("number", required=False, type=click.Choice(["1", "2"]))
@click.option(
    "--format",
    "style",
    type=click.Choice(list(RENDERERS)),
    default="text",
    show_default=True,
    help="How to set the tables.",
)
@options.results
@options.datasets("Keep these datasets.", names.recorded_datasets)
@options.methods("Keep these methods.", complete=names.recorded_methods)
@click.option(
    "-c",
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    shell_complete=names.configurations,
    help="Keep the datasets and methods of this configuration.",
)
@click.option(
    "--paper/--no-paper",
    "with_paper",
    default=True,
    show_default=True,
    help="Put the paper's numbers beside one's own.",
)
@click.option(
    "--protocol",
    "protocols",
    metavar="ID",
    multiple=True,
    shell_complete=names.protocols,
    help="Keep only protocols whose identifier starts so; may be repeated.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file.  [default: standard output]",
)
def table(
    number: str | None,
    style: str,
    results: Path,
    datasets: tuple[str, ...],
    methods: tuple[str, ...],
    config: Path | None,
    with_paper: bool,
    protocols: tuple[str, ...],
    output: Path | None,
) -> None:
    """Print the paper's Table 1 (summary) or 2 (every dataset) from run records, or both."""
    from rntk_bench.config import read_experiment
    from rntk_bench.report.results import collect
    from rntk_bench.report.tables import table1, table2
    from rntk_bench.store.records import read_records

    records, problems = read_records(results)
    for problem in problems:
        click.echo(f"Warning: {problem}", err=True)
    if not records:
        raise InputError(
            f"There are no run records in {results}; make some with 'rntk-bench run --dataset "
            "Coffee', or name their folder with --results."
        )
    builders = {"1": table1, "2": table2}
    if config is not None:
        experiment = read_experiment(config)
        datasets, methods = datasets or experiment.datasets, methods or experiment.methods
    collected = collect(records, protocols, datasets, methods)
    tables = [
        build(collected, with_paper) for name, build in builders.items() if number in (None, name)
    ]
    text = "\n".join(map(RENDERERS[style], tables))
    if style == "csv":  # has no place for them
        for note in dict.fromkeys(note for table in tables for note in table.notes):
            click.echo(f"Note: {note}", err=True)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RntkBenchError(
            f"Cannot write {output}: {error.strerror}; choose another file with --output."
        ) from error
