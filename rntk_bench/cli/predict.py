"""`rntk-bench predict`: classify the series of a file with a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli._output import check_output, write_text
from rntk_bench.cli._paths import FILE
from rntk_bench.cli._streams import refuse_missing_characters
from rntk_bench.errors import DataError, InputError, KernelError, one_line

if TYPE_CHECKING:
    from rntk_bench.user_data.classifier import Predictions


@click.command()
@click.argument("model", metavar="MODEL", type=FILE)
@click.argument("file", metavar="FILE", type=FILE)
@click.option("-o", "--output", type=FILE, metavar="FILE.csv", help="File for the predictions.")
@options.no_labels
def predict(model: Path, file: Path, output: Path | None, no_labels: bool) -> None:
    """Classify the series of a file with a model that `rntk-bench fit` saved.

    The predictions and probabilities are printed as CSV. If FILE has labels, the accuracy and the
    confusion matrix are printed too: to the error stream, or to the output stream if --output is
    given. A label ? means that the class is unknown; such series are not scored, and their number
    is printed.
    """
    from rntk_bench.datasets.readers import read_split
    from rntk_bench.estimators import load_model
    from rntk_bench.estimators.support_vectors import SupportVectorClassifier
    from rntk_bench.user_data.classifier import predict_split

    check_output(output)
    classifier = load_model(model)
    if not isinstance(classifier, SupportVectorClassifier):
        raise InputError(
            f"{model} is a {type(classifier).__name__}, but must be a classifier; fit one with "
            "'rntk-bench fit'."
        )
    split = read_split(file, "none" if no_labels else "partial")
    try:
        predictions = predict_split(classifier, split)
    except KernelError as error:
        raise DataError(f"{file}: {error}") from error
    text = predictions.table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    if output is None:
        refuse_missing_characters(text)
    write_text(text, output)
    if output is not None:
        click.echo(str(output))
    _print_scores(predictions, to_error=output is None)


def _print_scores(predictions: Predictions, to_error: bool) -> None:
    if not predictions.n_known:
        return
    accuracy = 100 * predictions.n_correct / predictions.n_known
    n_unlabelled = len(predictions.table) - predictions.n_known
    unscored = f"; {n_unlabelled} without a label not scored" if n_unlabelled else ""
    click.echo(
        f"accuracy {accuracy:.2f} % ({predictions.n_correct} of {predictions.n_known}{unscored})\n"
        "labels in rows, predictions in columns:",
        err=to_error,
    )
    confusion = predictions.confusion.rename(index=one_line, columns=one_line)
    click.echo(confusion.to_string(line_width=120), err=to_error)
