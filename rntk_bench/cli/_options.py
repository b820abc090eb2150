"""Options that several commands share; each can also be set in the environment."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from rntk_bench.cli import _completion as names
from rntk_bench.cli import _paths as paths
from rntk_bench.errors import InputError

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_LABEL = 17
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


class _Bytes(click.ParamType[int]):
    """A size such as 500MiB or 4GiB."""

    name = "size"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)", value.strip())
        if match is None:
            self.fail(f"{value!r} is not a size; write for example 500MiB or 4GiB.", param, ctx)
        return int(float(match[1]) * _UNITS[match[2]])


def _not_zero(ctx: click.Context, parameter: click.Parameter, jobs: int) -> int:
    if jobs == 0:
        raise click.BadParameter("it is 0, but must be -1 or at least 1.", ctx, parameter)
    return jobs


data_dir = click.option(
    "--data-dir",
    type=paths.FOLDER,
    envvar="RNTK_BENCH_DATA_DIR",
    show_envvar=True,
    help="Folder in the archive's layout, <NAME>/<NAME>_TRAIN.tsv; searched first.",
)

cache_dir = click.option(
    "--cache-dir",
    type=paths.FOLDER,
    envvar="RNTK_BENCH_CACHE_DIR",
    show_envvar=True,
    help="Where downloads and Gram matrices are kept. [default: the user's cache folder]",
)

cache_limit = click.option(
    "--cache-limit",
    type=_Bytes(),
    default="4GiB",
    envvar="RNTK_BENCH_CACHE_LIMIT",
    show_default=True,
    show_envvar=True,
    help="Size of the Gram cache; the least recently used go first.",
)

config = click.option(
    "-c",
    "--config",
    type=paths.FILE,
    envvar="RNTK_BENCH_CONFIG",
    show_envvar=True,
    shell_complete=names.configurations,
    help="The experiment as TOML. [default: the paper's grids and protocol]",
)


def datasets(help: str, complete: Complete = names.datasets) -> Callable[[Any], Any]:
    """Datasets by name; `complete` says which a shell offers."""
    return click.option(
        "-d",
        "--dataset",
        "datasets",
        multiple=True,
        metavar="NAME",
        shell_complete=complete,
        help=help,
    )


def methods(
    help: str, metavar: str = "METHOD", complete: Complete = names.methods
) -> Callable[[Any], Any]:
    """Methods by name; `complete` says which a shell offers."""
    return click.option(
        "-m",
        "--method",
        "methods",
        multiple=True,
        metavar=metavar,
        shell_complete=complete,
        help=help,
    )


def _some(ctx: click.Context, parameter: click.Parameter, size: int | None) -> int | None:
    if size == 0:
        raise click.BadParameter(
            "it is less than a byte; leave it out for the default.", ctx, parameter
        )
    return size


def memory_limit(help: str, default: str = "none") -> Callable[[Any], Any]:
    """A bound on memory, in bytes; None stands for the default."""
    return click.option(
        "--memory-limit",
        type=_Bytes(),
        metavar="SIZE",
        callback=_some,
        help=f"{help}  [default: {default}]",
    )


jobs = click.option(
    "-j",
    "--jobs",
    type=int,
    default=-1,
    show_default=True,
    callback=_not_zero,
    envvar="RNTK_BENCH_JOBS",
    show_envvar=True,
    help="Threads or processes; -1 is one a core.",
)

results = click.option(
    "--results",
    type=paths.FOLDER,
    default=Path("results/runs"),
    envvar="RNTK_BENCH_RESULTS",
    show_default=True,
    show_envvar=True,
    help="Folder of the run records.",
)


def output_folder(folder: str) -> Callable[[Any], Any]:
    """Where pictures and their numbers go."""
    return click.option(
        "--out",
        type=paths.FOLDER,
        default=Path(folder),
        show_default=True,
        help="Folder of the pictures and of the CSV files behind them.",
    )


out = output_folder("results/figures")

seed = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the random draws."
)

protocol_seed = click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="Of folds, initial weights and mini-batches. [default: 0]",
)

kernel = click.option(
    "-m",
    "--method",
    default="rntk",
    show_default=True,
    metavar="METHOD",
    help="A kernel.",
    shell_complete=names.kernels,
)

no_labels = click.option(
    "--no-labels", is_flag=True, help="The first column of a .tsv or .txt is a value."
)

quiet = click.option("-q", "--quiet", is_flag=True, help="Print failures only.")

quick = click.option("--quick", is_flag=True, help="Less of everything, for a first look.")


def reject_unused(parameters: Sequence[str], why: str) -> None:
    """Refuse those of a running command's parameters that were typed, as they would do nothing.

    What stands in the environment is for other commands too.

    Raises
    ------
    InputError
        One of them was typed; `why` goes on from its name.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        typed = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        if parameter.name in parameters and typed:
            raise InputError(f"{max(parameter.opts, key=len)} {why}; leave it out.")


def print_entry(label: str, text: str) -> None:
    """A label and what it stands for, wrapped beside it."""
    lines = textwrap.wrap(text, 100 - _LABEL, break_long_words=False, break_on_hyphens=False)
    for number, line in enumerate(lines):
        click.echo(f"{'' if number else label:<{_LABEL}}{line}")


def print_files(paths: Iterable[Path]) -> None:
    """Name what was written, a line each."""
    for path in paths:
        click.echo(str(path))
