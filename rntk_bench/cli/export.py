"""`rntk-bench export`: test predictions in the files of other tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli import _paths as paths
from rntk_bench.cli import _selection
from rntk_bench.cli._streams import note, say, warn


@click.command()
@click.argument("folder", type=paths.FOLDER)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["tsml"]),
    required=True,
    help="The layout of the files: that of tsml-eval and of the archive's site.",
)
@_selection.record_options
@options.data_dir
@options.cache_dir
def export(
    folder: Path,
    layout: str,
    data_dir: Path | None,
    cache_dir: Path | None,
    **selected: Any,
) -> None:
    """Write the test predictions of run records, of all resamples, into FOLDER.

    There is one file per method, dataset and resample, such as
    FOLDER/rbf/Predictions/Coffee/testResample0.csv. The true labels, which records do not contain,
    are read from --data-dir, earlier downloads and packages. A record without them is left out with
    a warning, and the exit code is 1.
    """
    from rntk_bench.report.page.labels import Labels
    from rntk_bench.report.results.results import collect_results
    from rntk_bench.report.results.tsml import write_tsml

    write = {"tsml": write_tsml}[layout]
    labels = Labels(data_dir, cache_dir)
    results = collect_results(_selection.load_records(**selected))
    for line in results.notes:
        note(line)
    records = [record for runs in results.runs.values() for record in runs.values()]
    written, problems = write(folder, records, labels.dataset)
    for problem in problems:
        warn(problem)
    say(f"{folder}: {len(written)} files written.")
    sys.exit(1 if problems else 0)
