"""`rntk-bench speed`: this package against the obvious way, in one process."""

from __future__ import annotations

from pathlib import Path

import click

from rntk_bench.cli import options


@click.command()
@click.option("-d", "--dataset", default="GunPoint", show_default=True, metavar="NAME")
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
def speed(
    dataset: str,
    data_dir: Path | None,
    cache_dir: Path | None,
    kernels: int,
    whole: bool,
    variants: bool,
) -> None:
    """Time Grams and SVM grids against vectorised NumPy and scikit-learn's SVC."""
    from functools import partial

    from joblib import cpu_count

    from rntk_bench.compiling import announce_compilation
    from rntk_bench.config import Experiment
    from rntk_bench.data import load_dataset
    from rntk_bench.errors import DataError
    from rntk_bench.experiments import speed as measure
    from rntk_bench.experiments.classification import Problem
    from rntk_bench.experiments.variants import variant_costs
    from rntk_bench.experiments.warmup import warm_up
    from rntk_bench.methods import METHODS
    from rntk_bench.store.environment import environment

    data = load_dataset(dataset, data_dir=data_dir, cache_dir=cache_dir)
    if not data.equal_length:
        raise DataError(f"{dataset} has series of different lengths; name one of equal lengths.")
    problem, experiment = Problem.of(data), Experiment()
    if variants:
        for cost in variant_costs(problem):
            click.echo(f"{cost.name:<28}{cost.nanoseconds:8.2f} ns{cost.ratio:8.2f} times")
        return
    announce_compilation(partial(warm_up, [METHODS["rntk"]]), partial(click.echo, err=True))
    chosen = measure.spread(kernels)
    cores = cpu_count()
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
        click.echo(
            f"{result.what:<11} {threads:<9} {result.ours:9.4f} s against {result.obvious:9.4f} s: "
            f"{result.ratio:6.1f} times faster ({result.agreement})"
        )
