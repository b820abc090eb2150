"""Reading labelled series from a CSV file with a header, one series per row.

The label column has one of the names in `LABEL_COLUMNS`, ignoring case; every other column is a
time step, in the order of the file. Empty fields at the end of a row are padding. A column that is
not a time step, such as an identifier, is an error that names the column. Only a first column
without a name that counts the rows is ignored: pandas writes its index so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rntk_bench.datasets.csv_file import read_csv
from rntk_bench.datasets.labels import LABEL_COLUMNS
from rntk_bench.datasets.text import MIN_COUNT, NumberError, SeriesRow, are_numbers, parse_numbers
from rntk_bench.errors import DataError
from rntk_bench.types import FloatArray

_SERIES_NAMES = {
    *("uid", "idx", "row", "no", "nr", "#", "name", "file", "filename", "key", "level_0"),
    *("series", "case", "instance", "sample", "subject", "patient", "participant", "record"),
}
_IDENTIFIER = r"(.*[ ._-]|series|case|instance|sample|subject|patient|record)?(id|index)"
_TIME_NAMES = {
    *("time", "t", "timestamp", "date", "datetime", "ds", "step", "timestep", "time_step"),
    *("timepoint", "time_id", "reading_id", "dim_id"),
}
_VALUE_NAMES = {"value", "values", "val", "reading", "measurement", "x", "y"}
_UNSUPPORTED_LABEL_NAMES = {"labels", "classes", "targets", "category"}


def read_csv_rows(path: Path, labelled: bool) -> Iterator[SeriesRow]:
    """Yield the line number, the label (empty if there is none) and the values (T, 1) of each row.

    Parameters
    ----------
    path : Path
    labelled : bool
        Whether there must be a label column.

    Raises
    ------
    DataError
        If the file cannot be read, has no header, no label column although one is required, two
        label columns, a column that is not a time step, or a field that is not a number.
    """
    names, rows = read_csv(path)
    label = _label_column(path, names)
    if label is None and labelled:
        raise DataError(
            f"{path} has no label column; name it {' or '.join(LABEL_COLUMNS)} in its header."
        )
    if label is not None:
        names = names[:label] + names[label + 1 :]
    _check_names(path, names)
    lines, labels, values = [], [], []
    for line, fields, n_read in rows:
        if label is not None and n_read <= label:
            raise DataError(
                f"{path}, line {line} ends before the label's column; write a comma for each "
                "missing field."
            )
        lines.append(line)
        labels.append("" if label is None else fields.pop(label))
        values.append(_numbers(path, line, names, fields))
    if not lines:
        return
    steps = _check_steps(path, names, np.stack(values))
    yield from zip(lines, labels, steps[..., np.newaxis], strict=True)


def _label_column(path: Path, names: Sequence[str]) -> int | None:
    # Pandas writes a second column called label as label.1 where it has read both.
    pattern = rf"({'|'.join(LABEL_COLUMNS)})(\.\d+)?"
    columns = [i for i, name in enumerate(names) if re.fullmatch(pattern, name.casefold())]
    if len(columns) > 1:
        both = " and ".join(names[i] for i in columns)
        raise DataError(f"{path} has the columns {both}; keep one for the labels.")
    if not columns and _is_numeric_header(names):
        raise DataError(
            f"{path} begins with a row of numbers, not with a header; add a header that names the "
            f"columns, and the label column {' or '.join(LABEL_COLUMNS)}."
        )
    return columns[0] if columns else None


def _is_numeric_header(names: Sequence[str]) -> bool:
    """Whether a header is a row of values; names that number the steps from 0 or 1 are not."""
    try:
        numbers = parse_numbers([name for name in names if name])
    except NumberError:
        return False
    steps = np.arange(len(numbers))
    return not (np.array_equal(numbers, steps) or np.array_equal(numbers, steps + 1))


def _check_names(path: Path, names: Sequence[str]) -> None:
    """Raise an error for columns whose names show that they are not time steps."""
    for position, name in enumerate(names):
        if name == "" and position > 0:
            raise _unnamed_column_error(path)
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise DataError(
            f"{path} has several columns named {repeated[0]!r}; give each column another name."
        )
    _check_long_format(path, names)
    for name in names:
        folded = name.casefold()
        if _is_series_identifier(folded) or re.fullmatch(r"unnamed: \d+", folded):
            raise _not_a_step_error(path, name)
        if folded in _UNSUPPORTED_LABEL_NAMES:
            raise DataError(
                f"{path}: the column {name!r} is not a time step; name it "
                f"{' or '.join(LABEL_COLUMNS)} if it holds the labels, or remove it."
            )
    _check_numbering(path, [name for name in names if name])


def _check_numbering(path: Path, names: Sequence[str]) -> None:
    """If steps are numbered, as t0, t1, ..., check that all are, and that they are in order."""
    matches = [re.fullmatch(r"(.*?)(\d+)", name) for name in names]
    prefixes = Counter(match[1] for match in matches if match)
    prefix, n = prefixes.most_common(1)[0] if prefixes else ("", 0)
    for are_steps in (
        [match is not None for match in matches],
        [are_numbers([name]) for name in names],
    ):
        if 3 <= sum(are_steps) < len(names) < 2 * sum(are_steps):
            raise _not_a_step_error(path, names[are_steps.index(False)])
    try:
        order = parse_numbers(names)
    except NumberError:
        if n < len(names) or re.search(r"\d\.$", prefix):
            return
        order = np.array([float(match[2]) for match in matches if match])
    steps = np.diff(order)
    if not ((steps > 0).all() or (steps < 0).all()):
        position = int(np.argmax(steps * (np.sign(steps[0]) or 1.0) <= 0))
        raise DataError(
            f"{path}: the steps are not in order, as {names[position + 1]!r} comes after "
            f"{names[position]!r}; put the columns in chronological order."
        )


def _check_long_format(path: Path, names: Sequence[str]) -> None:
    """Raise an error if the column names show a table in long format, with one row per value."""

    def first(matches: Callable[[str], object]) -> str | None:
        return next((name for name in names if matches(name.casefold())), None)

    time, value = first(_TIME_NAMES.__contains__), first(_VALUE_NAMES.__contains__)
    series = first(lambda folded: folded not in _TIME_NAMES and _is_series_identifier(folded))
    if len(names) <= 6 and sum(name is not None for name in (series, time, value)) > 1:
        raise _long_format_error(path, series, time, value)


def _is_series_identifier(folded: str) -> bool:
    """Whether a column of this name identifies the series."""
    return folded in _SERIES_NAMES or re.fullmatch(_IDENTIFIER, folded) is not None


def _long_format_error(
    path: Path, series: str | None, time: str | None, value: str | None
) -> DataError:
    return DataError(
        f"{path} has one row per value, but must have one row per series; reshape it, in "
        f"pandas by frame.pivot(index={series or 'SERIES'!r}, columns={time or 'TIME'!r}, "
        f"values={value or 'VALUE'!r}), and add the labels."
    )


def _numbers(path: Path, line: int, names: Sequence[str], fields: Sequence[str]) -> FloatArray:
    try:
        return parse_numbers(fields)
    except NumberError as error:
        name = names[error.position]
        if name == "":
            raise _unnamed_column_error(path) from None
        raise DataError(
            f"{path}, line {line}: column {name!r} holds {error.text}, but must hold a number"
            f"{error.hint}."
        ) from None


def _check_steps(path: Path, names: Sequence[str], values: FloatArray) -> FloatArray:
    """Return the values (n, T) without pandas' index; raise an error for columns of row numbers."""
    if names and names[0] == "":
        if not _is_consecutive(values[:, 0]):
            raise _unnamed_column_error(path)
        names, values = names[1:], values[:, 1:]
    n = len(values)
    for name, column in zip(names, values.T, strict=True):
        if n >= MIN_COUNT and _is_consecutive(column):
            raise DataError(
                f"{path}: the column {name!r} counts the rows and is not a time step; remove it."
            )
    _check_repeated_steps(path, names, values)
    return values


def _check_repeated_steps(path: Path, names: Sequence[str], values: FloatArray) -> None:
    """Raise an error for a table in long format, which has a column of repeated step numbers."""
    for i, name in enumerate(names):
        starts = np.flatnonzero(values[:, i] == values[0, i])
        blocks = np.split(values, starts[1:])
        if len(blocks) < 2 or min(map(len, blocks)) < 2 or max(map(len, blocks)) < 3:
            continue
        if not all(_is_consecutive(block[:, i]) for block in blocks):
            continue
        constant = np.all([(block == block[0]).all(axis=0) for block in blocks], axis=0)
        if constant.any():
            series = names[int(np.argmax(constant))]
            rest = [other for other in names if other not in (name, series)]
            raise _long_format_error(path, series, name, rest[0] if rest else None)


def _is_consecutive(column: FloatArray) -> bool:
    """Whether values are consecutive whole numbers."""
    return bool(column[0] == np.floor(column[0]) and (np.diff(column) == 1.0).all())


def _unnamed_column_error(path: Path) -> DataError:
    return DataError(
        f"{path} has a column without a name; name it if it is a time step, or remove it. "
        "DataFrame.to_csv(index=False) leaves out the index."
    )


def _not_a_step_error(path: Path, name: str) -> DataError:
    return DataError(f"{path}: the column {name!r} is not a time step; remove it.")
