"""Reading daily closing prices and other single series from CSV files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from rntk_bench.datasets.archive import close_matches
from rntk_bench.datasets.csv_file import read_csv
from rntk_bench.datasets.text import NumberError, parse_numbers
from rntk_bench.errors import DataError
from rntk_bench.types import FloatArray

_OFFSET = re.compile(r"(?<=:\d\d)(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)$")


def read_prices(path: Path, date: str = "Date", close: str = "Close") -> tuple[float, ...]:
    """Read closing prices in the order of their dates.

    Parameters
    ----------
    path : Path
        A CSV file with a header.
    date, close : str
        The names of its columns of dates and of closing prices.

    Raises
    ------
    DataError
        If the file cannot be read, a column is missing, a date or a price is missing or invalid, or
        a date occurs twice.
    """
    lines, (texts, closes) = _read_columns(path, date, close)
    # The UTC offset of daily prices may change between days; only the local date is relevant.
    local = [_OFFSET.sub("", text) for text in texts]
    dates = pd.Series(pd.to_datetime(local, errors="coerce", format="ISO8601"))
    if dates.isna().any():
        row = int(np.argmax(dates.isna()))
        raise _type_error(path, lines[row], date, texts[row], "a date")
    if dates.duplicated().any():
        row = int(np.argmax(dates.duplicated()))
        raise DataError(
            f"{path}, line {lines[row]}: the date {texts[row][:40]} occurs twice; keep one of them."
        )
    values = _numbers(path, lines, close, closes)
    return tuple(values[np.argsort(dates.to_numpy(), kind="stable")].tolist())


def read_column(path: Path, column: str) -> FloatArray:
    """Read the numbers of one column of a CSV file with a header, in the order of its lines.

    Raises
    ------
    DataError
        If the file cannot be read, the column is missing, or a value is missing or not a
        finite number.
    """
    lines, (texts,) = _read_columns(path, column, keep_blank=True)
    return _numbers(path, lines, column, texts)


def _read_columns(
    path: Path, *names: str, keep_blank: bool = False
) -> tuple[list[int], list[list[str]]]:
    """Return the line numbers of the rows, and the fields of the named columns."""
    header, rows = read_csv(path, keep_blank)
    indices = [_column_index(path, header, name.strip()) for name in names]
    lines, texts = [], []
    blank: list[int] = []
    for line, fields, _ in rows:
        if not any(fields):
            blank.append(line)
            continue
        if blank:
            raise DataError(
                f"{path}, line {blank[0]} is blank, but must hold a number; fill in the missing "
                "value, or remove the line if none is missing."
            )
        lines.append(line)
        texts.append([fields[index] for index in indices])
    if not lines:
        raise DataError(f"{path} has no rows below its header; name a file with values.")
    return lines, [list(column) for column in zip(*texts, strict=True)]


def _column_index(path: Path, header: Sequence[str], name: str) -> int:
    if header.count(name) > 1:
        raise DataError(f"{path} has several columns called {name!r}; give each its own name.")
    if name in header:
        return header.index(name)
    matches = close_matches(name, header, 1)
    hint = f"did you mean {matches[0]!r}? There" if matches else "there"
    names = ", ".join(" ".join(column.split())[:40] for column in header[:10])
    more = ", ..." if len(header) > 10 else ""
    raise DataError(f"{path} has no column {name!r}; {hint} are {names}{more}.")


def _numbers(path: Path, lines: Sequence[int], name: str, texts: Sequence[str]) -> FloatArray:
    try:
        values = parse_numbers(texts)
    except NumberError as error:
        row = error.position
        raise DataError(
            f"{path}, line {lines[row]}: column {name!r} holds {error.text}, but must hold a number"
            f"{error.hint}."
        ) from None
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise _type_error(path, lines[row], name, texts[row], "a number")
    return values


def _type_error(path: Path, line: int, name: str, text: str, kind: str) -> DataError:
    """The error for a field that is not of the expected kind."""
    content = f"holds {text[:40]!r}" if text else "is empty"
    return DataError(
        f"{path}, line {line}: column {name!r} {content}, but must hold {kind}; correct it there."
    )
