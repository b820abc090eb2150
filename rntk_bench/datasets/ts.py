"""The ``.ts`` format of sktime and the UEA archive: a header, then ``values:values:label``.

The header says how many values, dimensions and classes there are; every row is checked against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from rntk_bench.datasets.labels import class_name
from rntk_bench.datasets.text import MISSING, NumberError, parse_numbers, read_lines
from rntk_bench.errors import DataError
from rntk_bench.types import FloatArray

_FLAGS = ("@timestamps", "@missing", "@univariate", "@equallength")
_SIZES = ("@serieslength", "@dimensions", "@dimension")
_LAST_GROUPS = ("@classlabel", "@targetlabel")
_KEYWORDS = (*_FLAGS, *_SIZES, *_LAST_GROUPS, "@problemname", "@data")


@dataclass(frozen=True)
class _Header:
    """What the lines before ``@data`` say; None where they are silent."""

    path: Path
    has_classes: bool
    classes: tuple[str, ...]
    has_targets: bool
    missing: bool | None
    univariate: bool | None
    equal_length: bool | None
    length: int | None
    dimensions: int | None


def read_ts_rows(path: Path, labelled: bool) -> Iterator[tuple[int, str, FloatArray]]:
    """Yield each row's line, its label (empty where there is none) and values (T, m).

    Parameters
    ----------
    path : Path
    labelled : bool
        Whether there must be class labels. Where they need not be, the targets of a file for
        regression are left out.

    Raises
    ------
    DataError
        If the file cannot be read, a header or a row is not in the format, or a row is not what
        the header says.
    """
    lines = read_lines(path, comments=("#", "%"))
    header = _read_header(path, lines)
    if labelled and header.has_targets:
        raise DataError(
            f"{path} declares no class labels, but the targets of a regression (@targetLabel true)."
        )
    if labelled and not header.has_classes:
        raise DataError(f"{path} declares no class labels (@classLabel true).")
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
                raise DataError(f"{where}: @data stands alone; begin the values on the next line.")
            return _interpreted(path, entries)
        if not keyword.startswith("@"):
            raise DataError(f"{where}: values before the header's @data line.")
        if keyword in entries:
            raise DataError(f"{where}: the header has {spelling[:40]} before; keep one.")
        if keyword not in _KEYWORDS and (near := get_close_matches(keyword, _KEYWORDS, 1, 0.8)):
            raise DataError(f"{where}: {spelling[:40]} is unknown; did you mean {near[0]}?")
        entries[keyword] = value
    raise DataError(f"{path} has no @data line: it is empty or not in the .ts format.")


def _interpreted(path: Path, entries: Mapping[str, str]) -> _Header:
    flags = {key: _flag(path, key, entries[key]) for key in _FLAGS if key in entries}
    sizes = {key: _size(path, key, entries[key]) for key in _SIZES if key in entries}
    last = {key: _flag(path, key, entries[key]) for key in _LAST_GROUPS if key in entries}
    if flags.get("@timestamps"):
        raise DataError(f"{path} gives each value a time stamp, which is not supported.")
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
    """The first word of an entry; only after @classLabel and @targetLabel others may follow."""
    word, *rest = value.casefold().split() or [""]
    if word not in ("true", "false") or (rest and keyword in _FLAGS):
        raise DataError(f"{path}: {keyword} is {value[:40]!r}, but must be true or false.")
    return word == "true"


def _size(path: Path, keyword: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise DataError(f"{path}: {keyword} is {value[:40]!r}, but must be a whole number.")
    return int(value)


def _values(groups: Sequence[str], where: str) -> FloatArray:
    """The values (T, m) of groups of T values; a comma at a group's end has no meaning."""
    dimensions = []
    for group in groups:
        fields = group.split(",")
        while len(fields) > 1 and not fields[-1].strip():
            fields.pop()
        try:
            dimensions.append(parse_numbers(fields))
        except NumberError as error:
            raise DataError(
                f"{where}, value {error.position + 1}: {error.text} is not a number{error.hint}."
            ) from None
    if len({len(dimension) for dimension in dimensions}) != 1:
        raise DataError(
            f"{where}: a row is groups of equally many values, one a dimension, and a class "
            "label, separated by colons."
        )
    return np.column_stack(dimensions)


def _check_size(header: _Header, values: FloatArray, first: int | None, where: str) -> None:
    """Compare a row with what the header says of lengths, dimensions and missing values."""
    T, m = values.shape
    if header.univariate is not None and header.univariate != (m == 1):
        says = f"@univariate {str(header.univariate).lower()}"
        raise DataError(f"{where}: the series has dimension {m}, but the header says {says}.")
    if header.dimensions not in (None, m):
        says = f"@dimensions {header.dimensions}"
        raise DataError(f"{where}: the series has dimension {m}, but the header says {says}.")
    if header.equal_length is not False and header.length not in (None, T):
        raise DataError(
            f"{where}: the series has {T} steps, but the header says @seriesLength {header.length}."
        )
    if header.equal_length and first not in (None, T):
        raise DataError(
            f"{where}: the series has {T} steps and the first has {first}, but the header says "
            "@equalLength true."
        )
    # Where lengths may differ, NaN at the end is padding.
    if header.missing is False and header.equal_length is not False and np.isnan(values).any():
        raise DataError(f"{where}: a value is missing, but the header says @missing false.")


def _check_label(header: _Header, label: str, where: str) -> None:
    """Refuse a label that is not declared; one of several words is declared as these words."""
    if not header.classes or label.strip() in MISSING:
        return
    words = tuple(map(class_name, label.split()))
    places = range(len(header.classes) - len(words) + 1)
    if not any(header.classes[i : i + len(words)] == words for i in places):
        known = ", ".join(header.classes[:10]) + (", ..." if len(header.classes) > 10 else "")
        raise DataError(
            f"{where}: the label {label.strip()[:40]!r} is not one of the classes that the header "
            f"declares, {known}; correct the row or the header."
        )
