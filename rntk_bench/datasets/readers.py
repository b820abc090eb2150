"""Reading one split of a dataset from a file.

Four text formats are supported: ``.tsv`` (the UCR 2018 archive: label first, tabs) and ``.txt``
(older copies of it: label first, commas or blanks), see `rntk_bench.datasets.text`; ``.ts`` (see
`rntk_bench.datasets.ts`) and ``.csv`` (see `rntk_bench.datasets.csv_split`). NaN or empty fields at
the end of a series are padding and are removed; a missing value anywhere else is an error. An empty
label or ``?`` means that the class is unknown. Blank lines and lines of separators only are
ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np

from rntk_bench.datasets.csv_split import read_csv_rows
from rntk_bench.datasets.text import MISSING, SeriesRow, read_columns
from rntk_bench.datasets.ts import read_ts_rows
from rntk_bench.errors import DataError
from rntk_bench.types import FloatArray

READERS: dict[str, Callable[[Path, bool], Iterable[SeriesRow]]] = {
    ".tsv": read_columns,
    ".ts": read_ts_rows,
    ".txt": read_columns,
    ".csv": read_csv_rows,
}
"""The function that reads each format from a path; also given whether there must be labels."""

UNKNOWN = "?"
"""The label of a series whose class is not known."""
Labelling = Literal["complete", "partial", "none"]
"""Every series must have a label, some may be `UNKNOWN`, or the file has no labels."""


@dataclass
class Split:
    """The series and labels of one split, as read from its file.

    Attributes
    ----------
    path : Path
        The file.
    series : list of ndarray of shape (T_i,) or (T_i, m)
    labels : list of str
    rows : list of int
        The line number of each series, counted from 1, for error messages.
    labelling : Labelling
        Whether the series must have labels.
    """

    path: Path
    series: list[FloatArray] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    labelling: Labelling = "complete"

    def where(self, row: int) -> str:
        """Describe a row of the file for error messages."""
        return f"{self.path}, row {row}"

    def append(self, row: int, label: str, values: FloatArray) -> None:
        """Validate and append a series `values` of shape (T, m)."""
        if label.strip() in MISSING:
            if self.labelling == "complete":
                raise DataError(
                    f"{self.where(row)}: the series has no class label; add one, or remove the row."
                )
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
        "none" is only for ``.tsv`` and ``.txt`` files, whose first column is then a value. The
        header of the other formats states whether there are labels.

    Raises
    ------
    DataError
        If the file or a row of it is invalid; the message names them.
    """
    suffix = path.suffix.casefold()
    if suffix not in READERS:
        raise DataError(
            f"{path}: series are read from files that end in {', '.join(READERS)}; rename or "
            "convert this file."
        )
    labelled = labelling == "complete"
    if suffix in (".tsv", ".txt"):
        labelled = labelling != "none"  # unknown labels have a field, too
    elif labelling == "none":
        raise DataError(
            f"{path}: the header of this format states whether there are labels; omit --no-labels."
        )
    split = Split(path, labelling=labelling)
    for row, label, values in READERS[suffix](path, labelled):
        split.append(row, label, values)
    if not split.series:
        raise DataError(f"{path} contains no series; replace it by a complete copy.")
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
            for split, suffix in ((train, "train"), (test, "test")):
                X, y = arrays[f"X_{suffix}"], arrays[f"y_{suffix}"]
                for row, (x, label) in enumerate(zip(X, y, strict=True), start=1):
                    split.append(row, str(label), np.asarray(x, dtype=np.float64))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DataError(f"{path} is damaged: {error}; replace it by a complete copy.") from error
    return train, test


def _without_padding(values: FloatArray, where: str) -> FloatArray:
    """Remove steps that are NaN in all dimensions from the end of a series (T, m)."""
    if values.size and np.isfinite(values).all():
        return values
    if np.isinf(values).any():
        raise DataError(f"{where}: the series has an infinite value; correct it.")
    missing = np.isnan(values)
    present = np.flatnonzero(~missing.all(axis=1))
    if not present.size:
        raise DataError(f"{where}: the series has no values; remove the row.")
    length = int(present[-1]) + 1
    incomplete = np.flatnonzero(missing[:length].any(axis=1))
    if incomplete.size:
        raise DataError(
            f"{where}: the value of step {incomplete[0] + 1} is missing; only the end of a "
            "series may be NaN, as padding. Fill in the missing values first."
        )
    return values[:length]
