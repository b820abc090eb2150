"""The confidence interval of a record's accuracy, and its confusion matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from rntk_bench.datasets import Dataset
from rntk_bench.errors import DataError
from rntk_bench.storage.records import Record
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
    interval = binomtest(correct, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def confusion_counts(record: Record, dataset: Dataset) -> IntArray:
    """Test series by true class (rows) and predicted class (columns), (n_classes, n_classes).

    Raises
    ------
    DataError
        The record has no predictions, or they are not predictions for the test set of `dataset`.
    """
    test: dict[str, Any] = record.test or {}
    if "predictions" not in test:
        raise DataError("the record has no predictions")
    if record.data.get("fingerprint") != dataset.fingerprint:
        raise DataError("the record was made with another copy of the data than is here")
    try:
        counts: IntArray = confusion_matrix(
            dataset.y_test,
            np.array(test["predictions"], dtype=np.int64),
            labels=range(dataset.n_classes),
        )
    except (TypeError, ValueError, OverflowError):
        raise DataError("the record's predictions are not those of its test set") from None
    if counts.sum() != test["n"] or counts.trace() != test["correct"]:
        raise DataError("the record's predictions do not have its number of right answers")
    return counts
