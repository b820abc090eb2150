"""Reading lines, numbers and the archive's rows of numbers from text files, within limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

import numpy as np

from rntk_bench.datasets.labels import LABEL_COLUMNS
from rntk_bench.errors import DataError
from rntk_bench.types import FloatArray

# Far above the archive's largest files (about 130 MB, 17,000 rows, 45 kB per row), and low enough
# that no file can exhaust the memory.
MAX_FILE_BYTES = 2**29
MAX_ROWS = 10**6
MAX_ROW_CHARACTERS = 2**24

MIN_COUNT = 4
"""So many numbers or more that count rows or columns are not a coincidence."""

MISSING = ("", "?")
"""Texts, beside NaN for a value, that mean an unknown label or value."""

SeriesRow: TypeAlias = tuple[int, str, FloatArray]
"""The line number of a series, its label, and its values (T, m), which may end in padding."""

_Row: TypeAlias = tuple[int, str, FloatArray, int]
"""The line number, the label, the values, and their number without empty fields at the end."""

_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


def read_columns(path: Path, labelled: bool) -> list[SeriesRow]:
    """Read the archive's format: one series per row, the label first, without a header.

    The fields are separated by tabs, commas or blanks. Fields that are empty in all rows at their
    end are ignored.

    Parameters
    ----------
    path : Path
    labelled : bool
        Whether the first field is the label; otherwise it is a value, and all labels are empty.

    Raises
    ------
    DataError
        If the file cannot be read, has a header, a field that is not a number, or a row that is
        shorter than another.
    """
    rows: list[_Row] = []
    for row, line in read_lines(path):
        where = f"{path}, row {row}"
        fields = _split_fields(line, where)
        if not any(map(str.strip, fields)):
            continue
        label = fields.pop(0) if labelled else ""
        n_filled = len(fields)
        while n_filled and not fields[n_filled - 1].strip():
            n_filled -= 1
        try:
            values = parse_numbers(fields)
        except NumberError as error:
            if not rows and _names_labels([label, *fields]):
                raise _header_error(where) from None
            raise _value_error(where, error) from None
        rows.append((row, label, values, n_filled))
    if labelled:
        _check_first_row(path, rows)
        _check_labels(path, rows)
    longest, _, _, width = max(rows, key=itemgetter(3), default=(0, "", None, 0))
    for row, _, values, _ in rows:
        if len(values) < width:
            raise DataError(
                f"{path}, row {row}: the row has {len(values)} values, but row {longest} has "
                f"{width}; pad shorter series with NaN at the end."
            )
    return [(row, label, values[:width, np.newaxis]) for row, label, values, _ in rows]


def _split_fields(line: str, where: str) -> list[str]:
    """Split at tabs if there are any, otherwise at commas, otherwise at blanks."""
    stripped = line.rstrip("\t, ")  # a row of values and blanks may end in another separator
    if "\t" in stripped:
        return line.split("\t")
    if ";" in stripped:
        raise DataError(f"{where}: there are semicolons between the values; write commas or tabs.")
    if "," not in stripped:
        return stripped.split()
    fields = line.split(",")
    if len(fields[0].split()) > 1 and are_numbers(fields[0].split()):
        raise DataError(
            f"{where}: there are blanks and commas between the values; use one of them, and "
            "decimal points."
        )
    return fields


def are_numbers(fields: Sequence[str]) -> bool:
    """Whether `parse_numbers` accepts these fields."""
    try:
        parse_numbers(fields)
    except NumberError:
        return False
    return True


def _names_labels(fields: Sequence[str]) -> bool:
    """Whether one of the fields is what a column of labels is called."""
    return any(field.strip().casefold() in LABEL_COLUMNS for field in fields)


def _check_first_row(path: Path, rows: Sequence[_Row]) -> None:
    """Raise an error if the first row is a header of numbers.

    That is, if its label is what a column of labels is called and its values ascend, as time stamps
    do; or if the label, which may be empty, and the values count the columns.
    """
    if not rows:
        return
    row, label, values, _ = rows[0]
    if len(values) < 2 or any(label == other for _, other, _, _ in rows[1:]):
        return
    called_labels = _names_labels([label]) and (np.diff(values) > 0.0).all()
    if called_labels or (len(values) + 1 >= MIN_COUNT and _counts(label.strip(), values)):
        raise _header_error(f"{path}, row {row}")


def _check_labels(path: Path, rows: Sequence[_Row]) -> None:
    """Raise an error if the first fields count the rows and the second ones look like labels."""
    n = len(rows)
    if n < MIN_COUNT or not all(len(values) for _, _, values, _ in rows):
        return
    second = np.array([values[0] for _, _, values, _ in rows])
    labels = [label.strip() for _, label, _, _ in rows]
    if not (np.array_equal(second, np.floor(second)) and len(np.unique(second)) <= n // 2):
        return
    if labels in ([str(i) for i in range(n)], [str(i + 1) for i in range(n)]):
        raise DataError(
            f"{path}: the first column counts the rows and is no class label; remove it. "
            "DataFrame.to_csv(index=False) leaves out the index."
        )


def _counts(first: str, values: FloatArray) -> bool:
    """Whether a first field, which may be empty, and values count the columns from 0 or 1."""
    starts = {"": (0.0, 1.0), "0": (1.0,), "1": (2.0,)}.get(first, ())
    return bool(values[0] in starts and (np.diff(values) == 1.0).all())


def _header_error(where: str) -> DataError:
    return DataError(f"{where} is a header, but this format has none; remove it.")


def read_lines(
    path: Path, comments: tuple[str, ...] = (), keep_blank: bool = False
) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not comments, with their numbers from 1; blank ones if wanted.

    Raises
    ------
    DataError
        If the file cannot be read, is too large or is not UTF-8 text.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DataError(
                f"{path} is larger than {MAX_FILE_BYTES >> 20} MiB, which is the limit; leave "
                "series out."
            )
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for number in count(1):
                line = file.readline(MAX_ROW_CHARACTERS + 1)
                if not line:
                    return
                if len(line) > MAX_ROW_CHARACTERS or number > MAX_ROWS:
                    raise DataError(
                        f"{path}, row {number}: the file has more than {MAX_ROWS} rows or a row of "
                        f"more than {MAX_ROW_CHARACTERS} characters; divide it."
                    )
                if line.isspace():
                    if keep_blank:
                        yield number, ""
                    continue
                if line.lstrip().startswith(comments):
                    continue
                if "\ufeff" in line:
                    raise DataError(
                        f"{path}, row {number}: there is a byte order mark in the middle of the "
                        "file, as where files were joined; remove it."
                    )
                if "\0" in line or "\N{REPLACEMENT CHARACTER}" in line:
                    raise DataError(
                        f"{path}, row {number}: the file is not UTF-8 text or has zero bytes; "
                        "save it as UTF-8."
                    )
                yield number, line.rstrip("\n")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; name another file.") from error


class NumberError(ValueError):
    """A field that is not a number.

    Attributes
    ----------
    position : int
        Index of the field.
    text : str
        `repr` of the field, shortened if it is long.
    hint : str
        Advice to append to the error message.
    """

    def __init__(self, position: int, text: str) -> None:
        super().__init__(position, text)
        self.position = position
        self.text = repr(text[:40])
        self.hint = "; correct it"
        if ";" in text:
            self.hint = ": the file has semicolons between its values; use commas"
        elif _DECIMAL_COMMA.fullmatch(text):
            self.hint = "; use a decimal point, not a comma"


def parse_values(fields: Sequence[str], where: str) -> FloatArray:
    """Parse the values of a row, which `where` names, as `parse_numbers` does.

    Raises
    ------
    DataError
        If a field is not a number.
    """
    try:
        return parse_numbers(fields)
    except NumberError as error:
        raise _value_error(where, error) from None


def _value_error(where: str, error: NumberError) -> DataError:
    return DataError(
        f"{where}, value {error.position + 1}: {error.text} is not a number{error.hint}."
    )


def parse_numbers(fields: Sequence[str]) -> FloatArray:
    """Parse plain ASCII numbers; fields in `MISSING` become NaN.

    Raises
    ------
    NumberError
        If a field is something else, including numbers that only Python accepts, such as 1_0.
    """
    joined = "".join(fields)
    if joined.isascii() and "_" not in joined:
        try:
            return np.array(fields, dtype=np.float64)
        except ValueError:
            pass
    return np.array([_number(position, text) for position, text in enumerate(fields)])


def _number(position: int, text: str) -> float:
    if text.strip() in MISSING:
        return np.nan
    try:
        if text.isascii() and "_" not in text:
            return float(text)
    except ValueError:
        pass
    raise NumberError(position, text)
