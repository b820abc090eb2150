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

MISSING = ("", "?")
"""Texts, beside NaN for a value, that mean an unknown label or value."""

SeriesRow: TypeAlias = tuple[int, str, FloatArray]
"""The line number of a series, its label, and its values (T, m), which may end in padding."""

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
    rows: list[tuple[int, str, FloatArray, int]] = []
    for row, line in read_lines(path):
        where = f"{path}, row {row}"
        fields = _split_fields(line, where)
        if not any(map(str.strip, fields)):
            continue
        label = fields.pop(0) if labelled else ""
        if not rows and _is_header([label, *fields]):
            raise DataError(f"{where} is a header, but this format has none; remove it.")
        n_filled = len(fields)
        while n_filled and not fields[n_filled - 1].strip():
            n_filled -= 1
        rows.append((row, label, parse_values(fields, where), n_filled))
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
    for mark in "\t,":
        if mark in stripped:
            return line.split(mark)
    if ";" in stripped:
        raise DataError(f"{where}: there are semicolons between the values; write commas or tabs.")
    return stripped.split()


def _is_header(fields: list[str]) -> bool:
    """Whether a row is a header, whose steps may be numbered from 0 or 1."""
    if not any(field.strip().casefold() in LABEL_COLUMNS for field in fields):
        return False
    try:
        values = parse_numbers(fields[1:])
    except NumberError:
        return True
    return len(values) > 1 and values[0] in (0.0, 1.0) and bool((np.diff(values) == 1.0).all())


def read_lines(path: Path, comments: tuple[str, ...] = ()) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither blank nor comments, with their numbers from 1.

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
                if line.isspace() or line.lstrip().startswith(comments):
                    continue
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
        raise DataError(
            f"{where}, value {error.position + 1}: {error.text} is not a number{error.hint}."
        ) from None


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
