"""`rntk-bench fit`: fit a classifier to a file of labelled series and save it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli._compiling import compile_loops
from rntk_bench.cli._output import check_output
from rntk_bench.cli._paths import FILE
from rntk_bench.config import MAX_SEED
from rntk_bench.errors import DataError, KernelError, one_line
from rntk_bench.formatting import format_setting

if TYPE_CHECKING:
    from rntk_bench.config import Experiment
    from rntk_bench.estimators import KernelClassifier


@click.command()
@click.argument("train", metavar="TRAIN", type=FILE)
@click.option(
    "-o", "--output", type=FILE, required=True, metavar="MODEL", help="File for the fitted model."
)
@options.kernel
@options.config
@click.option("--seed", type=click.IntRange(0, MAX_SEED), help="Seed of the folds. [default: 0]")
@options.jobs
@options.quiet
def fit(
    train: Path,
    output: Path,
    method: str,
    config: Path | None,
    seed: int | None,
    jobs: int,
    quiet: bool,
) -> None:
    """Choose a kernel for labelled series by cross-validation, train on them and save the model.

    TRAIN is a .tsv or .txt file (label first), a .ts file, or a .csv file with a header and a label
    column named label, class or target. Labels are compared as texts, but 1 and 1.0 are the same
    class. The grid and the protocol are those of `rntk-bench run`. MODEL is a NumPy .npz file
    without pickles.
    """
    import sys

    from rntk_bench.config import load_experiment
    from rntk_bench.datasets.readers import read_split
    from rntk_bench.estimators import save_model
    from rntk_bench.methods import resolve
    from rntk_bench.user_data.classifier import name_classes, training_set

    check_output(output)
    experiment = load_experiment(config, (method,), seed)
    model = _classifier(experiment, method, jobs, verbose=not quiet and sys.stderr.isatty())
    X, codes, classes = training_set(read_split(train))
    compile_loops(resolve(experiment))
    started = time.perf_counter()
    try:
        _fit_with_warnings(model, X, codes)
    except KernelError as error:
        raise DataError(f"{train}: {error}") from error
    name_classes(model, classes)
    save_model(model, output)
    if quiet:
        return
    lengths = sorted({len(x) for x in X})
    steps = str(lengths[0]) if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    click.echo(f"{one_line(train)}: {len(X)} series of {steps} steps, {len(classes)} classes")
    click.echo(
        f"{method}: validation {100 * model.best_score_:.2f} % "
        f"({format_setting(model.best_params_)}, {model.n_ties_} tied) "
        f"[{time.perf_counter() - started:.1f} s]"
    )
    click.echo(str(output))


def _classifier(experiment: Experiment, name: str, jobs: int, verbose: bool) -> KernelClassifier:
    """Create the estimator with the settings of an experiment."""
    from rntk_bench.estimators import KernelClassifier
    from rntk_bench.methods import only_kernels, resolve

    only_kernels(resolve(experiment), "fit")
    return KernelClassifier(
        name,
        grid=experiment.grids.get(name),
        C=experiment.C,
        n_folds=experiment.n_folds,
        n_repeats=experiment.n_repeats,
        gram_scale=experiment.gram_scale,
        tolerance=experiment.tolerance,
        max_iterations=experiment.max_iterations,
        n_jobs=jobs,
        verbose=verbose,
        random_state=experiment.seed,
    )


def _fit_with_warnings(model: KernelClassifier, X: object, y: object) -> None:
    """Fit, and print each distinct warning as one line."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        click.echo(f"Warning: {message}", err=True)
