"""Options that several commands share; many can also be set by environment variables."""

from __future__ import annotations

import math
import os
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from rntk_bench.cli import _completion
from rntk_bench.cli import _paths as paths
from rntk_bench.config import MAX_SEED
from rntk_bench.errors import InputError

ShellComplete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_LABEL_WIDTH = 17
_MAX_RESAMPLES = 10_000
MAX_JOBS = 1024
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


class _SizeType(click.ParamType[int]):
    """A number of bytes, written as 500MiB or 4GiB."""

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


class _ResamplesType(click.ParamType[tuple[int, ...]]):
    """Numbers of resamples, written as 3, 0-29 or 0,5,10-19; sorted, each once."""

    name = "resamples"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        numbers: set[int] = set()
        for part in value.split(","):
            match = re.fullmatch(r"\s*([0-9]{1,10})(?:-([0-9]{1,10}))?\s*", part)
            if match is None:
                self.fail(f"{value!r} names no resamples; write 3, 0-29 or 0,5,7.", param, ctx)
            first, last = int(match[1]), int(match[2] or match[1])
            if last > MAX_SEED:
                self.fail(f"{last} is no seed; the largest is {MAX_SEED}.", param, ctx)
            if last < first:
                self.fail(f"{part.strip()} ends before it starts; turn it round.", param, ctx)
            if last - first >= _MAX_RESAMPLES:
                self.fail(f"{part.strip()} are more than {_MAX_RESAMPLES}.", param, ctx)
            numbers.update(range(first, last + 1))
        return tuple(sorted(numbers))


class FiniteRange(click.FloatRange):
    """A finite number in a range; Click's own range accepts NaN."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def _check_jobs(ctx: click.Context, parameter: click.Parameter, jobs: int) -> int:
    if jobs != -1 and not 1 <= jobs <= MAX_JOBS:
        raise click.BadParameter(
            f"it is {jobs}; give -1 for all cores, or a number from 1 to {MAX_JOBS}.",
            ctx,
            parameter,
        )
    return jobs


data_dir = click.option(
    "--data-dir",
    type=paths.FOLDER,
    envvar="RNTK_BENCH_DATA_DIR",
    show_envvar=True,
    help="Folder with the layout of the archive, <NAME>/<NAME>_TRAIN.tsv; it is searched first.",
)

cache_dir = click.option(
    "--cache-dir",
    type=paths.FOLDER,
    envvar="RNTK_BENCH_CACHE_DIR",
    show_envvar=True,
    help="Folder for downloads and cached Gram matrices. [default: the user's cache folder]",
)

cache_limit = click.option(
    "--cache-limit",
    type=_SizeType(),
    default="4GiB",
    envvar="RNTK_BENCH_CACHE_LIMIT",
    show_default=True,
    show_envvar=True,
    help="Maximum size of the Gram cache; the least recently used matrices are removed first.",
)


class _ConfigurationType(click.ParamType[Path]):
    """A configuration: the name of one that comes with the package, or a TOML file.

    A name is never looked for among files, so that it means the same in every folder; ``./quick``
    is the file of that name.
    """

    name = "configuration"

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """The path of the configuration, which need not exist if it looks like a file's."""
        from rntk_bench.config import shipped_configurations

        shipped = shipped_configurations()
        if str(value) in shipped:
            return shipped[str(value)]
        path: Path = paths.FILE.convert(value, param, ctx)
        if path.name == os.fspath(value) and not path.suffix and not path.exists():
            self.fail(
                f"there is neither a configuration nor a file named {value!r}; name a TOML file, "
                f"or one of {', '.join(shipped)}.",
                param,
                ctx,
            )
        return path


_CONFIGURATION = _ConfigurationType()


def configuration(help: str, envvar: str | None = None) -> Callable[[Any], Any]:
    """The option -c for a configuration, by its name or its file."""
    return click.option(
        "-c",
        "--config",
        type=_CONFIGURATION,
        metavar="NAME|FILE",
        envvar=envvar,
        show_envvar=True,
        shell_complete=_completion.configurations,
        help=help,
    )


config = configuration(
    "Experiment configuration: quick, paper or another that comes with this package, or a TOML "
    "file. [default: the paper's grids and protocol, but for how networks are trained]",
    "RNTK_BENCH_CONFIG",
)


def datasets(help: str, complete: ShellComplete = _completion.datasets) -> Callable[[Any], Any]:
    """The option -d for datasets; `complete` lists the names for shell completion."""
    return click.option(
        "-d",
        "--dataset",
        "datasets",
        multiple=True,
        metavar="NAME|PATTERN|@FILE",
        shell_complete=complete,
        help=help,
    )


def methods(
    help: str, metavar: str = "METHOD", complete: ShellComplete = _completion.methods
) -> Callable[[Any], Any]:
    """The option -m for methods; `complete` lists the names for shell completion."""
    return click.option(
        "-m",
        "--method",
        "methods",
        multiple=True,
        metavar=metavar,
        shell_complete=complete,
        help=help,
    )


def _check_memory_limit(
    ctx: click.Context, parameter: click.Parameter, size: int | None
) -> int | None:
    if size == 0:
        raise click.BadParameter(
            "it is less than a byte; leave it out for the default.", ctx, parameter
        )
    return size


def memory_limit(help: str, default: str = "none") -> Callable[[Any], Any]:
    """The option --memory-limit in bytes; None is the default."""
    return click.option(
        "--memory-limit",
        type=_SizeType(),
        metavar="SIZE",
        callback=_check_memory_limit,
        help=f"{help}  [default: {default}]",
    )


jobs = click.option(
    "-j",
    "--jobs",
    type=int,
    default=-1,
    show_default=True,
    callback=_check_jobs,
    envvar="RNTK_BENCH_JOBS",
    show_envvar=True,
    help="Number of threads or processes; -1 is one per core.",
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
    """The option --out for the folder of figures."""
    return click.option(
        "--out",
        type=paths.FOLDER,
        default=Path(folder),
        show_default=True,
        help="Folder of the figures and of the CSV files with their data.",
    )


out = output_folder("results/figures")

seed = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the random numbers.",
)

protocol_seed = click.option(
    "--seed",
    type=click.IntRange(0, MAX_SEED),
    help="Seed of folds, initial weights and mini-batches. [default: 0]",
)

resamples = click.option(
    "--resample",
    "resamples",
    type=_ResamplesType(),
    default="0",
    show_default=True,
    metavar="K",
    help="Resample training and test sets together, stratified, with the seed K; 0 is the "
    "archive's split. K may be a range or a list, 0-29 or 0,5,7.",
)

kernel = click.option(
    "-m",
    "--method",
    default="rntk",
    show_default=True,
    metavar="METHOD",
    help="The kernel.",
    shell_complete=_completion.kernels,
)

no_labels = click.option(
    "--no-labels",
    is_flag=True,
    help="The files have no labels: the first column of a .tsv or .txt file is a value.",
)

quiet = click.option("-q", "--quiet", is_flag=True, help="Print failures only.")

quick = click.option(
    "--quick", is_flag=True, help="A smaller and faster version, for a first look."
)


def reject_unused(parameters: Sequence[str], why: str) -> None:
    """Reject options on the command line that would have no effect.

    Environment variables are not rejected: they are meant for other commands too.

    Raises
    ------
    InputError
        One of the parameters was given; `why` completes a sentence that begins with its name.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        specified = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        if parameter.name in parameters and specified:
            names = parameter.opts
            if context.params[str(parameter.name)] is False and parameter.secondary_opts:
                names = parameter.secondary_opts
            raise InputError(f"{max(names, key=len)} {why}; leave it out.")


def print_entry(label: str, text: str) -> None:
    """Print a label and a text, which is wrapped next to the label."""
    lines = textwrap.wrap(text, 100 - _LABEL_WIDTH, break_long_words=False, break_on_hyphens=False)
    for number, line in enumerate(lines):
        click.echo(f"{'' if number else label:<{_LABEL_WIDTH}}{line}")


def print_files(paths: Iterable[Path]) -> None:
    """Print the paths of files that were written."""
    for path in paths:
        click.echo(str(path))
