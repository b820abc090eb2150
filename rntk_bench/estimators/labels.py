"""Class labels of any type as they are, compared by value and never as floating-point targets."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import validate_data

from rntk_bench.types import IntArray


def read_labels(estimator: BaseEstimator, y: Any) -> NDArray[Any]:
    """The labels as an array (n,) of booleans, numbers or text.

    Raises
    ------
    ValueError
        If they are not one for each series, one is missing, or they are something else or a
        mixture of text and numbers.
    """
    if getattr(getattr(y, "dtype", None), "kind", "O") == "T":  # NumPy's text of any length
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
    """The distinct labels in order (k,), and the position of each label among them (n,).

    Raises
    ------
    ValueError
        If the labels are fractions of which no two are equal: the targets of a regression.
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
    """The weighted fraction of the labels (n,) that were predicted.

    Raises
    ------
    ValueError
        If one holds text and the other numbers, or there are not as many.
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
