"""Classifiers and one's own files: labels matched with classes, predictions scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rntk_bench.data.assemble import check_dimensions, encode_labels, sequences
from rntk_bench.data.dataset import Sequences
from rntk_bench.data.readers import UNKNOWN, Split
from rntk_bench.errors import DataError
from rntk_bench.estimators import KernelClassifier

Array = NDArray[np.float64]


def training_set(split: Split) -> tuple[Sequences, NDArray[np.generic]]:
    """The series, an array where they have one length, and their labels (n,).

    Labels that are all numbers are numbers, and integers where all are whole, so that they are
    sorted by value as in the benchmark; others are text.

    Raises
    ------
    DataError
        If the series have several dimensions, or there is one class.
    """
    check_dimensions(split, split)
    codes, classes = encode_labels(split.labels)
    if len(classes) == 1:
        raise DataError(
            f"{split.path} has the single class {classes[0]!r}, so there is nothing to learn."
        )
    return sequences(split), _typed(classes)[codes]


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of a file, and how right it is where labels are there.

    Attributes
    ----------
    table : DataFrame with a row a series
        `series` (counted from 1), `label` (where the file has some, missing where one is not
        known), `prediction`, and `p(<class>)` for each class
    n_known, n_correct : int
        Series with a label, and those of them that are predicted right.
    confusion : DataFrame
        Series with a label, by class (rows) and prediction (columns).
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
        If a label is not one of the model's classes, or the series have another dimension.
    ValueError
        If the model cannot read them, see `KernelClassifier.predict`.
    """
    _check_dimension(model, split)
    codes = _codes(model.classes_, split)
    probabilities = model.predict_proba(split.series)
    predicted = np.searchsorted(model.classes_, model.predict(split.series))
    names = [str(label) for label in model.classes_.tolist()]
    known = codes >= 0
    table = pd.DataFrame({"series": np.arange(1, len(codes) + 1)})
    if known.any():
        table["label"] = [names[code] if code >= 0 else None for code in codes]
    table["prediction"] = [names[code] for code in predicted]
    for name, column in zip(names, probabilities.T, strict=True):
        table[f"p({name})"] = column
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (codes[known], predicted[known]), 1)
    return Predictions(
        table,
        int(known.sum()),
        int(np.trace(counts)),
        pd.DataFrame(counts, index=names, columns=names),
    )


def _typed(classes: tuple[str, ...]) -> NDArray[np.generic]:
    try:
        numbers = np.array([float(name) for name in classes])
    except ValueError:
        return np.array(classes)
    if not np.isfinite(numbers).all():
        return np.array(classes)
    whole = numbers.astype(np.int64)
    return whole if (whole == numbers).all() else numbers


def _codes(classes: NDArray[np.generic], split: Split) -> NDArray[np.int64]:
    """Position of each series' label among the model's classes, -1 where it is not known."""
    position = {label: code for code, label in enumerate(classes.tolist())}
    codes = np.full(len(split.labels), -1)
    for i, label in enumerate(split.labels):
        if label == UNKNOWN:
            continue
        try:
            codes[i] = position[label if classes.dtype.kind == "U" else float(label)]
        except (KeyError, ValueError):
            known = ", ".join(map(str, classes.tolist()))
            raise DataError(
                f"{split.where(split.rows[i])}: the model has no class {label!r}, only {known}; "
                f"correct it, write {UNKNOWN} where it is not known, or say --no-labels where the "
                "file has none."
            ) from None
    return codes


def _check_dimension(model: KernelClassifier, split: Split) -> None:
    for row, series in zip(split.rows, split.series, strict=True):
        m = 1 if series.ndim == 1 else series.shape[1]
        if m != model.n_dimensions_in_:
            raise DataError(
                f"{split.where(row)}: the series has {m} values a step, but the model was fitted "
                f"to series with {model.n_dimensions_in_}."
            )
