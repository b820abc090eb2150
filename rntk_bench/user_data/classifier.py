"""Classifiers for users' files: matching labels with classes, and scoring predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rntk_bench.datasets.assemble import check_dimensions, stack_series
from rntk_bench.datasets.dataset import Sequences
from rntk_bench.datasets.labels import class_name, encode_labels
from rntk_bench.datasets.readers import UNKNOWN, Split
from rntk_bench.errors import DataError
from rntk_bench.estimators import KernelClassifier
from rntk_bench.types import IntArray


def training_set(split: Split) -> tuple[Sequences, IntArray, tuple[str, ...]]:
    """Return the series, the codes of their classes, and the classes' names.

    Returns
    -------
    series : ndarray of shape (n, T) or (n, T, m), or list of ndarray
        An array if all series have the same length.
    codes : ndarray of shape (n,)
        Indices into `classes`, which are in the order of the benchmark.
    classes : tuple of str

    Raises
    ------
    DataError
        If the series have different dimensions, or there is only one class.
    """
    check_dimensions(split, split)
    codes, classes = encode_labels(split.labels)
    if len(classes) == 1:
        raise DataError(
            f"{split.path} has the single class {classes[0]!r}, so there is nothing to learn; add "
            "series of another class."
        )
    return stack_series(split), codes, classes


def name_classes(model: KernelClassifier, classes: tuple[str, ...]) -> None:
    """Set the class names of a classifier that was fitted to class codes."""
    model.classes_ = np.array(classes)


@dataclass(frozen=True)
class Predictions:
    """The predictions for the series of a file, and their accuracy for series with labels.

    Attributes
    ----------
    table : DataFrame with one row per series
        `series` (counted from 1), `label` (if the file has labels; missing if unknown),
        `prediction`, and `p(<class>)` for each class
    n_known, n_correct : int
        Number of series with a label, and of those that are predicted correctly.
    confusion : DataFrame
        Counts of series with a label by class (rows) and prediction (columns).
    """

    table: pd.DataFrame
    n_known: int
    n_correct: int
    confusion: pd.DataFrame


def predict_split(model: KernelClassifier, split: Split) -> Predictions:
    """Classify the series of a file.

    Raises
    ------
    DataError
        If a label is not a class of the model, or the series have another dimension.
    ValueError
        If the series are invalid for the model, see `KernelClassifier.predict`.
    """
    _check_dimension(model, split)
    names = list(map(str, model.classes_.tolist()))
    codes = _codes(names, split)
    predicted, probabilities = model.predict_codes(split.series)
    known = codes >= 0
    table = pd.DataFrame({"series": np.arange(1, len(codes) + 1)})
    if known.any():
        table["label"] = [names[code] if code >= 0 else None for code in codes]
    table["prediction"] = [names[code] for code in predicted]
    columns = pd.DataFrame(probabilities, columns=[f"p({name})" for name in names])
    table = pd.concat([table, columns], axis=1)
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (codes[known], predicted[known]), 1)
    return Predictions(
        table,
        int(known.sum()),
        int(np.trace(counts)),
        pd.DataFrame(counts, index=names, columns=names),
    )


def _codes(classes: Sequence[str], split: Split) -> IntArray:
    """Index of each series' class in the model's classes, -1 if it is unknown."""
    position = {class_name(name): code for code, name in enumerate(classes)}
    # A model that was fitted in Python may have two classes that spell the same number.
    position |= {name: code for code, name in enumerate(classes)}
    codes = np.full(len(split.labels), -1)
    for i, label in enumerate(split.labels):
        if label == UNKNOWN:
            continue
        code = position.get(label, position.get(class_name(label)))
        if code is None:
            raise DataError(
                f"{split.where(split.rows[i])}: the model has no class {label!r}, only "
                f"{', '.join(classes)}; correct it, write {UNKNOWN} if it is unknown, or use "
                "--no-labels if the file has no labels."
            )
        codes[i] = code
    return codes


def _check_dimension(model: KernelClassifier, split: Split) -> None:
    for row, series in zip(split.rows, split.series, strict=True):
        m = 1 if series.ndim == 1 else series.shape[1]
        if m != model.n_dimensions_in_:
            raise DataError(
                f"{split.where(row)}: the series has {m} values per step, but the model was fitted "
                f"to series with {model.n_dimensions_in_}; give it such series."
            )
