"""Join published accuracies to the results of run records, on the same datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from rntk_bench.datasets.archive import ARCHIVE, close_matches
from rntk_bench.errors import one_line
from rntk_bench.methods import METHODS, display_name
from rntk_bench.report.results.names import abbreviate_list, by_normalised_name, normalise_name
from rntk_bench.report.results.published import PublishedColumn
from rntk_bench.report.results.results import Results
from rntk_bench.report.results.rounding import nearest_count, possible_counts


def join_published(
    results: Results, columns: Sequence[PublishedColumn]
) -> tuple[Results, list[str]]:
    """Add published columns to results, on the datasets of the results.

    An accuracy that was printed with a few decimals is replaced by the nearest number of correct
    predictions over the size of the test set, where one rounds to it: rounding then neither makes
    nor breaks a tie.

    Returns
    -------
    results : Results
    messages : list of str
        How each file was read, and which of its names and entries were not matched.
    """
    accuracy, by_resample = dict(results.accuracy), dict(results.by_resample)
    published: list[str] = []
    notes, messages = [], []
    for path in dict.fromkeys(column.path for column in columns):
        of_file = [column for column in columns if column.path == path]
        messages += _describe_file(path, of_file, results.datasets)
        names: list[str] = []
        for column in of_file:
            entries, resamples = _entries(column, results), _resamples(column, results)
            if entries or resamples:
                names.append(_unused_name(column, results.methods + published + names))
                accuracy |= {(dataset, names[-1]): entry for dataset, entry in entries.items()}
                by_resample |= {(dataset, names[-1]): found for dataset, found in resamples.items()}
        published += names
        notes += [f"Published, from {one_line(path.name)}: {', '.join(names)}."] if names else []
    joined = replace(
        results,
        methods=results.methods + published,
        accuracy=accuracy,
        by_resample=by_resample,
        notes=results.notes + notes,
        published=results.published + published,
    )
    return joined, messages


def _unused_name(column: PublishedColumn, methods: Sequence[str]) -> str:
    """The column's name, with the file's name if a method already has the column's."""
    used = {*methods, *map(display_name, [*methods, *METHODS]), *METHODS}
    names = (
        column.name,
        *(f"{column.name} ({one_line(str(path))})" for path in (column.path.stem, column.path)),
    )
    return next(
        name for name in names if normalise_name(name) not in set(map(normalise_name, used))
    )


def _entries(column: PublishedColumn, results: Results) -> dict[str, Fraction]:
    """The column's accuracies on the results' datasets, under the results' names."""
    file_names = by_normalised_name(column.accuracy)
    entries = {}
    for dataset in results.datasets:
        printed = column.accuracy.get(file_names.get(normalise_name(dataset), ""))
        if printed is not None:
            entries[dataset] = _round_to_count(printed, results.test_set_size(dataset), column.unit)
    return entries


def _resamples(column: PublishedColumn, results: Results) -> dict[str, dict[int, Fraction]]:
    """The column's accuracies on each resample of the results' datasets."""
    file_names = by_normalised_name(column.resamples)
    found = {}
    for dataset in results.datasets:
        n_test = results.test_set_size(dataset)
        printed = column.resamples.get(file_names.get(normalise_name(dataset), ""))
        if printed:
            found[dataset] = {
                resample: _round_to_count(accuracy, n_test, column.unit)
                for resample, accuracy in printed.items()
            }
    return found


def _round_to_count(printed: Fraction, n_test: int | None, unit: Fraction) -> Fraction:
    """The fraction of correct predictions that rounds to `printed`, or `printed` without one."""
    if n_test is None or not possible_counts(printed, n_test, unit):
        return printed
    return Fraction(nearest_count(printed, n_test), n_test)


def _describe_file(
    path: Path, columns: Sequence[PublishedColumn], datasets: Sequence[str]
) -> list[str]:
    """Messages about one file: how its columns were read, and which names do not match."""
    file_names = by_normalised_name(name for column in columns for name in column.accuracy)
    missing = [dataset for dataset in datasets if normalise_name(dataset) not in file_names]
    known = by_normalised_name([*datasets, *ARCHIVE])
    unknown = [name for form, name in file_names.items() if form not in known]
    units = {
        unit: [column.name for column in columns if column.percent == percent]
        for unit, percent in (("percent", True), ("fractions", False))
    }
    read_as = " and ".join(
        f"{unit}: {abbreviate_list(names)}" for unit, names in units.items() if names
    )
    lines = [
        f"{path.name}: {len(datasets) - len(missing)} of {len(datasets)} datasets found; read as "
        f"{read_as}."
    ]
    if missing:
        lines.append(f"{path.name} has no row for {', '.join(missing)}.")
    for dataset in missing:
        if nearest := close_matches(dataset, unknown):
            lines.append(f"{path.name}: the names nearest to {dataset} are {', '.join(nearest)}.")
    if unknown:
        lines.append(
            f"{path.name}: neither the archive nor the table has {abbreviate_list(unknown)}."
        )
    return (
        lines
        + _describe_missing_entries(path, columns, [d for d in datasets if d not in missing])
        + _describe_small_percentages(columns)
    )


def _describe_missing_entries(
    path: Path, columns: Sequence[PublishedColumn], datasets: Sequence[str]
) -> list[str]:
    """One message for all columns in which the same entries are missing."""
    columns_by_missing: dict[tuple[str, ...], list[str]] = {}
    for column in columns:
        file_names = by_normalised_name(column.accuracy)
        missing = tuple(
            dataset
            for dataset in datasets
            for name in [file_names.get(normalise_name(dataset), "")]
            if column.accuracy.get(name) is None and not column.resamples.get(name)
        )
        columns_by_missing.setdefault(missing, []).append(column.name)
    return [
        f"{path.name} has no entry of {abbreviate_list(names)} for {', '.join(missing)}."
        for missing, names in columns_by_missing.items()
        if missing
    ]


def _describe_small_percentages(columns: Sequence[PublishedColumn]) -> list[str]:
    """Messages about percentages that may be meant as fractions."""
    return [
        f"{column.path.name}: {column.name} is read as percent, so that {dataset} has "
        f"{float(100 * accuracy):g} %."
        for column in columns
        if column.percent
        for dataset, accuracy in column.accuracy.items()
        if accuracy is not None and 0 < accuracy <= Fraction(1, 100)
    ]
