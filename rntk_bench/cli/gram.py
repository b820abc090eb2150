"""`rntk-bench gram`: one kernel's Gram matrix of one's own series, however many, in a file."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli._output import check_output
from rntk_bench.cli._paths import FILE
from rntk_bench.cli._progress import counting
from rntk_bench.errors import ConfigError, InputError

if TYPE_CHECKING:
    from rntk_bench.datasets.dataset import Sequences
    from rntk_bench.kernels import Kernel


@click.command()
@click.argument("file", metavar="FILE", type=FILE)
@click.argument("other", metavar="[OTHER]", type=FILE, required=False)
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    metavar="GRAM.npy",
    help="File of the Gram matrix.",
)
@options.kernel
@click.option(
    "--set",
    "assignments",
    metavar="NAME=VALUE",
    multiple=True,
    help="A parameter of the kernel; may be repeated.  [default: the kernel's own]",
)
@click.option(
    "--unit-norm/--as-is",
    default=True,
    show_default=True,
    help="Divide each series by its norm, as the benchmark does.",
)
@options.no_labels
@options.memory_limit("Memory that the series and the tiles in work may take.")
@options.jobs
@options.quiet
def gram(
    file: Path,
    other: Path | None,
    output: Path,
    method: str,
    assignments: tuple[str, ...],
    unit_norm: bool,
    no_labels: bool,
    memory_limit: int | None,
    jobs: int,
    quiet: bool,
) -> None:
    """Compute the Gram matrix of a file's series, or of two files', into a NumPy file.

    It is computed tile by tile, so that it may be larger than memory, and an interrupted command
    goes on with the tiles that are missing. FILE and OTHER are read as `fit` reads them, but labels
    are not needed.
    """
    from functools import partial

    from joblib import effective_n_jobs

    from rntk_bench.compiling import announce_compilation
    from rntk_bench.user_data.large_gram import gram_to_file, unfinished_path

    check_output(output)
    kernel = _kernel(method, assignments)
    sets = [_series(path, no_labels, unit_norm) for path in (file, other) if path is not None]
    announce_compilation(lambda: kernel([[0.5, 1.0], [1.0]]), partial(click.echo, err=True))
    started = time.perf_counter()
    with counting(kernel.name, "tiles", quiet, unfinished_path(output)) as progress:
        found = gram_to_file(
            kernel,
            sets[0],
            output,
            sets[1] if other else None,
            memory_limit=memory_limit,
            n_jobs=effective_n_jobs(jobs),
            progress=progress,
        )
    if not quiet:
        seconds = time.perf_counter() - started
        click.echo(f"{kernel}: {found.shape[0]} x {found.shape[1]} [{seconds:.1f} s]")
        click.echo(str(output))


def _kernel(name: str, assignments: tuple[str, ...]) -> Kernel:
    """The method's kernel at its own defaults, some parameters set."""
    from rntk_bench.config import Experiment
    from rntk_bench.methods import KernelMethod, only_kernels, resolve, with_grid

    (method,) = only_kernels(resolve(Experiment(methods=(name,))), "gram")
    fixed = replace(method, grid={key: axis for key, axis in method.grid.items() if len(axis) == 1})
    known = fixed.parameters()
    given = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or key not in known:
            raise InputError(
                f"--set {assignment} must be NAME=VALUE with a NAME among {', '.join(known)}."
            )
        if key in given:
            raise InputError(f"--set {key} is given twice; give each parameter once.")
        given[key] = (_value(value),)
    try:
        found = with_grid(fixed, given)
    except ConfigError as error:
        raise InputError(f"--set: {error}") from None
    assert isinstance(found, KernelMethod)
    return found.kernels()[0]


def _value(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _series(path: Path, no_labels: bool, unit_norm: bool) -> Sequences:
    from rntk_bench.datasets import unit_norm as divide
    from rntk_bench.datasets.assemble import check_dimensions, sequences
    from rntk_bench.datasets.readers import read_split

    split = read_split(path, "none" if no_labels else "partial")
    check_dimensions(split, split)
    return divide(sequences(split))[0] if unit_norm else sequences(split)
