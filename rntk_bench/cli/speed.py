"""`rntk-bench speed`: this package against the obvious way, in one process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rntk_bench.cli import _completion
from rntk_bench.cli import _options as options
from rntk_bench.errors import InputError

if TYPE_CHECKING:
    from rntk_bench.config import Experiment
    from rntk_bench.datasets import Dataset
    from rntk_bench.speed.classification import Comparison


_DATA = ("dataset", "data_dir", "cache_dir")
_USED = {
    "--regression": ("regression", "kernels"),
    "--variants": ("variants", *_DATA),
    "--method": ("methods", "config", *_DATA),
}
"""What is timed instead of Grams and support vector machines, and the parameters that it uses."""


def _refuse_unused(**instead: object) -> None:
    """Refuse options that what is timed does not use.

    Parameters
    ----------
    instead : whether each option of `_USED` is given, by its parameter's name
    """
    flag = next((flag for flag, names in _USED.items() if instead[names[0]]), None)
    context = click.get_current_context()
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        given = source is click.core.ParameterSource.COMMANDLINE
        if flag and given and parameter.name not in _USED[flag]:
            raise InputError(
                f"{max(parameter.opts, key=len)} has no use with {flag}; leave it out."
            )


@click.command()
@click.option(
    "-d",
    "--dataset",
    default="GunPoint",
    show_default=True,
    metavar="NAME",
    shell_complete=_completion.datasets,
    help="The dataset to measure on.",
)
@options.data_dir
@options.cache_dir
@click.option(
    "--kernels",
    type=click.IntRange(1, 900),
    default=20,
    show_default=True,
    help="How many kernels of the paper's grid to measure.",
)
@click.option(
    "--whole", is_flag=True, help="Also time the RNTK's whole grid, all cores, both ways."
)
@click.option(
    "--variants", is_flag=True, help="Instead, time layers, lengths, dimensions and activations."
)
@click.option(
    "--regression", is_flag=True, help="Instead, time a repeat of regress against GridSearchCV."
)
@options.methods(
    "Instead, time a finite network's whole grid against PyTorch. May be repeated.",
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
    """Time Grams and SVM grids against vectorised NumPy and scikit-learn's SVC; with other
    options kernel ridge regression, or the training of finite networks against PyTorch."""
    from functools import partial

    from joblib import cpu_count

    from rntk_bench.benchmark.evaluation import Problem
    from rntk_bench.benchmark.warmup import warm_up
    from rntk_bench.compiling import announce_compilation
    from rntk_bench.config import load_experiment
    from rntk_bench.datasets import load_dataset
    from rntk_bench.errors import DataError
    from rntk_bench.methods import KERNEL_METHODS
    from rntk_bench.speed import classification as measure
    from rntk_bench.speed.variants import variant_costs
    from rntk_bench.storage.environment import environment

    _refuse_unused(regression=regression, variants=variants, methods=methods)
    if regression:
        from rntk_bench.speed.regression import compare_repeat

        _print("1 thread", compare_repeat(measure.spread(kernels)))
        return
    data = load_dataset(dataset, data_dir=data_dir, cache_dir=cache_dir)
    if not data.equal_length:
        raise DataError(f"{dataset} has series of different lengths; name one of equal lengths.")
    problem, experiment = Problem.of(data), load_experiment(config, methods)
    if variants:
        for cost in variant_costs(problem):
            click.echo(f"{cost.name:<28}{cost.nanoseconds:8.2f} ns{cost.ratio:8.2f} times")
        return
    cores = cpu_count()
    if methods:
        _networks(data, experiment, cores)
        return
    announce_compilation(partial(warm_up, [KERNEL_METHODS["rntk"]]), partial(click.echo, err=True))
    chosen = measure.spread(kernels)
    click.echo(
        f"{dataset}: {data.n_train} series of length {data.length}, {data.n_classes} classes; "
        f"{len(chosen)} kernels of the paper's grid; {environment()['cpu']}"
    )
    comparisons = [
        ("1 thread", measure.compare_gram(problem, chosen)),
        ("1 thread", measure.compare_svm(problem, chosen, experiment)),
    ]
    if whole:
        comparisons.append((f"{cores} cores", measure.compare_whole(data, experiment, cores)))
    for threads, result in comparisons:
        _print(threads, result)


def _networks(data: Dataset, experiment: Experiment, cores: int) -> None:
    from rntk_bench.methods import NETWORK_METHODS, NetworkMethod, resolve
    from rntk_bench.storage.environment import environment

    resolved = resolve(experiment)
    networks = [method for method in resolved if isinstance(method, NetworkMethod)]
    if len(networks) < len(resolved):
        raise InputError(f"-m takes finite networks here: {', '.join(NETWORK_METHODS)}.")
    from rntk_bench.speed.networks import compare_networks

    click.echo(
        f"{data.name}: {data.n_train} series of length {data.length}, {data.n_classes} classes; "
        f"whole grids; {environment()['cpu']}"
    )
    ours = obvious = 0.0
    for method in networks:
        result = compare_networks(data, method, experiment, cores)
        ours, obvious = ours + result.ours, obvious + result.obvious
        _print(f"{cores} cores", result)
    if len(networks) > 1:
        click.echo(f"Together {obvious / ours:.2f} times faster.")


def _print(threads: str, result: Comparison) -> None:
    click.echo(
        f"{result.what:<12} {threads:<9} {result.ours:9.4f} s against {result.obvious:9.4f} s: "
        f"{result.ratio:6.1f} times faster ({result.agreement})"
    )
