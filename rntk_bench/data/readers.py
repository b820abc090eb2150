"""Reading one split of a dataset from a file.

Four text formats are known: ``.tsv`` (the UCR 2018 archive: label first, tabs), ``.txt`` (older
copies of it: label first, commas or blanks), ``.ts`` (sktime's and the UEA archive's: a header,
then ``values:values:label`` with one group of values a dimension) and ``.csv`` (see
`rntk_bench.data.csv_split`). NaN at the end of a series is padding and is removed; a value missing
anywhere else is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np

from rntk_bench.data.csv_split import read_csv_rows
from rntk_bench.data.dataset import FloatArray
from rntk_bench.errors import DataError

# Far above the archive's largest files (about 130 MB, 17,000 rows, 45 kB a row), and low enough
# that no file can exhaust the memory.
MAX_FILE_BYTES = 2**29
MAX_ROWS = 10**6
MAX_ROW_CHARACTERS = 2**24

UNKNOWN = "?"
"""The label of a series whose class is not known."""
Labelling = Literal["complete", "partial", "none"]
"""Every series must have a label, some may have `UNKNOWN`, or the file has no column of labels."""


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
    labelling : Labelling
        What is expected of the labels.
    """

    path: Path
    series: list[FloatArray] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    labelling: Labelling = "complete"

    def where(self, row: int) -> str:
        """Name a row of the file."""
        return f"{self.path}, row {row}"

    def append(self, row: int, label: str, values: FloatArray) -> None:
        """Add the series `values` of shape (T, m), checking its label and numbers."""
        if label.strip().casefold() in ("", UNKNOWN, "nan"):
            if self.labelling == "complete":
                raise DataError(f"{self.where(row)}: the series has no class label.")
            label = UNKNOWN
        series = _without_padding(values, self.where(row))
        self.series.append(series[:, 0] if series.shape[1] == 1 else series)
        self.labels.append(label.strip())
        self.rows.append(row)


def read_split(path: Path, labelling: Labelling = "complete") -> Split:
    """Read a ``.tsv``, ``.txt``, ``.ts`` or ``.csv`` file.

    Parameters
    ----------
    path : Path
    labelling : Labelling
        "none" is for ``.tsv`` and ``.txt``, whose first column is then a value: the header of the
        others says whether there are labels.

    Raises
    ------
    DataError
        Naming the file and row that cannot be used.
    """
    if path.suffix not in READERS:
        raise DataError(
            f"{path}: series are read from files that end in {', '.join(READERS)}; rename or "
            "convert this one."
        )
    if labelling == "none" and path.suffix not in (".tsv", ".txt"):
        raise DataError(
            f"{path}: the header of such a file says whether it has labels; leave out --no-labels."
        )
    split = Split(path, labelling=labelling)
    READERS[path.suffix](split)
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


def _read_columns(split: Split) -> None:
    width = None
    for row, line in _lines(split.path):
        separator = next((mark for mark in "\t," if mark in line), None)
        fields = line.split(separator)
        label = UNKNOWN if split.labelling == "none" else fields.pop(0)
        if width is None:
            width = len(fields)
        if len(fields) != width:
            raise DataError(
                f"{split.where(row)}: the row has {len(fields)} values, but the first has {width}; "
                "pad shorter series with NaN at the end."
            )
        split.append(row, label, _numbers(fields, split.where(row))[:, np.newaxis])


def _read_ts(split: Split) -> None:
    path = split.path
    lines = _lines(path, comments=("#", "%"))
    header = _read_header(path, lines)
    if header.get("@timestamps") == "true":
        raise DataError(f"{path} gives each value a time stamp, which is not supported.")
    labelled = header.get("@classlabel", "").startswith("true")
    if not labelled and split.labelling == "complete":
        raise DataError(f"{path} declares no class labels (@classLabel true).")
    for row, line in lines:
        dimensions = line.split(":")
        label = dimensions.pop() if labelled else UNKNOWN
        where = split.where(row)
        values = [_numbers(dimension.split(","), where) for dimension in dimensions]
        if len({len(dimension) for dimension in values}) != 1:
            raise DataError(
                f"{where}: a row is groups of equally many values, one a dimension, and a class "
                "label, separated by colons."
            )
        split.append(row, label, np.column_stack(values))


def _read_csv(split: Split) -> None:
    for row, label, values in read_csv_rows(split.path, split.labelling == "complete"):
        split.append(row, label, values[:, np.newaxis])


READERS: dict[str, Callable[[Split], None]] = {
    ".tsv": _read_columns,
    ".ts": _read_ts,
    ".txt": _read_columns,
    ".csv": _read_csv,
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
