"""`rntk-bench speed`: how much faster this package is than ordinary implementations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _completion
from rntk_bench.cli import _options as options
from rntk_bench.cli._compiling import compile_loops
from rntk_bench.cli._dataset_names import expand_dataset, known_datasets
from rntk_bench.cli._progress import set_position
from rntk_bench.errors import InputError

if TYPE_CHECKING:
    from tqdm import tqdm

    from rntk_bench.config import Experiment
    from rntk_bench.datasets import Dataset
    from rntk_bench.methods import NetworkMethod
    from rntk_bench.speed.timing import Speedup


_DATA = ("dataset", "data_dir", "cache_dir")
_MODES = {
    "--regression": ("regression", "kernels"),
    "--variants": ("variants", *_DATA),
    "--method": ("methods", "config", "whole", *_DATA),
}
"""Options that select what is timed, and the parameters that may then be given; the first is the
option's own."""


def _refuse_unused_options() -> None:
    """Refuse options that have no effect on what is timed."""
    context = click.get_current_context()
    on_command_line = [
        parameter
        for parameter in context.command.params
        if context.get_parameter_source(parameter.name or "")
        is click.core.ParameterSource.COMMANDLINE
    ]
    names = {parameter.name for parameter in on_command_line}
    mode = next((option for option, used in _MODES.items() if used[0] in names), None)
    if mode is None:
        return
    for parameter in on_command_line:
        if parameter.name not in _MODES[mode]:
            option = max(parameter.opts, key=len)
            raise InputError(f"{option} has no effect with {mode}; leave it out.")


@click.command()
@click.option(
    "-d",
    "--dataset",
    default="GunPoint",
    show_default=True,
    metavar="NAME",
    shell_complete=_completion.datasets,
    help="The dataset whose series are used.",
)
@options.data_dir
@options.cache_dir
@click.option(
    "--kernels",
    type=click.IntRange(1, 900),
    default=20,
    show_default=True,
    help="How many kernels of the paper's grid to time.",
)
@click.option(
    "--whole",
    is_flag=True,
    help="Also time the RNTK's whole grid on all cores; with -m, those of the networks instead.",
)
@click.option(
    "--variants",
    is_flag=True,
    help="Instead, time the variants of the RNTK: layers, lengths, activations and so on.",
)
@click.option(
    "--regression", is_flag=True, help="Instead, time one repeat of 'regress' against GridSearchCV."
)
@options.methods(
    "Instead, time an epoch of each network of a finite network's grid against PyTorch and JAX. "
    "May be repeated.",
    "NETWORK",
    _completion.networks,
)
@options.config
def speed(
    dataset: str,
    data_dir: Path | None,
    cache_dir: Path | None,
    kernels: int,
    whole: bool,
    variants: bool,
    regression: bool,
    methods: tuple[str, ...],
    config: Path | None,
) -> None:
    """Time this package against ordinary implementations.

    Gram matrices are timed against vectorised NumPy, and SVM grids against scikit-learn's SVC.
    Other options time kernel ridge regression, or the training of finite networks against PyTorch.
    """
    from joblib import cpu_count

    from rntk_bench.benchmark.evaluation import Problem
    from rntk_bench.config import load_experiment
    from rntk_bench.datasets import load_dataset
    from rntk_bench.errors import DataError
    from rntk_bench.methods import KERNEL_METHODS
    from rntk_bench.speed import classification
    from rntk_bench.speed.variants import time_variants

    _refuse_unused_options()
    if regression:
        from rntk_bench.speed.regression import compare_repeat

        _print("1 thread", compare_repeat(classification.sample_grid(kernels)))
        return
    dataset = expand_dataset(dataset, known_datasets(data_dir))
    data = load_dataset(dataset, data_dir=data_dir, cache_dir=cache_dir)
    if not data.equal_length:
        raise DataError(f"{dataset} has series of different lengths; name one of equal lengths.")
    problem, experiment = Problem.of(data), load_experiment(config, methods)
    if variants:
        for variant in time_variants(problem):
            click.echo(f"{variant.name:<28}{variant.nanoseconds:8.2f} ns{variant.ratio:8.2f} times")
        return
    cores = cpu_count()
    if methods:
        _time_networks(data, experiment, cores, whole)
        return
    compile_loops([KERNEL_METHODS["rntk"]])
    sample = classification.sample_grid(kernels)
    _print_heading(data, f"{len(sample)} kernels of the paper's grid")
    _print("1 thread", classification.compare_gram(problem, sample))
    _print("1 thread", classification.compare_svm(problem, sample, experiment))
    if whole:
        _print(f"{cores} cores", classification.compare_whole_grid(data, experiment, cores))


def _time_networks(data: Dataset, experiment: Experiment, cores: int, whole: bool) -> None:
    from rntk_bench.methods import NETWORK_METHODS, NetworkMethod, resolve

    resolved = resolve(experiment)
    networks = [method for method in resolved if isinstance(method, NetworkMethod)]
    if len(networks) < len(resolved):
        raise InputError(
            f"-m takes finite networks here; choose one of {', '.join(NETWORK_METHODS)}."
        )
    compile_loops(networks)
    _print_heading(data, "whole grids" if whole else "an epoch with its validation")
    if not whole:
        _time_epochs(data, networks, experiment, cores)
        return
    from tqdm import tqdm

    from rntk_bench.speed.networks import compare_networks

    results = []
    for method in networks:
        # disable=None draws the progress bar on terminals only.
        with tqdm(unit=" runs", leave=False, disable=None) as bar:
            progress = partial(_show_runs, bar, method.name)
            results.append(compare_networks(data, method, experiment, cores, progress))
        _print(f"{cores} cores", results[-1])
    if len(networks) > 1:
        seconds = sum(result.seconds for result in results)
        baseline_seconds = sum(result.baseline_seconds for result in results)
        click.echo(f"Together {baseline_seconds / seconds:.2f} times faster.")


def _show_runs(bar: tqdm[Any], name: str, side: str, done: int, total: int) -> None:
    bar.set_description(f"{name}, {side}", refresh=False)
    set_position(bar, done, total)


def _time_epochs(
    data: Dataset, networks: Sequence[NetworkMethod], experiment: Experiment, cores: int
) -> None:
    from rntk_bench.networks.pool import accelerator
    from rntk_bench.speed.epochs import not_installed, time_epochs

    device = accelerator() or f"{cores} cores"
    jax = f"JAX, {device}"
    click.echo(f"{'network':<21}{'runs':>5}{'cores':>6}{'loops':>11}{'PyTorch':>20}{jax:>28}")
    for method in networks:
        for times in time_epochs(data, method, experiment, cores):
            network = times.network
            name = f"{network.cell}, {network.n_layers} x {network.width}"
            line = f"{name:<21}{times.n_runs:5}{times.n_cores:6}{1e3 * times.seconds:8.2f} ms"
            line += _baseline(times.pytorch_seconds, times.seconds, 20)
            line += _baseline(times.jax_seconds, times.seconds, 28)
            if times.difference is not None:
                line += f"  ({times.difference} of {times.n_validation} apart)"
            click.echo(line)
    for error in not_installed():
        click.echo(str(error), err=True)


def _print_heading(data: Dataset, what: str) -> None:
    from rntk_bench.storage.environment import environment

    click.echo(
        f"{data.name}: {data.n_train} series of length {data.length}, {data.n_classes} classes; "
        f"{what}; {environment()['cpu']}"
    )


def _baseline(baseline_seconds: float | None, seconds: float, width: int) -> str:
    """A baseline's time and how many times that of this package it is, right-aligned."""
    if baseline_seconds is None:
        return f"{'–':>{width}}"
    text = f"{1e3 * baseline_seconds:.2f} ms {baseline_seconds / seconds:5.2f}x"
    return f"{text:>{width}}"


def _print(threads: str, result: Speedup) -> None:
    click.echo(
        f"{result.task:<12} {threads:<9} {result.seconds:9.4f} s against "
        f"{result.baseline_seconds:9.4f} s: {result.factor:6.1f} times faster ({result.agreement})"
    )
