"""What one record says beyond its accuracy: how sure it is, and which classes were confused."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from rntk_bench.datasets import Dataset
from rntk_bench.errors import DataError
from rntk_bench.report.tables.cells import Cell, Column, Table
from rntk_bench.storage.records import Record


def interval(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's confidence interval of an accuracy, as fractions, from right answers out of n."""
    found = binomtest(correct, n).proportion_ci(confidence, method="wilson")
    return float(found.low), float(found.high)


def fold_networks(record: Record) -> str | None:
    """How each fold's network and all of them together do on the test series, and which is the
    record's result; None where the record does not say."""
    test, selection = record.test or {}, record.selection or {}
    if "fold_correct" not in test:
        return None

    def percent(correct: int | None) -> str:
        return "none" if correct is None else f"{100 * correct / test['n']:.2f}"

    folds = ", ".join(map(percent, test["fold_correct"]))
    final = record.protocol.get("final", "retrain")
    tested = {
        "best-fold": f"that of fold {selection['best_fold'] + 1}",
        "ensemble": "the mean of their probabilities",
        "retrain": "one trained on all series",
    }[final]
    return (
        f"{folds} % by fold, {percent(test['ensemble_correct'])} % by the mean of their "
        f"probabilities; tested: {tested}"
    )


def confusion(record: Record, dataset: Dataset) -> NDArray[np.int64]:
    """Test series by true class (rows) and predicted class (columns), (n_classes, n_classes).

    Raises
    ------
    DataError
        The record has no predictions, or the dataset is not the copy that it was made with, or
        the predictions are not those of its test set.
    """
    test: dict[str, Any] = record.test or {}
    if "predictions" not in test:
        raise DataError("the record has no predictions")
    if record.data.get("fingerprint") != dataset.fingerprint:
        raise DataError("the record was made with another copy of the data than is here")
    try:
        counts: NDArray[np.int64] = confusion_matrix(
            dataset.y_test,
            np.array(test["predictions"], dtype=np.int64),
            labels=range(dataset.n_classes),
        )
    except (TypeError, ValueError, OverflowError):
        raise DataError("the record's predictions are not those of its test set") from None
    if counts.sum() != test["n"] or counts.trace() != test["correct"]:
        raise DataError("the record's predictions do not have its number of right answers")
    return counts


def confusion_table(counts: NDArray[np.int64], classes: list[str]) -> Table:
    """The matrix with the classes' labels and the share of each class that was found."""
    shares = np.divide(
        *(100.0 * counts.diagonal(), counts.sum(axis=1)),
        out=np.full(len(counts), np.nan),
        where=counts.sum(axis=1) > 0,
    )
    rows = [
        [
            Cell(label),
            *(Cell(int(count), ".0f") for count in row),
            Cell(None if np.isnan(share) else float(share), ".1f"),
        ]
        for label, row, share in zip(classes, counts, shares, strict=True)
    ]
    columns = [Column("true"), *map(Column, classes), Column("found, %")]
    return Table("Confusion matrix", "Test series by true and predicted class", columns, rows, [])
