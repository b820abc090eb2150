"""Labelled series from a CSV file with a header, one series a row.

The column of labels has one of the names in `LABEL_COLUMNS`, in any case; every other column is a
time step, in the file's order. Empty fields at the end of a row are no steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rntk_bench.data.dataset import FloatArray
from rntk_bench.errors import DataError

LABEL_COLUMNS = ("label", "class", "target")


def read_csv_rows(path: Path, labelled: bool) -> Iterator[tuple[int, str, FloatArray]]:
    """Yield each row's line, its label (empty where there is none) and values (T,).

    Parameters
    ----------
    path : Path
    labelled : bool
        Whether there must be a column of labels.

    Raises
    ------
    DataError
        If the file cannot be read, has no header, no column of labels where there must be one or
        two of them, or a field is no number.
    """
    import pandas as pd

    from rntk_bench.data.csv_series import read_csv

    rows = read_csv(path)
    label = _label_column(path, [str(name) for name in rows.columns])
    if label is None and labelled:
        raise DataError(
            f"{path} has no column of labels; call it {' or '.join(LABEL_COLUMNS)} in its header."
        )
    labels = [""] * len(rows) if label is None else rows.pop(label).fillna("").tolist()
    if rows.empty:
        return
    values = rows.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.argwhere(np.isnan(values) & rows.notna().to_numpy())
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            f"{path}, line {row + 2}: column {rows.columns[column]!r} holds "
            f"{rows.iat[row, column]!r}, but must hold a number."
        )
    yield from zip(range(2, len(rows) + 2), labels, values, strict=True)


def _label_column(path: Path, names: list[str]) -> str | None:
    found = [name for name in names if name.strip().casefold() in LABEL_COLUMNS]
    if len(found) > 1:
        raise DataError(f"{path} has the columns {' and '.join(found)}; keep one for the labels.")
    if not found and _is_data(names):
        raise DataError(
            f"{path} begins with a row of numbers, not with a header; name its columns, that of "
            f"the labels {' or '.join(LABEL_COLUMNS)}."
        )
    return found[0] if found else None


def _is_data(names: list[str]) -> bool:
    """Whether a header is a series rather than names; steps may be counted from 0 or 1."""
    try:
        numbers = [float(name) for name in names]
    except ValueError:
        return False
    steps = np.arange(len(numbers))
    return not (np.array_equal(numbers, steps) or np.array_equal(numbers, steps + 1))
