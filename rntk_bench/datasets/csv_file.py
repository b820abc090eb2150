"""Reading the header and the rows of a CSV file, with error messages that name the line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from rntk_bench.datasets.text import read_lines
from rntk_bench.errors import DataError

Row = tuple[int, list[str]]

_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def read_csv(path: Path) -> tuple[list[str], Iterator[Row]]:
    """Read the column names and iterate over the rows that are not empty.

    Blanks around names and fields are removed. Surplus commas at the end of a line are ignored, and
    fields missing at the end of a line are empty.

    Returns
    -------
    names : list of str
    rows : iterator of (line, fields)
        The line number of each row, counted from 1, and one field for each name.

    Raises
    ------
    DataError
        If the file cannot be read, has another separator than commas, or a row has more fields
        than the header.
    """
    rows = _rows(path)
    try:
        _, names = next(rows)
    except StopIteration:
        raise DataError(f"{path} cannot be read as CSV: it is empty; name another file.") from None
    while names[-1] == "":
        names.pop()
    if len(names) == 1:
        for mark, name in _OTHER_SEPARATORS.items():
            if mark in names[0]:
                raise DataError(
                    f"{path} has {name} between its fields; use commas as separators and decimal "
                    "points."
                )
    return names, _pad_rows(path, len(names), rows)


def _pad_rows(path: Path, width: int, rows: Iterator[Row]) -> Iterator[Row]:
    for line, fields in rows:
        if any(fields[width:]):
            raise DataError(
                f"{path}, line {line} has more fields than its header has names; name every column."
            )
        yield line, fields[:width] + [""] * (width - len(fields))


def _rows(path: Path) -> Iterator[Row]:
    number = 0

    def texts() -> Iterator[str]:
        nonlocal number
        for number, text in read_lines(path):  # noqa: B007 - used in error messages
            yield f"{text}\n"

    try:
        for row in csv.reader(texts(), strict=True, skipinitialspace=True):
            fields = [field.strip() for field in row]
            if any(fields):
                yield number, fields
    except csv.Error as error:
        raise DataError(
            f"{path}, line {number} cannot be read as CSV: {error}; correct it there."
        ) from error
