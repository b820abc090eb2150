"""A confusion matrix as a table."""

from __future__ import annotations

import numpy as np

from rntk_bench.report.tables.table import Cell, Column, Table
from rntk_bench.types import IntArray


def confusion_table(counts: IntArray, classes: list[str]) -> Table:
    """The confusion matrix with the labels of the classes and the recall of each class."""
    recalls = np.divide(
        *(100.0 * counts.diagonal(), counts.sum(axis=1)),
        out=np.full(len(counts), np.nan),
        where=counts.sum(axis=1) > 0,
    )
    rows = [
        [
            Cell(label),
            *(Cell(int(count), ".0f") for count in row),
            Cell(None if np.isnan(recall) else float(recall), ".1f"),
        ]
        for label, row, recall in zip(classes, counts, recalls, strict=True)
    ]
    columns = [Column("true"), *map(Column, classes), Column("recall, %")]
    return Table("Confusion matrix", "Test series by true and predicted class", columns, rows, [])
