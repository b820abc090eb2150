"""Daily closing prices and other series from CSV files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rntk_bench.data.readers import MAX_FILE_BYTES
from rntk_bench.errors import DataError


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
    rows = read_csv(path)
    texts = _column(path, rows, date)
    dates = pd.to_datetime(texts, errors="coerce", format="ISO8601")
    _refuse(path, texts, dates.isna().to_numpy(), "a date")
    if dates.duplicated().any():
        row = int(np.argmax(dates.duplicated()))
        raise DataError(f"{path}, line {row + 2}: the date {texts.iloc[row]} occurs twice.")
    closes = _numbers(path, rows, close)
    return tuple(closes[np.argsort(dates.to_numpy(), kind="stable")].tolist())


def read_column(path: Path, column: str) -> NDArray[np.float64]:
    """The numbers of one column of a CSV with a header, in the order of its lines.

    Raises
    ------
    DataError
        If the file cannot be read, the column is missing, or a value is missing or no finite
        number.
    """
    return _numbers(path, read_csv(path), column)


def read_csv(path: Path) -> pd.DataFrame:
    """Every field of a CSV as text, missing where it is empty.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DataError(f"{path} is larger than the {MAX_FILE_BYTES >> 20} MiB that are read.")
        rows = pd.read_csv(path, dtype=str, skip_blank_lines=False, compression=None)
    except (OSError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{path} cannot be read as CSV: {reason}.") from error
    if not isinstance(rows.index, pd.RangeIndex):
        # Pandas takes the first fields for names of the rows, and the columns for those after.
        raise DataError(f"{path} has lines of more fields than its header has names.")
    return rows


def _column(path: Path, rows: pd.DataFrame, name: str) -> pd.Series[str]:
    if name not in rows:
        names = ", ".join(" ".join(str(column).split())[:40] for column in rows.columns[:10])
        more = ", ..." if len(rows.columns) > 10 else ""
        raise DataError(f"{path} has no column {name!r}; there are {names}{more}.")
    found: pd.Series[str] = rows[name]
    return found


def _numbers(path: Path, rows: pd.DataFrame, name: str) -> NDArray[np.float64]:
    texts = _column(path, rows, name)
    values = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
    _refuse(path, texts, ~np.isfinite(values), "a number")
    return values


def _refuse(path: Path, texts: pd.Series[str], wrong: NDArray[np.bool_], kind: str) -> None:
    """Name the first line that holds something else."""
    if wrong.any():
        row = int(np.argmax(wrong))
        held = texts.iloc[row]
        found = "is empty" if pd.isna(held) else f"holds {held[:40]!r}"
        raise DataError(
            f"{path}, line {row + 2}: column {texts.name!r} {found}, but must hold {kind}."
        )
