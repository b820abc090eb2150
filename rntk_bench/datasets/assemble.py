"""Combining a training and a test split into one validated dataset."""

from __future__ import annotations

import numpy as np

from rntk_bench.datasets.archive import ARCHIVE
from rntk_bench.datasets.dataset import Dataset, Sequences
from rntk_bench.datasets.labels import encode_labels
from rntk_bench.datasets.readers import Split
from rntk_bench.errors import DataError
from rntk_bench.types import IntArray


def assemble(name: str, train: Split, test: Split, source: str) -> Dataset:
    """Combine two splits into a dataset.

    Raises
    ------
    DataError
        If the splits do not match, or their sizes differ from those that the archive's table gives
        for `name`.
    """
    y, classes = encode_labels(train.labels + test.labels)
    y_train, y_test = np.split(y, [len(train.labels)])
    lengths = {len(x) for split in (train, test) for x in split.series}
    check_dimensions(train, test)
    _check_archive(name, train, test, lengths, len(classes))
    _check_classes(train, test, y_train, y_test)
    return Dataset(
        name=name,
        X_train=stack_series(train, test),
        y_train=y_train,
        X_test=stack_series(test, train),
        y_test=y_test,
        classes=classes,
        source=source,
    )


def stack_series(split: Split, *others: Split) -> Sequences:
    """Stack the series of a split if all series, also those of the others, have the same length."""
    lengths = {len(x) for each in (split, *others) for x in each.series}
    return np.stack(split.series) if len(lengths) == 1 else split.series


def check_dimensions(train: Split, test: Split) -> None:
    """Raise a DataError if a series has another dimension than the first training series."""
    expected = _n_dimensions(train, 0)
    for split in (train, test):
        for i, row in enumerate(split.rows):
            if _n_dimensions(split, i) != expected:
                raise DataError(
                    f"{split.where(row)}: the series has dimension {_n_dimensions(split, i)}, but "
                    f"the first of {train.path} has {expected}; give all the same."
                )


def _n_dimensions(split: Split, i: int) -> int:
    series = split.series[i]
    return series.shape[1] if series.ndim == 2 else 1


def _check_archive(name: str, train: Split, test: Split, lengths: set[int], n_classes: int) -> None:
    if name not in ARCHIVE:
        return
    entry = ARCHIVE[name]
    compared = {
        "training series": (entry.n_train, len(train.series)),
        "test series": (entry.n_test, len(test.series)),
        "classes": (entry.n_classes, n_classes),
    }
    if len(lengths) == 1:
        compared["steps per series"] = (entry.length, max(lengths))
    for what, (expected, actual) in compared.items():
        if actual != expected:
            raise DataError(
                f"{train.path.parent}: the archive's {name} has {expected} {what}, but this copy "
                f"has {actual}; replace it by a complete copy, or give other data another name."
            )


def _check_classes(train: Split, test: Split, y_train: IntArray, y_test: IntArray) -> None:
    unseen = np.flatnonzero(~np.isin(y_test, y_train))
    if unseen.size:
        first = unseen[0]
        raise DataError(
            f"{test.where(test.rows[first])}: no series of {train.path} has the label "
            f"{test.labels[first]!r}, so it cannot be learned; correct "
            "the label, or remove the series."
        )
    if (y_train == y_train[0]).all():
        raise DataError(
            f"{train.path} has the single class {train.labels[0]!r}, so there is nothing to learn; "
            "add series of another class."
        )
