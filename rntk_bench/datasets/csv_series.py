"""Daily closing prices and other series from CSV files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from rntk_bench.datasets.archive import nearest_names
from rntk_bench.datasets.csv_file import read_csv
from rntk_bench.datasets.text import NumberError, parse_numbers
from rntk_bench.errors import DataError
from rntk_bench.types import FloatArray

_OFFSET = re.compile(r"(?<=:\d\d)(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)$")


def read_prices(path: Path, date: str = "Date", close: str = "Close") -> tuple[float, ...]:
    """Closes in the order of their dates.

    Parameters
    ----------
    path : Path
        A CSV with a header.
    date, close : str
        Its columns of dates and of closes.

    Raises
    ------
    DataError
        If the file cannot be read, a column is missing, a date or a close is missing or not one,
        or a date occurs twice.
    """
    lines, (texts, closes) = _columns(path, date, close)
    # Daily prices may change from one offset of a day to another; the local date is what counts.
    local = [_OFFSET.sub("", text) for text in texts]
    dates = pd.Series(pd.to_datetime(local, errors="coerce", format="ISO8601"))
    if dates.isna().any():
        row = int(np.argmax(dates.isna()))
        raise _wrong(path, lines[row], date, texts[row], "a date")
    if dates.duplicated().any():
        row = int(np.argmax(dates.duplicated()))
        raise DataError(f"{path}, line {lines[row]}: the date {texts[row][:40]} occurs twice.")
    values = _numbers(path, lines, close, closes)
    return tuple(values[np.argsort(dates.to_numpy(), kind="stable")].tolist())


def read_column(path: Path, column: str) -> FloatArray:
    """The numbers of one column of a CSV with a header, in the order of its lines.

    Raises
    ------
    DataError
        If the file cannot be read, the column is missing, or a value is missing or no finite
        number.
    """
    lines, (texts,) = _columns(path, column)
    return _numbers(path, lines, column, texts)


def _columns(path: Path, *names: str) -> tuple[list[int], list[list[str]]]:
    """The lines of the rows, and what the columns of these names hold there."""
    header, rows = read_csv(path)
    places = [_place(path, header, name.strip()) for name in names]
    lines, texts = [], []
    for line, fields in rows:
        lines.append(line)
        texts.append([fields[place] for place in places])
    if not lines:
        raise DataError(f"{path} has no rows below its header.")
    return lines, [list(column) for column in zip(*texts, strict=True)]


def _place(path: Path, header: Sequence[str], name: str) -> int:
    if header.count(name) > 1:
        raise DataError(f"{path} has several columns called {name!r}; give each its own name.")
    if name in header:
        return header.index(name)
    near = nearest_names(name, header, 1)
    hint = f"did you mean {near[0]!r}? There" if near else "there"
    names = ", ".join(" ".join(column.split())[:40] for column in header[:10])
    more = ", ..." if len(header) > 10 else ""
    raise DataError(f"{path} has no column {name!r}; {hint} are {names}{more}.")


def _numbers(path: Path, lines: Sequence[int], name: str, texts: Sequence[str]) -> FloatArray:
    try:
        values = parse_numbers(texts)
    except NumberError as error:
        row = error.position
        raise _wrong(path, lines[row], name, texts[row], f"a number{error.hint}") from None
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise _wrong(path, lines[row], name, texts[row], "a number")
    return values


def _wrong(path: Path, line: int, name: str, text: str, kind: str) -> DataError:
    """Say that a line holds something else."""
    held = f"holds {text[:40]!r}" if text else "is empty"
    return DataError(f"{path}, line {line}: column {name!r} {held}, but must hold {kind}.")
