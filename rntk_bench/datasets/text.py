"""Reading lines and numbers from text files, with limits on their size."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from rntk_bench.errors import DataError
from rntk_bench.types import FloatArray

# Far above the archive's largest files (about 130 MB, 17,000 rows, 45 kB per row), and low enough
# that no file can exhaust the memory.
MAX_FILE_BYTES = 2**29
MAX_ROWS = 10**6
MAX_ROW_CHARACTERS = 2**24

MISSING = ("", "?")
"""Texts, beside NaN for a value, that mean an unknown label or value."""

_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


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
                        f"{path}, row {number}: the file is not UTF-8 text; save it as UTF-8."
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
        Advice to append to the error message; empty if there is none.
    """

    def __init__(self, position: int, text: str) -> None:
        super().__init__(position, text)
        self.position = position
        self.text = repr(text[:40])
        self.hint = ""
        if ";" in text:
            self.hint = ": the file has semicolons between its values; use commas"
        elif _DECIMAL_COMMA.fullmatch(text):
            self.hint = "; use a decimal point, not a comma"


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
