"""`rntk-bench gram`: the Gram matrix of a kernel on users' series, which may exceed the memory."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli._output import check_output
from rntk_bench.cli._paths import FILE
from rntk_bench.cli._progress import progress_bar
from rntk_bench.errors import ConfigError, InputError

if TYPE_CHECKING:
    from rntk_bench.datasets.dataset import Sequences
    from rntk_bench.kernels import Kernel
    from rntk_bench.kernels.fittable import FittableKernel
    from rntk_bench.methods import KernelMethod


@click.command()
@click.argument("file", metavar="FILE", type=FILE)
@click.argument("other", metavar="[OTHER]", type=FILE, required=False)
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    metavar="GRAM.npy",
    help="File for the Gram matrix.",
)
@options.kernel
@click.option(
    "--set",
    "assignments",
    metavar="NAME=VALUE",
    multiple=True,
    help="Set a parameter of the kernel; may be repeated.  [default: the kernel's defaults]",
)
@click.option(
    "--unit-norm/--as-is",
    default=True,
    show_default=True,
    help="Divide each series by its norm, as the benchmark does.",
)
@options.no_labels
@options.memory_limit("Maximal memory for the series and the tiles being computed.")
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
    """Compute the Gram matrix of the series of one file, or of two files, into a NumPy file.

    The matrix is computed tile by tile, so it may be larger than the memory. If the command was
    interrupted, run it again to continue with the missing tiles. FILE and OTHER have the same
    formats as for `fit`, but labels are not required.

    FILE is the training set where a method needs one: by it `rntk-shared` and `rntk-multiscale`
    scale series, and the multiscale kernel, which needs the memory of a whole Gram matrix of FILE
    for it, weighs its summands.
    """
    from functools import partial

    from joblib import effective_n_jobs

    from rntk_bench.compiling import announce_compilation
    from rntk_bench.user_data.large_gram import gram_to_file, unfinished_path

    check_output(output)
    with_values = _method(method, assignments)
    sets = [_series(path, no_labels) for path in (file, other) if path is not None]
    announce_compilation(partial(_compile, with_values), partial(click.echo, err=True))
    started = time.perf_counter()
    sets = _scaled(with_values, sets, unit_norm)
    kernel = _kernel(with_values, sets[0], effective_n_jobs(jobs))
    with progress_bar(kernel.name, "tiles", quiet, unfinished_path(output)) as progress:
        gram_matrix = gram_to_file(
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
        click.echo(f"{kernel}: {gram_matrix.shape[0]} x {gram_matrix.shape[1]} [{seconds:.1f} s]")
        click.echo(str(output))


def _method(name: str, assignments: tuple[str, ...]) -> KernelMethod:
    """The method with one setting: its kernel's default parameters and the given assignments.

    Where the kernel has no default, as for the input, the parameter is that of the method's default
    setting.
    """
    from rntk_bench.config import Experiment
    from rntk_bench.methods import KernelMethod, only_kernels, resolve, with_grid
    from rntk_bench.methods.relative import REPLACED

    (method,) = only_kernels(resolve(Experiment(methods=(name,))), "gram")
    fixed = {key: axis for key, axis in method.grid.items() if len(axis) == 1}
    general = {key: (method.default[key],) for key in ("input", *REPLACED) if key in method.default}
    default = replace(method, grid={**general, **fixed})
    known = default.parameters()
    values = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or key not in known:
            raise InputError(
                f"--set {assignment} must be NAME=VALUE with a NAME among {', '.join(known)}."
            )
        if key in values:
            raise InputError(f"--set {key} is given twice; set each parameter once.")
        values[key] = (_value(value),)
    try:
        method_with_values = with_grid(default, values)
    except ConfigError as error:
        raise InputError(f"--set NAME=VALUE: {error}") from None
    assert isinstance(method_with_values, KernelMethod)
    return method_with_values


def _scaled(method: KernelMethod, sets: list[Sequences], unit_norm: bool) -> list[Sequences]:
    """The series as the method's kernel reads them; the first set is the training set."""
    from rntk_bench.datasets import InputScaling

    name = "unit-norm" if unit_norm else "archive"
    if "input" in method.grid:
        (name,) = method.inputs
        options.reject_unused(
            ("unit_norm",),
            f"has no effect on {method.name}, which scales series by --set input=NAME",
        )
    scaling = InputScaling.fit(name, sets[0])
    return [scaling(X) for X in sets]


def _kernel(method: KernelMethod, X: Sequences, n_jobs: int) -> Kernel:
    """The kernel of the method's one setting for series whose training set is X."""
    (kernel,) = method.kernels(max(len(x) for x in X))
    if method.is_fittable:
        return cast("FittableKernel", kernel).fit(X, n_jobs).kernel
    return kernel


def _compile(method: KernelMethod) -> None:
    """Compile the kernel's loops."""
    import numpy as np

    X = [np.array([0.5, 1.0, 0.7]), np.array([1.0, 0.2])]
    _kernel(method, X, 1)(*method.kernel.pad_to_common_length(X))


def _value(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _series(path: Path, no_labels: bool) -> Sequences:
    from rntk_bench.datasets.assemble import check_dimensions, stack_series
    from rntk_bench.datasets.readers import read_split

    split = read_split(path, "none" if no_labels else "partial")
    check_dimensions(split, split)
    return stack_series(split)
