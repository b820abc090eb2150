"""Reading the ``.ts`` format of sktime and the UEA archive: a header, then ``values:values:label``.

The header declares the numbers of values and dimensions and the classes; all rows are checked
against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from rntk_bench.datasets.labels import class_name
from rntk_bench.datasets.text import MISSING, SeriesRow, parse_values, read_lines
from rntk_bench.errors import DataError
from rntk_bench.types import FloatArray

_FLAGS = ("@timestamps", "@missing", "@univariate", "@equallength")
_SIZES = ("@serieslength", "@dimensions", "@dimension")
_LAST_GROUPS = ("@classlabel", "@targetlabel")
_KEYWORDS = (*_FLAGS, *_SIZES, *_LAST_GROUPS, "@problemname", "@data")


@dataclass(frozen=True)
class _Header:
    """The entries before ``@data``; None for entries that are absent."""

    path: Path
    has_classes: bool
    classes: tuple[str, ...]
    has_targets: bool
    missing: bool | None
    univariate: bool | None
    equal_length: bool | None
    length: int | None
    dimensions: int | None


def read_ts_rows(path: Path, labelled: bool) -> Iterator[SeriesRow]:
    """Yield the line number, the label (empty if there is none) and the values (T, m) of each row.

    Parameters
    ----------
    path : Path
    labelled : bool
        Whether there must be class labels. If not, a file for regression is accepted, and its
        targets are ignored.

    Raises
    ------
    DataError
        If the file cannot be read, its header or a row is malformed, or a row contradicts the
        header.
    """
    lines = read_lines(path, comments=("#", "%"))
    header = _read_header(path, lines)
    if labelled and header.has_targets:
        raise DataError(
            f"{path} declares no class labels, but the targets of a regression (@targetLabel "
            "true); name a file with classes."
        )
    if labelled and not header.has_classes:
        raise DataError(
            f"{path} declares no class labels; add @classLabel true to its header, and a label to "
            "each row."
        )
    first: int | None = None
    for row, line in lines:
        where = f"{path}, row {row}"
        groups = line.split(":")
        last = groups.pop() if header.has_classes or header.has_targets else ""
        values = _values(groups, where)
        _check_size(header, values, first, where)
        first = first or len(values)
        label = last if header.has_classes else ""
        _check_label(header, label, where)
        yield row, label, values


def _read_header(path: Path, lines: Iterator[tuple[int, str]]) -> _Header:
    entries: dict[str, str] = {}
    for row, line in lines:
        where = f"{path}, row {row}"
        spelling, *rest = line.split(maxsplit=1)
        keyword, value = spelling.casefold(), rest[0].strip() if rest else ""
        if keyword == "@data":
            if value:
                raise DataError(
                    f"{where}: @data must be alone on its line; move the values to the next."
                )
            return _parse_header(path, entries)
        if not keyword.startswith("@"):
            raise DataError(
                f"{where}: there are values before the @data line of the header; move them below "
                "it."
            )
        if keyword in entries and keyword != "@problemname":  # a title, which nothing depends on
            raise DataError(f"{where}: the header has {spelling[:40]} twice; keep one.")
        if keyword not in _KEYWORDS and (near := get_close_matches(keyword, _KEYWORDS, 1, 0.8)):
            raise DataError(f"{where}: {spelling[:40]} is unknown; did you mean {near[0]}?")
        entries[keyword] = value
    raise DataError(
        f"{path} has no @data line: it is empty or not in the .ts format; replace it by a complete "
        "copy."
    )


def _parse_header(path: Path, entries: Mapping[str, str]) -> _Header:
    flags = {key: _flag(path, key, entries[key]) for key in _FLAGS if key in entries}
    sizes = {key: _size(path, key, entries[key]) for key in _SIZES if key in entries}
    last = {key: _flag(path, key, entries[key]) for key in _LAST_GROUPS if key in entries}
    if flags.get("@timestamps"):
        raise DataError(
            f"{path} has a time stamp for each value, which is not supported; write the values "
            "alone."
        )
    if all(last.get(key) for key in _LAST_GROUPS):
        raise DataError(
            f"{path} declares both classes and targets; keep @classLabel true or @targetLabel true."
        )
    return _Header(
        path=path,
        has_classes=last.get("@classlabel", False),
        classes=tuple(map(class_name, entries.get("@classlabel", "").split()[1:])),
        has_targets=last.get("@targetlabel", False),
        missing=flags.get("@missing"),
        univariate=flags.get("@univariate"),
        equal_length=flags.get("@equallength"),
        length=sizes.get("@serieslength"),
        dimensions=sizes.get("@dimensions", sizes.get("@dimension")),
    )


def _flag(path: Path, keyword: str, value: str) -> bool:
    """Parse the first word of an entry; more words may follow @classLabel and @targetLabel only."""
    word, *rest = value.casefold().split() or [""]
    if word not in ("true", "false") or (rest and keyword in _FLAGS):
        raise DataError(f"{path}: {keyword} is {value[:40]!r}, but must be true or false.")
    return word == "true"


def _size(path: Path, keyword: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise DataError(f"{path}: {keyword} is {value[:40]!r}, but must be a whole number.")
    return int(value)


def _values(groups: Sequence[str], where: str) -> FloatArray:
    """Parse the values (T, m) of m groups of T values; commas at the end of a group are ignored."""
    dimensions = []
    for group in groups:
        fields = group.split(",")
        while len(fields) > 1 and not fields[-1].strip():
            fields.pop()
        dimensions.append(parse_values(fields, where))
    if len({len(dimension) for dimension in dimensions}) != 1:
        raise DataError(
            f"{where}: a row must consist of one group of values per dimension, all of the same "
            "length, and a class label, separated by colons."
        )
    return np.column_stack(dimensions)


def _check_size(header: _Header, values: FloatArray, first: int | None, where: str) -> None:
    """Check a row against the header's lengths, dimensions and missing values."""
    T, m = values.shape
    if header.univariate is not None and header.univariate != (m == 1):
        declared = f"@univariate {str(header.univariate).lower()}"
        raise DataError(
            f"{where}: the series has dimension {m}, but the header declares {declared}; correct "
            "one of them."
        )
    if header.dimensions not in (None, m):
        declared = f"@dimensions {header.dimensions}"
        raise DataError(
            f"{where}: the series has dimension {m}, but the header declares {declared}; correct "
            "one of them."
        )
    if header.equal_length is not False and header.length not in (None, T):
        raise DataError(
            f"{where}: the series has {T} steps, but the header declares @seriesLength "
            f"{header.length}; correct one of them."
        )
    if header.equal_length and first not in (None, T):
        raise DataError(
            f"{where}: the series has {T} steps and the first has {first}, but the header declares "
            "@equalLength true; correct one of them."
        )
    if header.equal_length and np.isnan(values).any():
        raise DataError(
            f"{where}: a value is missing, and is no padding, since the header declares "
            "@equalLength true; fill in the missing values, or correct the header."
        )
    # If lengths may differ, NaN at the end is padding.
    if header.missing is False and header.equal_length is not False and np.isnan(values).any():
        raise DataError(
            f"{where}: a value is missing, but the header declares @missing false; correct one of "
            "them."
        )


def _check_label(header: _Header, label: str, where: str) -> None:
    """Check that a label is declared; a label of several words is declared as several words."""
    if not header.classes or label.strip() in MISSING:
        return
    words = tuple(map(class_name, label.split()))
    starts = range(len(header.classes) - len(words) + 1)
    if not any(header.classes[i : i + len(words)] == words for i in starts):
        known = ", ".join(header.classes[:10]) + (", ..." if len(header.classes) > 10 else "")
        raise DataError(
            f"{where}: the label {label.strip()[:40]!r} is not one of the classes that the header "
            f"declares, {known}; correct the row or the header."
        )
