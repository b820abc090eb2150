"""Mapping class labels to class names and integer codes.

Two labels belong to the same class if their texts are equal, ignoring blanks around them, or if
both are plain decimal numbers of exactly the same value, such as 1 and 1.0000000e+00. A number with
a leading zero, such as 01, is a code and equal only to itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np

from rntk_bench.types import IntArray

LABEL_COLUMNS = ("label", "class", "target")
"""What a column of labels is called in a header, ignoring case."""

_NUMBER = re.compile(r"[+-]?(?=\.?[0-9])(?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,4})?")
_MAX_DIGITS = 64
"""Numbers with more digits and zeros are written with an exponent."""


def class_name(label: str) -> str:
    """Return the class of a label: the shortest form of a number, otherwise the stripped text."""
    text = label.strip()
    if not _NUMBER.fullmatch(text):
        return text
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    figures = "".join(map(str, digits)).lstrip("0")
    significant = figures.rstrip("0")
    if not significant:
        return "0"
    exponent += len(figures) - len(significant)
    minus = "-" if sign else ""
    if not -_MAX_DIGITS < exponent < _MAX_DIGITS:
        return f"{minus}{significant}e{exponent}"
    if exponent >= 0:
        return minus + significant + "0" * exponent
    padded = significant.rjust(1 - exponent, "0")
    return f"{minus}{padded[:exponent]}.{padded[exponent:]}"


def sorted_classes(names: Iterable[str]) -> tuple[str, ...]:
    """Sort the distinct class names: by value if all are numbers, otherwise as texts."""
    distinct = set(names)
    if all(map(_NUMBER.fullmatch, distinct)):
        return tuple(sorted(distinct, key=Decimal))
    return tuple(sorted(distinct))


def encode_labels(labels: Sequence[str]) -> tuple[IntArray, tuple[str, ...]]:
    """Encode labels as integers; the order of the classes does not depend on that of the labels.

    Returns
    -------
    codes : ndarray of shape (n,)
        The position of each label's class in `classes`.
    classes : tuple of str
        The names of the classes, see `class_name` and `sorted_classes`.
    """
    names = [class_name(label) for label in labels]
    classes = sorted_classes(names)
    code = {name: i for i, name in enumerate(classes)}
    return np.array([code[name] for name in names], dtype=np.int64), classes
