"""Compare protocols of training finite networks; run once for a release, and so no command.

python -m rntk_bench.cli.protocols -c configs/networks-compact.toml protocols.csv
"""

from __future__ import annotations

from pathlib import Path

import click

from rntk_bench.cli import _completion
from rntk_bench.cli import _options as options
from rntk_bench.cli._dataset_names import expand_datasets, known_datasets
from rntk_bench.cli._paths import FILE


@click.command()
@click.argument("table", type=FILE)
@options.datasets("May be repeated. [default: all of the configuration]", _completion.datasets)
@options.config
@options.jobs
@options.data_dir
@options.cache_dir
def protocols(
    table: Path,
    datasets: tuple[str, ...],
    config: Path | None,
    jobs: int,
    data_dir: Path | None,
    cache_dir: Path | None,
) -> None:
    """Compare how finite networks may be trained, by the training sets alone.

    Writes TABLE, a CSV with which an interrupted comparison goes on, and prints what it comes to.
    """
    from joblib import effective_n_jobs

    from rntk_bench.benchmark.network_protocols import (
        compare,
        comparisons,
        read_rows,
    )
    from rntk_bench.config import load_experiment
    from rntk_bench.report.tables.network_protocols import protocol_table
    from rntk_bench.report.tables.text import render_text

    experiment = load_experiment(config)
    names = expand_datasets(datasets, known_datasets(data_dir)) or experiment.datasets
    planned = comparisons(experiment, names, data_dir, cache_dir)
    for rows in compare(planned, table, effective_n_jobs(jobs)):
        first, best = rows[0], max(rows, key=lambda row: float(row["judged"]))
        click.echo(
            f"{first['dataset']} {first['method']} {first['batch_size']}: at best "
            f"{100 * float(best['judged']):.2f} %, with {best['criterion']} and patience "
            f"{best['patience']} [{first['seconds']} s]"
        )
    click.echo(render_text(protocol_table(read_rows(table))), nl=False)


if __name__ == "__main__":
    protocols()
