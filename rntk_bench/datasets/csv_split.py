"""Labelled series from a CSV file with a header, one series a row.

The column of labels has one of the names in `LABEL_COLUMNS`, in any case; every other column is a
time step, in the file's order. Empty fields at the end of a row are no steps. What cannot be a step
is refused by its name; only the first column is left out if it has no name and counts the rows, as
pandas writes its index.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rntk_bench.datasets.csv_file import read_csv
from rntk_bench.datasets.text import NumberError, parse_numbers
from rntk_bench.errors import DataError
from rntk_bench.types import FloatArray

LABEL_COLUMNS = ("label", "class", "target")

_SERIES = {
    *("uid", "idx", "row", "no", "nr", "#", "name", "file", "filename", "key", "level_0"),
    *("series", "case", "instance", "sample", "subject", "patient", "participant", "record"),
}
_IDENTIFIER = r"(.*[ ._-]|series|case|instance|sample|subject|patient|record)?(id|index)"
_TIMES = {
    *("time", "t", "timestamp", "date", "datetime", "ds", "step", "timestep", "time_step"),
    *("timepoint", "time_id", "reading_id", "dim_id"),
}
_VALUES = {"value", "values", "val", "reading", "measurement", "x", "y"}
_OTHER_LABELS = {"labels", "classes", "targets", "category"}
_FEWEST = 4
"""Rows from which on values that count them are no coincidence."""


def read_csv_rows(path: Path, labelled: bool) -> Iterator[tuple[int, str, FloatArray]]:
    """Yield each row's line, its label (empty where there is none) and values (T,).

    Parameters
    ----------
    path : Path
    labelled : bool
        Whether there must be a column of labels.

    Raises
    ------
    DataError
        If the file cannot be read, has no header, no column of labels where there must be one or
        two of them, a column that is no step, or a field that is no number.
    """
    names, rows = read_csv(path)
    label = _label_column(path, names)
    if label is None and labelled:
        raise DataError(
            f"{path} has no column of labels; call it {' or '.join(LABEL_COLUMNS)} in its header."
        )
    if label is not None:
        names = names[:label] + names[label + 1 :]
    _check_names(path, names)
    lines, labels, values = [], [], []
    for line, fields in rows:
        lines.append(line)
        labels.append("" if label is None else fields.pop(label))
        values.append(_numbers(path, line, names, fields))
    if not lines:
        return
    steps = _steps(path, names, np.stack(values))
    yield from zip(lines, labels, steps, strict=True)


def _label_column(path: Path, names: Sequence[str]) -> int | None:
    # Pandas writes a second column called label as label.1 where it has read both.
    pattern = rf"({'|'.join(LABEL_COLUMNS)})(\.\d+)?"
    found = [i for i, name in enumerate(names) if re.fullmatch(pattern, name.casefold())]
    if len(found) > 1:
        columns = " and ".join(names[i] for i in found)
        raise DataError(f"{path} has the columns {columns}; keep one for the labels.")
    if not found and _is_data(names):
        raise DataError(
            f"{path} begins with a row of numbers, not with a header; name its columns, that of "
            f"the labels {' or '.join(LABEL_COLUMNS)}."
        )
    return found[0] if found else None


def _is_data(names: Sequence[str]) -> bool:
    """Whether a header is a series rather than names; steps may be counted from 0 or 1."""
    try:
        numbers = parse_numbers([name for name in names if name])
    except NumberError:
        return False
    steps = np.arange(len(numbers))
    return not (np.array_equal(numbers, steps) or np.array_equal(numbers, steps + 1))


def _check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse columns that cannot be steps by their names."""
    for position, name in enumerate(names):
        if name == "" and position > 0:
            raise _nameless(path)
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise DataError(
            f"{path} has several columns called {repeated[0]!r}; give each its own name."
        )
    _refuse_long_table(path, names)
    for name in names:
        folded = name.casefold()
        if _names_series(folded) or re.fullmatch(r"unnamed: \d+", folded):
            raise _no_step(path, name)
        if folded in _OTHER_LABELS:
            raise DataError(
                f"{path}: the column {name!r} is no step of a series; call it "
                f"{' or '.join(LABEL_COLUMNS)} if it holds the labels, or leave it out."
            )
    _check_numbering(path, [name for name in names if name])


def _check_numbering(path: Path, names: Sequence[str]) -> None:
    """Where steps are numbered, as t0, t1, ..., refuse what has no number, and another order."""
    matches = [re.fullmatch(r"(.*?)(\d+)", name) for name in names]
    prefixes = Counter(match[1] for match in matches if match)
    prefix, n = prefixes.most_common(1)[0] if prefixes else ("", 0)
    if n >= 3 and 2 * n > len(names):
        for name, match in zip(names, matches, strict=True):
            if match is None:
                raise _no_step(path, name)
    try:
        order = parse_numbers(names)
    except NumberError:
        if n < len(names) or re.search(r"\d\.$", prefix):
            return
        order = np.array([float(match[2]) for match in matches if match])
    steps = np.diff(order)
    if not ((steps > 0).all() or (steps < 0).all()):
        place = int(np.argmax(steps * (np.sign(steps[0]) or 1.0) <= 0))
        raise DataError(
            f"{path}: the steps are not in order, as {names[place + 1]!r} comes after "
            f"{names[place]!r}; put the columns in the order of time."
        )


def _refuse_long_table(path: Path, names: Sequence[str]) -> None:
    """Recognise a table with a row for each value by the names of its columns."""

    def first(is_one: Callable[[str], object]) -> str | None:
        return next((name for name in names if is_one(name.casefold())), None)

    time, value = first(_TIMES.__contains__), first(_VALUES.__contains__)
    series = first(lambda folded: folded not in _TIMES and _names_series(folded))
    if len(names) <= 6 and sum(name is not None for name in (series, time, value)) > 1:
        raise _long_table(path, series, time, value)


def _names_series(folded: str) -> bool:
    """Whether a column of this name says which series a row is."""
    return folded in _SERIES or re.fullmatch(_IDENTIFIER, folded) is not None


def _long_table(path: Path, series: str | None, time: str | None, value: str | None) -> DataError:
    return DataError(
        f"{path} has a row for each value, but must have one for each series; reshape it, in "
        f"pandas by frame.pivot(index={series or 'SERIES'!r}, columns={time or 'TIME'!r}, "
        f"values={value or 'VALUE'!r}), and add the labels."
    )


def _numbers(path: Path, line: int, names: Sequence[str], fields: Sequence[str]) -> FloatArray:
    try:
        return parse_numbers(fields)
    except NumberError as error:
        name = names[error.position]
        if name == "":
            raise _nameless(path) from None
        raise DataError(
            f"{path}, line {line}: column {name!r} holds {error.text}, but must hold a number"
            f"{error.hint}."
        ) from None


def _steps(path: Path, names: Sequence[str], values: FloatArray) -> FloatArray:
    """The values (n, T) without pandas' index; other columns that count rows are refused."""
    if names and names[0] == "":
        if not _counts(values[:, 0]):
            raise _nameless(path)
        names, values = names[1:], values[:, 1:]
    n = len(values)
    for name, column in zip(names, values.T, strict=True):
        if n >= _FEWEST and _counts(column):
            raise DataError(
                f"{path}: the column {name!r} counts the rows and is no step of a series; leave "
                "it out."
            )
    _refuse_counted_blocks(path, names, values)
    return values


def _refuse_counted_blocks(path: Path, names: Sequence[str], values: FloatArray) -> None:
    """Recognise a table with a row for each value by a column that counts the steps anew."""
    n = len(values)
    for i, name in enumerate(names):
        length = int(np.argmax(np.append(values[1:, i] == values[0, i], True))) + 1
        if length < 3 or n < 2 * length or n % length:
            continue
        blocks = values.reshape(n // length, length, -1)
        if not all(_counts(block) for block in blocks[:, :, i]):
            continue
        constant = (blocks == blocks[:, :1]).all(axis=(0, 1))
        if constant.any():
            series = names[int(np.argmax(constant))]
            rest = [other for other in names if other not in (name, series)]
            raise _long_table(path, series, name, rest[0] if rest else None)


def _counts(column: FloatArray) -> bool:
    """Whether values are consecutive whole numbers."""
    return bool(column[0] == np.floor(column[0]) and (np.diff(column) == 1.0).all())


def _nameless(path: Path) -> DataError:
    return DataError(
        f"{path} has a column without a name; name it if it is a step, or leave it out, as "
        "DataFrame.to_csv(index=False) does with the index."
    )


def _no_step(path: Path, name: str) -> DataError:
    return DataError(f"{path}: the column {name!r} is no step of a series; leave it out.")
