"""Details of a record: confidence interval, confusion matrix and the networks of its folds."""

from __future__ import annotations

from typing import Any

import numpy as np

from rntk_bench.datasets import Dataset
from rntk_bench.errors import DataError
from rntk_bench.storage.integers import unpack_integers
from rntk_bench.storage.records import Record, RecordError
from rntk_bench.types import IntArray


def wilson_interval(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's confidence interval of an accuracy, as fractions.

    Parameters
    ----------
    correct : int
        Correct predictions.
    n : int
        Size of the test set.
    """
    from scipy.stats import binomtest

    interval = binomtest(correct, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def describe_fold_networks(record: Record) -> str | None:
    """The test accuracies of the networks of the folds and of their ensemble, and which of them
    is the result of the record; None if the record does not have them."""
    test, selection = record.test or {}, record.selection or {}
    if "fold_correct" not in test:
        return None

    def percent(correct: int | None) -> str:
        return "none" if correct is None else f"{100 * correct / test['n']:.2f}"

    folds = ", ".join(map(percent, test["fold_correct"]))
    final = record.protocol["final"]
    tested = {
        "best-fold": f"that of fold {selection['best_fold'] + 1}",
        "ensemble": "the mean of their probabilities",
        "retrain": "one trained on all series",
    }[final]
    return (
        f"{folds} % by fold, {percent(test['ensemble_correct'])} % by the mean of their "
        f"probabilities; tested: {tested}"
    )


def predicted_classes(record: Record) -> IntArray | None:
    """The class codes that a record predicts for the test series (n_test,), if it has them.

    Raises
    ------
    RecordError
        If they are damaged.
    """
    packed = (record.test or {}).get("predictions")
    return None if packed is None else unpack_integers(packed).astype(np.int64)


def confusion_counts(record: Record, dataset: Dataset) -> IntArray:
    """Test series by true class (rows) and predicted class (columns), (n_classes, n_classes).

    Raises
    ------
    DataError
        The record has no predictions, or they are not predictions for the test set of `dataset`.
    """
    from sklearn.metrics import confusion_matrix

    test: dict[str, Any] = record.test or {}
    try:
        predictions = predicted_classes(record)
    except RecordError:
        raise DataError("the record's predictions are damaged") from None
    if predictions is None:
        raise DataError("the record has no predictions")
    if record.data.get("fingerprint") != dataset.fingerprint:
        raise DataError("the record was made with another copy of the data than is here")
    try:
        counts: IntArray = confusion_matrix(
            dataset.y_test, predictions, labels=range(dataset.n_classes)
        )
    except ValueError:
        raise DataError("the record's predictions are not those of its test set") from None
    if counts.sum() != test["n"] or counts.trace() != test["correct"]:
        raise DataError("the record's predictions do not have its number of right answers")
    return counts
