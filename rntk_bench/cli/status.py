"""`rntk-bench status`: shows which evaluations of a plan are done."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli._dataset_names import (
    all_option,
    archive_option,
    known_datasets,
    plan_datasets,
)
from rntk_bench.cli._streams import note, warn
from rntk_bench.errors import InputError

if TYPE_CHECKING:
    from rntk_bench.report.tables.status import EvaluationState


@click.command()
@options.datasets("May be repeated.  [default: the configuration's, or those with records]")
@all_option
@archive_option
@options.methods(
    "May be repeated.  [default: the configuration's; without one also those with records]"
)
@options.config
@options.protocol_seed
@options.resamples
@options.results
@options.data_dir
@options.cache_dir
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
    help="A matrix, or one entry per evaluation.",
)
def status(
    datasets: tuple[str, ...],
    everything: bool,
    archive: bool,
    methods: tuple[str, ...],
    config: Path | None,
    seed: int | None,
    resamples: tuple[int, ...],
    results: Path,
    data_dir: Path | None,
    cache_dir: Path | None,
    style: str,
) -> None:
    """Show which evaluations of a plan are done, failed, interrupted, stale or missing.

    The plan is given by the same options as for `run`. An evaluation is stale if it has a record,
    but of another protocol or one that cannot be read. Datasets are not read: --data-dir and
    --cache-dir only say which datasets there are.
    """
    from rntk_bench.config import load_experiment
    from rntk_bench.methods import METHODS, resolve
    from rntk_bench.report.results.names import format_ranges
    from rntk_bench.report.tables.status import evaluation_states
    from rntk_bench.storage.records import read_records

    records, problems = read_records(results)
    for problem in problems:
        warn(problem)
    experiment = load_experiment(config, methods, seed)
    if config is None and not methods:
        recorded = {record.method for record in records}
        known = [name for name in METHODS if name in {*experiment.methods, *recorded}]
        experiment = load_experiment(None, known, seed)
    stored = _datasets_with_files(results)
    names = plan_datasets(
        datasets,
        everything,
        archive,
        experiment,
        data_dir=data_dir,
        cache_dir=cache_dir,
        recorded=stored,
    )
    for name in names if datasets else ():
        _warn_of_misspelling(name, {*known_datasets(data_dir), *stored})
    names = names or sorted(stored)
    if not names:
        raise InputError(
            f"There are no run records in {results}; name their folder with --results, or a plan "
            "with -d, -c, --all or --archive."
        )
    protocols = {method.name: method.protocol(experiment) for method in resolve(experiment)}
    if others := {r.resample for r in records if r.dataset in names} - set(resamples):
        note(f"There are records of resamples {format_ranges(others)}; count them with --resample.")
    _print(evaluation_states(results, records, names, protocols, resamples), style)


_SUFFIXES = (".json", ".partial")


def _datasets_with_files(results: Path) -> set[str]:
    """The datasets with a record, or with the checkpoint of one, in the results folder."""
    from rntk_bench.storage.records import is_valid_name

    return {
        path.parent.name
        for path in results.glob("*/*")
        if path.suffix in _SUFFIXES and is_valid_name(path.parent.name) and path.name[0] != "."
    }


def _warn_of_misspelling(name: str, known: Collection[str]) -> None:
    """Warn if a dataset without records has almost the name of another."""
    from rntk_bench.datasets.archive import close_matches

    for other in [] if name in known else close_matches(name, known, 1):
        warn(f"{name} has no records; did you mean {other}?")


def _print(states: Sequence[EvaluationState], style: str) -> None:
    from rntk_bench.report.tables.status import EvaluationState, count_states, status_table
    from rntk_bench.report.tables.text import render_text

    if style == "text":
        click.echo(render_text(status_table(states)), nl=False)
    elif style == "json":
        content = {
            "summary": count_states(states),
            "evaluations": [asdict(state) for state in states],
        }
        click.echo(json.dumps(content, indent=1))
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(field.name for field in fields(EvaluationState))
        writer.writerows(map(astuple, states))
