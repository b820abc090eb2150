"""Reading one split of a dataset from a file.

Four text formats are known: ``.tsv`` (the UCR 2018 archive: label first, tabs), ``.txt`` (older
copies of it: label first, commas or blanks), ``.ts`` (see `rntk_bench.datasets.ts`) and ``.csv``
(see `rntk_bench.datasets.csv_split`). NaN at the end of a series, or nothing between its last
separators, is padding and is removed; a value missing anywhere else is refused. An empty label or
``?`` is one that is not known; blank lines, and those of separators alone, are no rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np

from rntk_bench.datasets.csv_split import LABEL_COLUMNS, read_csv_rows
from rntk_bench.datasets.text import MISSING, NumberError, parse_numbers, read_lines
from rntk_bench.datasets.ts import read_ts_rows
from rntk_bench.errors import DataError
from rntk_bench.types import FloatArray

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
        if label.strip() in MISSING:
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
    suffix = path.suffix.casefold()
    if suffix not in READERS:
        raise DataError(
            f"{path}: series are read from files that end in {', '.join(READERS)}; rename or "
            "convert this one."
        )
    if labelling == "none" and suffix not in (".tsv", ".txt"):
        raise DataError(
            f"{path}: the header of such a file says whether it has labels; leave out --no-labels."
        )
    split = Split(path, labelling=labelling)
    READERS[suffix](split)
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
    rows: list[tuple[int, str, FloatArray, int]] = []
    for row, line in read_lines(split.path):
        where = split.where(row)
        fields = _fields(line, where)
        if not any(map(str.strip, fields)):
            continue
        label = UNKNOWN if split.labelling == "none" else fields.pop(0)
        if not rows and _is_header([label, *fields]):
            raise DataError(f"{where} is a header, which such a file does not have; leave it out.")
        try:
            values = parse_numbers(fields)
        except NumberError as error:
            raise DataError(
                f"{where}, value {error.position + 1}: {error.text} is not a number{error.hint}."
            ) from None
        filled = len(fields)
        while filled and not fields[filled - 1].strip():
            filled -= 1
        rows.append((row, label, values, filled))
    if not rows:
        return
    longest, _, _, width = max(rows, key=itemgetter(3))
    for row, label, values, _ in rows:
        if len(values) < width:
            raise DataError(
                f"{split.where(row)}: the row has {len(values)} values, but row {longest} has "
                f"{width}; pad shorter series with NaN at the end."
            )
        split.append(row, label, values[:width, np.newaxis])


def _fields(line: str, where: str) -> list[str]:
    """Split at tabs, else at commas, else at blanks."""
    inner = line.rstrip("\t, ")  # a row of values and blanks may end in another separator
    for mark in "\t,":
        if mark in inner:
            return line.split(mark)
    if ";" in inner:
        raise DataError(f"{where}: there are semicolons between the values; write commas or tabs.")
    return inner.split()


def _is_header(fields: list[str]) -> bool:
    """Whether a row names the labels and the steps, also by 0, 1, 2, ... or 1, 2, 3, ..."""
    if not any(field.strip().casefold() in LABEL_COLUMNS for field in fields):
        return False
    try:
        values = parse_numbers(fields[1:])
    except NumberError:
        return True
    return len(values) > 1 and values[0] in (0.0, 1.0) and bool((np.diff(values) == 1.0).all())


def _read_ts(split: Split) -> None:
    for row, label, values in read_ts_rows(split.path, split.labelling == "complete"):
        split.append(row, label, values)


def _read_csv(split: Split) -> None:
    for row, label, values in read_csv_rows(split.path, split.labelling == "complete"):
        split.append(row, label, values[:, np.newaxis])


READERS: dict[str, Callable[[Split], None]] = {
    ".tsv": _read_columns,
    ".ts": _read_ts,
    ".txt": _read_columns,
    ".csv": _read_csv,
}


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
