"""Reading the header and the rows of a CSV file, with error messages that name the line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rntk_bench.datasets.text import read_lines
from rntk_bench.errors import DataError


class Row(NamedTuple):
    """A row of a CSV file.

    Attributes
    ----------
    line : int
        Its line number, counted from 1.
    fields : list of str
        One for each column; those that the line does not have are empty.
    n_read : int
        The number of fields that the line has.
    """

    line: int
    fields: list[str]
    n_read: int


_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def read_csv(path: Path, keep_blank: bool = False) -> tuple[list[str], Iterator[Row]]:
    """Read the column names and iterate over the rows; blank ones are left out by default.

    Blanks around names and fields are removed. Surplus commas at the end of a line are ignored, and
    fields missing at the end of a line are empty.

    Returns
    -------
    names : list of str
    rows : iterator of Row

    Raises
    ------
    DataError
        If the file cannot be read, has another separator than commas, or a row has more fields
        than the header.
    """
    rows = _rows(path, keep_blank)
    names = next((fields for _, fields in rows if any(fields)), None)
    if names is None:
        raise DataError(f"{path} cannot be read as CSV: it is empty; name another file.")
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


def _pad_rows(path: Path, width: int, rows: Iterator[tuple[int, list[str]]]) -> Iterator[Row]:
    for line, fields in rows:
        if any(fields[width:]):
            raise DataError(
                f"{path}, line {line} has more fields than its header has names; name every column."
            )
        yield Row(line, fields[:width] + [""] * (width - len(fields)), len(fields))


def _rows(path: Path, keep_blank: bool) -> Iterator[tuple[int, list[str]]]:
    number = 0

    def texts() -> Iterator[str]:
        nonlocal number
        for number, text in read_lines(path, keep_blank=keep_blank):  # noqa: B007 - used in error messages
            yield f"{text}\n"

    try:
        for row in csv.reader(texts(), strict=True, skipinitialspace=True):
            fields = [field.strip() for field in row]
            if keep_blank or any(fields):
                yield number, fields
    except csv.Error as error:
        raise DataError(
            f"{path}, line {number} cannot be read as CSV: {error}; correct it there."
        ) from error
