"""Options that several commands share; each can also be set in the environment."""

from __future__ import annotations

from pathlib import Path

import click

data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="RNTK_BENCH_DATA_DIR",
    show_envvar=True,
    help="Folder in the archive's layout, <NAME>/<NAME>_TRAIN.tsv; searched first.",
)

cache_dir = click.option(
    "--cache-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="RNTK_BENCH_CACHE_DIR",
    show_envvar=True,
    help="Where downloads and Gram matrices are kept. [default: the user's cache folder]",
)

results = click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results/runs"),
    envvar="RNTK_BENCH_RESULTS",
    show_default=True,
    show_envvar=True,
    help="Folder of the run records.",
)
