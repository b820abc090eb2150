"""Validating class labels of any type; they are compared by value and keep their type."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import validate_data

from rntk_bench.types import IntArray


def validate_labels(estimator: BaseEstimator, y: Any) -> NDArray[Any]:
    """Return the labels as an array (n,) of booleans, numbers or text.

    Raises
    ------
    ValueError
        If the number of labels differs from that of the series, one is missing, or they are
        neither all text nor all numbers.
    """
    if getattr(getattr(y, "dtype", None), "kind", "O") == "T":  # NumPy's StringDType
        y = y.astype(object)
    labels: NDArray[Any] = validate_data(estimator, y=y)
    if labels.dtype.kind in "biufU":
        return labels
    kinds = {_kind(label) for label in labels.tolist()}
    if kinds == {"text"}:
        return labels.astype(object)
    if kinds != {"numbers"}:
        raise ValueError(
            f"Unknown label type: y holds {' and '.join(sorted(kinds))}, but labels must all be "
            "text or all be numbers."
        )
    plain = np.array(labels.tolist())
    return plain if plain.tolist() == labels.tolist() else labels


def encode(labels: NDArray[Any]) -> tuple[NDArray[Any], IntArray]:
    """Return the sorted distinct labels (k,), and the index of each label among them (n,).

    Raises
    ------
    ValueError
        If the labels are fractions that all differ: these are targets of a regression.
    """
    classes, codes = np.unique(labels, return_inverse=True)
    if labels.dtype.kind == "f" and len(classes) == len(labels) and (classes % 1 != 0).any():
        raise ValueError(
            f"Unknown label type: continuous. All {len(labels)} values of y differ, as the targets "
            "of a regression do; give classes as integers or text."
        )
    return classes, codes


def fraction_equal(
    labels: NDArray[Any], predicted: NDArray[Any], sample_weight: Any = None
) -> float:
    """The weighted fraction of correct predictions.

    Raises
    ------
    ValueError
        If one holds text and the other numbers, or their lengths differ.
    """
    check_consistent_length(labels, predicted)
    kinds = [_kind(each[0]) for each in (labels, predicted)]
    if kinds[0] != kinds[1]:
        raise ValueError(f"y holds {kinds[0]}, but the classifier was fitted to {kinds[1]}.")
    equal = labels.astype(object) == predicted.astype(object)
    return float(np.average(equal, weights=sample_weight))


def _kind(label: object) -> str:
    if isinstance(label, str):
        return "text"
    return "numbers" if isinstance(label, Number | np.bool_) else f"a {type(label).__name__}"
