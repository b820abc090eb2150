"""Accuracies of other classifiers, read from CSV files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from unicodedata import category

from rntk_bench.datasets.archive import close_matches
from rntk_bench.errors import InputError
from rntk_bench.report.results.names import abbreviate_list, normalise_name

_MISSING = {"", "-", "–", "na", "n/a", "nan", "none", "failed"}
_MIN_UNIT = Fraction(1, 10**12)


@dataclass(frozen=True)
class PublishedColumn:
    """One column of a file: the accuracies of one classifier.

    Attributes
    ----------
    name : str
        As the file's header has it.
    path : Path
    percent : bool
        Whether the file gives percent (some entry is above 1) or fractions.
    unit : Fraction
        The last decimal of the column, as a fraction of correct predictions.
    accuracy : dict of dataset to Fraction or None
        Fractions of correct predictions, by the file's names of the datasets; None where an entry
        is missing.
    """

    name: str
    path: Path
    percent: bool
    unit: Fraction
    accuracy: dict[str, Fraction | None]


def read_published(path: Path) -> list[PublishedColumn]:
    """Read every column of a file.

    Parameters
    ----------
    path : Path
        A CSV with a header. Its first column names the datasets; every other holds accuracies of
        one classifier, in percent or as fractions, and may have missing entries.

    Raises
    ------
    InputError
        If the file cannot be read, has no such columns, or a row or an entry is not as above.
    """
    (_, header), *rows = _read_rows(path)
    if "" in header[1:]:
        raise InputError(f"{path}: column {header.index('', 1) + 1} has no name; give it one.")
    _check_unique(path, "column", [(1, title) for title in header[1:]])
    _check_unique(path, "dataset", [(line, row[0]) for line, row in rows])
    return [
        _read_column(path, title, [(line, row[0], row[index]) for line, row in rows])
        for index, title in enumerate(header[1:], 1)
    ]


def select_columns(
    columns: Sequence[PublishedColumn], names: Sequence[str]
) -> list[PublishedColumn]:
    """The columns with these names, in the order of the names; without names, all columns.

    Raises
    ------
    InputError
        No column has one of the names.
    """
    selected = []
    for name in names:
        matching = [
            column for column in columns if normalise_name(column.name) == normalise_name(name)
        ]
        if not matching:
            nearest = close_matches(name, (column.name for column in columns))
            known = list(dict.fromkeys(column.name for column in columns))
            hint = (
                f"the nearest are {', '.join(nearest)}"
                if nearest
                else f"it has {abbreviate_list(known)}"
            )
            files = ", ".join(dict.fromkeys(str(column.path) for column in columns))
            raise InputError(f"No column of {files} is named {name!r}; {hint}.")
        selected += [column for column in matching if column not in selected]
    return selected if names else list(columns)


def _read_rows(path: Path) -> list[tuple[int, list[str]]]:
    """The header and the rows that are not empty, each with its line number."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            rows = [(reader.line_num, [" ".join(entry.split()) for entry in row]) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path} cannot be read as CSV: {error}; correct it, or name another."
        ) from error
    rows = [(line, row) for line, row in rows if any(row)]
    if len(rows) < 2 or len(rows[0][1]) < 2:
        raise InputError(
            f"{path} needs a header and rows: a column of datasets, then one of accuracies for "
            "each classifier, with commas between them."
        )
    for line, row in rows:
        if invalid := next((entry for entry in row if not _is_text(entry)), None):
            raise InputError(
                f"{path}, line {line}: {invalid!r} has a character that cannot be shown; write it "
                "without."
            )
        if len(row) != len(rows[0][1]):
            raise InputError(
                f"{path}, line {line}: it has {len(row)} entries, the header {len(rows[0][1])}; "
                "give both as many."
            )
    return rows


def _is_text(entry: str) -> bool:
    """Whether an entry has no control characters."""
    return all(category(character) != "Cc" for character in entry)


def _check_unique(path: Path, what: str, names: Sequence[tuple[int, str]]) -> None:
    seen: dict[str, str] = {}
    for line, name in names:
        if normalise_name(name) in seen:
            first = seen[normalise_name(name)]
            raise InputError(
                f"{path}, line {line}: the {what} {name!r} is a duplicate of {first!r}; keep one "
                "of them."
            )
        seen[normalise_name(name)] = name


def _read_column(path: Path, title: str, rows: Sequence[tuple[int, str, str]]) -> PublishedColumn:
    """One column from its line numbers, datasets and entries."""
    numbers = {
        dataset: _parse_accuracy(f"{path}, line {line}, column {title!r}", text)
        for line, dataset, text in rows
        if text.casefold() not in _MISSING
    }
    scale = 100 if any(number > 1 for number in numbers.values()) else 1
    decimals = max((_n_decimals(number) for number in numbers.values()), default=0)
    return PublishedColumn(
        name=title,
        path=path,
        percent=scale == 100,
        unit=max(Fraction(1, 10**decimals * scale), _MIN_UNIT),
        accuracy={
            dataset: Fraction(numbers[dataset]) / scale if dataset in numbers else None
            for _, dataset, _ in rows
        },
    )


def _parse_accuracy(where: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not (number.is_finite() and 0 <= number <= 100):
        raise InputError(
            f"{where}: {text!r} is no accuracy, neither a fraction nor percent; leave it empty "
            "where there is none, or choose other columns with --column."
        )
    return number


def _n_decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
