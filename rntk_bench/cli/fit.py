"""The commands `fit` and `predict`: a classifier for one's own files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli._output import check_output, write_text
from rntk_bench.cli._paths import FILE
from rntk_bench.config import brief
from rntk_bench.errors import InputError, one_line

if TYPE_CHECKING:
    from rntk_bench.config import Experiment
    from rntk_bench.estimators import KernelClassifier
    from rntk_bench.user_data.classifier import Predictions


@click.command()
@click.argument("train", metavar="TRAIN", type=FILE)
@click.option(
    "-o", "--output", type=FILE, required=True, metavar="MODEL", help="File of the fitted model."
)
@options.kernel
@options.config
@click.option("--seed", type=click.IntRange(min=0), help="Of the folds. [default: 0]")
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
    """Choose a kernel for one's own labelled series, train on them and keep the model.

    TRAIN is a .tsv or .txt (label first), a .ts, or a .csv with a header and a column of labels
    called label, class or target. Classes are texts, but 1 and 1.0 are one. The grid and the
    protocol are those of `rntk-bench run`; MODEL is a NumPy .npz file without pickles.
    """
    import sys

    from rntk_bench.config import configured
    from rntk_bench.datasets.readers import read_split
    from rntk_bench.estimators import save_model
    from rntk_bench.user_data.classifier import name_classes, training_set

    check_output(output)
    experiment = configured(config, (method,), seed)
    model = _classifier(experiment, method, jobs, verbose=not quiet and sys.stderr.isatty())
    X, codes, classes = training_set(read_split(train))
    _compile(experiment)
    started = time.perf_counter()
    _fitted(model, X, codes)
    name_classes(model, classes)
    save_model(model, output)
    if quiet:
        return
    lengths = sorted({len(x) for x in X})
    steps = str(lengths[0]) if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    click.echo(f"{one_line(train)}: {len(X)} series of {steps} steps, {len(classes)} classes")
    click.echo(
        f"{method}: validation {100 * model.best_score_:.2f} % "
        f"({brief(model.best_params_)}, {model.n_ties_} tied) "
        f"[{time.perf_counter() - started:.1f} s]"
    )
    click.echo(str(output))


@click.command()
@click.argument("model", metavar="MODEL", type=FILE)
@click.argument("file", metavar="FILE", type=FILE)
@click.option("-o", "--output", type=FILE, metavar="FILE.csv", help="Write the predictions there.")
@options.no_labels
def predict(model: Path, file: Path, output: Path | None, no_labels: bool) -> None:
    """Classify the series of a file by a model that `rntk-bench fit` made.

    Prints the predictions and the probabilities as CSV, and the accuracy and the confusion matrix
    where FILE has labels: on the error stream, unless --output takes the CSV. A label ? is one
    that is not known; how many series are not scored for that is said.
    """
    from rntk_bench.datasets.readers import read_split
    from rntk_bench.estimators import KernelClassifier, load_model
    from rntk_bench.user_data.classifier import predict_split

    check_output(output)
    classifier = load_model(model)
    if not isinstance(classifier, KernelClassifier):
        raise InputError(f"{model} is a {type(classifier).__name__}, but must be a classifier.")
    found = predict_split(classifier, read_split(file, "none" if no_labels else "partial"))
    text = found.table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    write_text(text, output)
    if output is not None:
        click.echo(str(output))
    _print_scores(found, to_error=output is None)


def _classifier(experiment: Experiment, name: str, jobs: int, verbose: bool) -> KernelClassifier:
    """The estimator of an experiment."""
    from rntk_bench.estimators import KernelClassifier
    from rntk_bench.methods import only_kernels, resolve

    only_kernels(resolve(experiment), "fit")
    return KernelClassifier(
        name,
        grid=experiment.grids.get(name),
        C=experiment.C,
        n_folds=experiment.n_folds,
        tolerance=experiment.tolerance,
        max_iterations=experiment.max_iterations,
        n_jobs=jobs,
        verbose=verbose,
        random_state=experiment.seed,
    )


def _compile(experiment: Experiment) -> None:
    """Compile the loops of an experiment's methods, after what is wrong with its input was said."""
    from functools import partial

    from rntk_bench.benchmark.warmup import warm_up
    from rntk_bench.compiling import announce_compilation
    from rntk_bench.methods import resolve

    announce_compilation(partial(warm_up, resolve(experiment)), partial(click.echo, err=True))


def _fitted(model: KernelClassifier, X: object, y: object) -> None:
    """Fit, and say warnings as sentences."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        click.echo(f"Warning: {message}", err=True)


def _print_scores(found: Predictions, to_error: bool) -> None:
    if not found.n_known:
        return
    share = 100 * found.n_correct / found.n_known
    rest = len(found.table) - found.n_known
    unscored = f"; {rest} without a label not scored" if rest else ""
    click.echo(
        f"accuracy {share:.2f} % ({found.n_correct} of {found.n_known}{unscored})\n"
        "labels in rows, predictions in columns:",
        err=to_error,
    )
    confusion = found.confusion.rename(index=one_line, columns=one_line)
    click.echo(confusion.to_string(line_width=120), err=to_error)
