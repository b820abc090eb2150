"""`rntk-bench protocols`: compare protocols of training finite networks."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import click

from rntk_bench.cli import _completion
from rntk_bench.cli import _options as options
from rntk_bench.cli._dataset_names import expand_datasets, known_datasets
from rntk_bench.cli._output import check_output
from rntk_bench.cli._paths import FILE
from rntk_bench.errors import DataError, InputError


@click.command()
@options.datasets("May be repeated. [default: all of the configuration]", _completion.datasets)
@options.config
@options.jobs
@options.data_dir
@options.cache_dir
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="FILE.csv",
    required=True,
    help="File for the results; an interrupted comparison continues from it.",
)
def protocols(
    datasets: tuple[str, ...],
    config: Path | None,
    jobs: int,
    data_dir: Path | None,
    cache_dir: Path | None,
    output: Path,
) -> None:
    """Compare how finite networks may be trained, by the training sets alone.

    All networks of the configuration are trained to the last epoch. The mean accuracies of the
    sizes of mini-batches, criteria and values of patience are printed as a table; of a file that
    is complete, only the table.
    """
    from joblib import effective_n_jobs

    from rntk_bench.benchmark.network_protocols import compare, comparisons, rows_of
    from rntk_bench.config import load_experiment
    from rntk_bench.datasets import load_dataset
    from rntk_bench.report.tables.network_protocols import protocol_table
    from rntk_bench.report.tables.text import render_text
    from rntk_bench.storage.locks import output_lock

    check_output(output)
    experiment = load_experiment(config)
    names = expand_datasets(datasets, known_datasets(data_dir)) or experiment.datasets
    if not names:
        raise InputError("There are no datasets to compare protocols on; name some with --dataset.")
    load = partial(load_dataset, data_dir=data_dir, cache_dir=cache_dir)

    @cache
    def fingerprint(name: str) -> str | None:
        try:
            return load(name, download=False).fingerprint
        except DataError:  # not on this machine
            return None

    planned = comparisons(experiment, names, load, fingerprint)
    with output_lock(output):
        for rows in compare(planned, output, effective_n_jobs(jobs)):
            first, best = rows[0], max(rows, key=lambda row: float(row["scored"]))
            click.echo(
                f"{first['dataset']} {first['method']} {first['batch_size']}: at best "
                f"{100 * float(best['scored']):.2f} %, with {best['criterion']} and patience "
                f"{best['patience']} [{first['seconds']} s]"
            )
        click.echo(render_text(protocol_table(rows_of(planned, output))), nl=False)
