"""Accuracies of other classifiers, read from CSV files or from folders of tsml-eval's files."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from unicodedata import category

from rntk_bench.datasets.archive import close_matches
from rntk_bench.errors import InputError, one_line
from rntk_bench.report.results.names import abbreviate_list, normalise_name
from rntk_bench.report.results.tsml import read_tsml

_MISSING = {"", "-", "–", "na", "n/a", "nan", "none", "failed"}
_MIN_UNIT = Fraction(1, 10**12)
MAX_DECIMALS = 100
"""More decimals than any accuracy has; an exact fraction of a number with many would be huge."""
_DELIMITERS = ",;\t"
_RESAMPLE = re.compile(r"[0-9]{1,10}")
_MEASURE = re.compile(r"_(accuracy|testfolds)$", re.IGNORECASE)
"""What follows the name of the classifier in the names of the archive's files."""


@dataclass(frozen=True)
class PublishedColumn:
    """The accuracies of one classifier.

    Attributes
    ----------
    name : str
        As the file's header has it, or its name has the file or the folder.
    path : Path
        The file or the folder.
    percent : bool
        Whether the file gives percent (some entry is above 1) or fractions.
    unit : Fraction
        The last decimal of the column, as a fraction of correct predictions.
    accuracy : dict of dataset to Fraction or None
        Fractions of correct predictions on the archive's split, by the file's names of the
        datasets; None where an entry is missing.
    resamples : dict of dataset to dict of int to Fraction
        Those on each resample, if the file has them.
    """

    name: str
    path: Path
    percent: bool
    unit: Fraction
    accuracy: dict[str, Fraction | None]
    resamples: dict[str, dict[int, Fraction]] = field(default_factory=dict)


def read_published(path: Path) -> list[PublishedColumn]:
    """Read every classifier of a file or a folder.

    Parameters
    ----------
    path : Path
        A CSV with a header, separated by commas, semicolons or tabs. Its first column names the
        datasets; every other holds accuracies of one classifier, in percent or as fractions, and
        may have missing entries. If the header has numbers, the columns are the resamples of one
        classifier, which the name of the file names. Or a folder as `read_tsml` reads it.

    Raises
    ------
    InputError
        If it cannot be read, has no such columns, or a row or an entry is not as above.
    """
    if path.is_dir():
        return [_from_predictions(path, *item) for item in read_tsml(path).items()]
    (_, header), *rows = _read_rows(path)
    if "" in header[1:]:
        raise InputError(f"{path}: column {header.index('', 1) + 1} has no name; give it one.")
    _check_unique(path, "column", [(1, title) for title in header[1:]])
    _check_unique(path, "dataset", [(line, row[0]) for line, row in rows])
    if all(_RESAMPLE.fullmatch(title) for title in header[1:]):
        return [_read_resamples(path, header, rows)]
    if all(map(_is_number, header[1:])):
        raise InputError(
            f"{path}, line 1: there are numbers where a header is needed; write the names of the "
            "classifiers, or the numbers of the resamples, above the columns."
        )
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
            header = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(_DELIMITERS, key=header.count))
            rows = [(reader.line_num, [" ".join(entry.split()) for entry in row]) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path} cannot be read as CSV: {error}; correct it, or name another."
        ) from error
    rows = [(line, row) for line, row in rows if any(row)]
    if len(rows) < 2 or len(rows[0][1]) < 2:
        raise InputError(
            f"{path} needs a header and rows: a column of datasets, then one of accuracies for "
            "each classifier, with commas, semicolons or tabs between them."
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
                "write one entry for each column."
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
    numbers = _parse_column(path, title, rows)
    scale, unit = _scale(numbers.values())
    return PublishedColumn(
        name=title,
        path=path,
        percent=scale == 100,
        unit=unit,
        accuracy={
            dataset: Fraction(numbers[dataset]) / scale if dataset in numbers else None
            for _, dataset, _ in rows
        },
    )


def _read_resamples(
    path: Path, header: Sequence[str], rows: Sequence[tuple[int, list[str]]]
) -> PublishedColumn:
    """The one classifier of a file with a column per resample."""
    columns = {
        int(title): _parse_column(path, title, [(line, row[0], row[index]) for line, row in rows])
        for index, title in enumerate(header[1:], 1)
    }
    scale, unit = _scale([number for column in columns.values() for number in column.values()])
    resamples = {
        dataset: {
            resample: Fraction(column[dataset]) / scale
            for resample, column in columns.items()
            if dataset in column
        }
        for _, (dataset, *_) in rows
    }
    return PublishedColumn(
        name=one_line(_MEASURE.sub("", path.stem) or path.stem),
        path=path,
        percent=scale == 100,
        unit=unit,
        accuracy={dataset: found.get(0) for dataset, found in resamples.items()},
        resamples=resamples,
    )


def _from_predictions(
    path: Path, name: str, resamples: dict[str, dict[int, Fraction]]
) -> PublishedColumn:
    """The classifier of a folder of predictions."""
    accuracy = {dataset: found.get(0) for dataset, found in resamples.items()}
    return PublishedColumn(name, path, False, _MIN_UNIT, accuracy, resamples)


def _parse_column(
    path: Path, title: str, rows: Sequence[tuple[int, str, str]]
) -> dict[str, Decimal]:
    """The numbers of a column by dataset, without the entries that are missing."""
    return {
        dataset: _parse_accuracy(f"{path}, line {line}, column {title!r}", text)
        for line, dataset, text in rows
        if text.casefold() not in _MISSING
    }


def _scale(numbers: Collection[Decimal]) -> tuple[int, Fraction]:
    """100 for percent or 1 for fractions, and the last decimal as a fraction."""
    scale = 100 if any(number > 1 for number in numbers) else 1
    decimals = max(map(_n_decimals, numbers), default=0)
    return scale, max(Fraction(1, 10**decimals * scale), _MIN_UNIT)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parse_accuracy(where: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not (number.is_finite() and 0 <= number <= 100 and _n_decimals(number) <= MAX_DECIMALS):
        raise InputError(
            f"{where}: {text!r} is no accuracy, neither a fraction nor percent; leave it empty "
            "where there is none, or choose other columns with --column."
        )
    return number


def _n_decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
