"""Reading one split of a dataset from a file.

Three text formats are known: ``.tsv`` (the UCR 2018 archive: label first, tabs), ``.txt`` (older
copies of it: label first, commas or blanks) and ``.ts`` (sktime's and the UEA archive's: a header,
then ``values:values:label`` with one group of values a dimension). NaN at the end of a series is
padding and is removed; a value missing anywhere else is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from rntk_bench.data.dataset import FloatArray
from rntk_bench.errors import DataError

# Far above the archive's largest files (about 130 MB, 17,000 rows, 45 kB a row), and low enough
# that no file can exhaust the memory.
MAX_FILE_BYTES = 2**29
MAX_ROWS = 10**6
MAX_ROW_CHARACTERS = 2**24


@dataclass
class Split:
    """The series and labels of one split as they stand in its file.

    Attributes
    ----------
    path : Path
        The file.
    series : list of ndarray of shape (T_i,) or (T_i, m)
    labels : list of str
    rows : list of int
        Each series' line in the file, counted from 1, for messages.
    """

    path: Path
    series: list[FloatArray] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def where(self, row: int) -> str:
        """Name a row of the file."""
        return f"{self.path}, row {row}"

    def append(self, row: int, label: str, values: FloatArray) -> None:
        """Add the series `values` of shape (T, m), checking its label and numbers."""
        if label.strip().casefold() in ("", "?", "nan"):
            raise DataError(f"{self.where(row)}: the series has no class label.")
        series = _without_padding(values, self.where(row))
        self.series.append(series[:, 0] if series.shape[1] == 1 else series)
        self.labels.append(label.strip())
        self.rows.append(row)


def read_split(path: Path) -> Split:
    """Read a ``.tsv``, ``.txt`` or ``.ts`` file.

    Raises
    ------
    DataError
        Naming the file and row that cannot be used.
    """
    split = READERS[path.suffix](path)
    if not split.series:
        raise DataError(f"{path} holds no series: put a complete copy in its place.")
    return split


def read_npz(path: Path) -> tuple[Split, Split]:
    """Read both splits from an ``.npz`` file with the arrays X_train, y_train, X_test and y_test.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    train, test = Split(path), Split(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for split, part in ((train, "train"), (test, "test")):
                X, y = arrays[f"X_{part}"], arrays[f"y_{part}"]
                for row, (x, label) in enumerate(zip(X, y, strict=True), start=1):
                    split.append(row, str(label), np.asarray(x, dtype=np.float64))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DataError(f"{path} is damaged: {error}.") from error
    return train, test


def _read_columns(path: Path) -> Split:
    split = Split(path)
    width = None
    for row, line in _lines(path):
        separator = next((mark for mark in "\t," if mark in line), None)
        label, *fields = line.split(separator)
        if width is None:
            width = len(fields)
        if len(fields) != width:
            raise DataError(
                f"{split.where(row)}: the row has {len(fields)} values, but the first has {width}; "
                "pad shorter series with NaN at the end."
            )
        split.append(row, label, _numbers(fields, split.where(row))[:, np.newaxis])
    return split


def _read_ts(path: Path) -> Split:
    split = Split(path)
    lines = _lines(path, comments=("#", "%"))
    header = _read_header(path, lines)
    if header.get("@timestamps") == "true":
        raise DataError(f"{path} gives each value a time stamp, which is not supported.")
    if not header.get("@classlabel", "").startswith("true"):
        raise DataError(f"{path} declares no class labels (@classLabel true).")
    for row, line in lines:
        *dimensions, label = line.split(":")
        where = split.where(row)
        values = [_numbers(dimension.split(","), where) for dimension in dimensions]
        if len({len(dimension) for dimension in values}) != 1:
            raise DataError(
                f"{where}: a row is groups of equally many values, one a dimension, and a class "
                "label, separated by colons."
            )
        split.append(row, label, np.column_stack(values))
    return split


READERS: dict[str, Callable[[Path], Split]] = {
    ".tsv": _read_columns,
    ".ts": _read_ts,
    ".txt": _read_columns,
}


def _lines(path: Path, comments: tuple[str, ...] = ()) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither blank nor comments, with their numbers."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DataError(f"{path} is larger than the {MAX_FILE_BYTES >> 20} MiB that are read.")
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for number in count(1):
                line = file.readline(MAX_ROW_CHARACTERS + 1)
                if not line:
                    return
                if len(line) > MAX_ROW_CHARACTERS or number > MAX_ROWS:
                    raise DataError(
                        f"{path}, row {number}: the file has more than {MAX_ROWS} rows or a row of "
                        f"more than {MAX_ROW_CHARACTERS} characters."
                    )
                if line.isspace() or line.startswith(comments):
                    continue
                if "\0" in line or "\N{REPLACEMENT CHARACTER}" in line:
                    raise DataError(f"{path}, row {number}: the file is not UTF-8 text.")
                yield number, line.rstrip("\n")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _read_header(path: Path, lines: Iterator[tuple[int, str]]) -> dict[str, str]:
    """Read the lines up to ``@data`` as keyword and value, in lower case."""
    header: dict[str, str] = {}
    for row, line in lines:
        keyword, _, value = line.strip().casefold().partition(" ")
        if keyword == "@data":
            return header
        if not keyword.startswith("@"):
            raise DataError(f"{path}, row {row}: values before the header's @data line.")
        header[keyword] = value.strip()
    raise DataError(f"{path} has no @data line: it is empty or not in the .ts format.")


def _numbers(fields: list[str], where: str) -> FloatArray:
    try:
        return np.array(fields, dtype=np.float64)
    except ValueError:
        numbers = [_number(text, f"{where}, value {i}") for i, text in enumerate(fields, start=1)]
        return np.array(numbers)


def _number(text: str, where: str) -> float:
    if text.strip() == "?":
        return np.nan
    try:
        return float(text)
    except ValueError:
        raise DataError(f"{where}: {text[:40]!r} is not a number.") from None


def _without_padding(values: FloatArray, where: str) -> FloatArray:
    """Cut the steps that are NaN in every dimension off the end of a (T, m) series."""
    if values.size and np.isfinite(values).all():
        return values
    if np.isinf(values).any():
        raise DataError(f"{where}: the series has an infinite value.")
    missing = np.isnan(values)
    known = np.flatnonzero(~missing.all(axis=1))
    if not known.size:
        raise DataError(f"{where}: the series has no values.")
    length = int(known[-1]) + 1
    gaps = np.flatnonzero(missing[:length].any(axis=1))
    if gaps.size:
        raise DataError(
            f"{where}: the value of step {gaps[0] + 1} is missing; only the end of a series may be "
            "NaN, as padding, so fill the gap first."
        )
    return values[:length]
