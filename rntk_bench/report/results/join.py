"""Published accuracies set beside one's own, on the same datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from rntk_bench.datasets.archive import ARCHIVE, nearest_names
from rntk_bench.errors import one_line
from rntk_bench.methods import METHODS, display_name
from rntk_bench.report.results.names import folded, listed, spellings
from rntk_bench.report.results.published import Published
from rntk_bench.report.results.results import Results
from rntk_bench.report.results.rounding import nearest_count, possible_counts


def join(results: Results, columns: Sequence[Published]) -> tuple[Results, list[str]]:
    """Add columns to results, on the datasets of these.

    An accuracy that was printed with a few decimals is read as the number of right answers that it
    stands for, where the size of the test set leaves one: rounding then neither makes nor breaks a
    tie.

    Returns
    -------
    results : Results
    report : list of str
        Sentences on how each file was read and what in it was not matched.
    """
    accuracy = dict(results.accuracy)
    published: list[str] = []
    notes, report = [], []
    for path in dict.fromkeys(column.path for column in columns):
        group = [column for column in columns if column.path == path]
        report += _describe(path, group, results.datasets)
        names: list[str] = []
        for column in group:
            entries = _entries(column, results)
            if entries:
                names.append(_unused_name(column, results.methods + published + names))
                accuracy |= {(dataset, names[-1]): entry for dataset, entry in entries.items()}
        published += names
        notes += [f"Published, from {one_line(path.name)}: {', '.join(names)}."] if names else []
    joined = replace(
        results,
        methods=results.methods + published,
        accuracy=accuracy,
        notes=results.notes + notes,
        published=results.published + published,
    )
    return joined, report


def _unused_name(column: Published, methods: Sequence[str]) -> str:
    """The column's name, with its file's where a method of the project or of the table has it."""
    taken = {*methods, *map(display_name, [*methods, *METHODS]), *METHODS}
    names = (
        column.name,
        *(f"{column.name} ({one_line(str(path))})" for path in (column.path.stem, column.path)),
    )
    return next(name for name in names if folded(name) not in set(map(folded, taken)))


def _entries(column: Published, results: Results) -> dict[str, Fraction]:
    """The column's accuracies on the results' datasets, under the results' names."""
    in_file = spellings(column.accuracy)
    entries = {}
    for dataset in results.datasets:
        printed = column.accuracy.get(in_file.get(folded(dataset), ""))
        if printed is not None:
            entries[dataset] = _right_answers(printed, _n_test(dataset, results), column.unit)
    return entries


def _n_test(dataset: str, results: Results) -> int | None:
    if dataset in results.n_test:
        return results.n_test[dataset]
    return ARCHIVE[dataset].n_test if dataset in ARCHIVE else None


def _right_answers(printed: Fraction, n_test: int | None, unit: Fraction) -> Fraction:
    """The share of right answers that was printed so, or what was printed if there is none."""
    if n_test is None or not possible_counts(printed, n_test, unit):
        return printed
    return Fraction(nearest_count(printed, n_test), n_test)


def _describe(path: Path, columns: Sequence[Published], datasets: Sequence[str]) -> list[str]:
    """Sentences on one file: how its columns were read, and what in it matches nothing."""
    in_file = spellings(columns[0].accuracy)
    absent = [dataset for dataset in datasets if folded(dataset) not in in_file]
    known = spellings([*datasets, *ARCHIVE])
    strange = [name for form, name in in_file.items() if form not in known]
    lines = [
        f"{path.name}: {len(datasets) - len(absent)} of {len(datasets)} datasets found; read as "
        + " and ".join(
            f"{unit}: {listed([column.name for column in columns if column.percent == percent])}"
            for percent, unit in ((True, "percent"), (False, "fractions"))
            if any(column.percent == percent for column in columns)
        )
        + "."
    ]
    if absent:
        lines.append(f"{path.name} has no row for {', '.join(absent)}.")
    for dataset in absent:
        if near := nearest_names(dataset, strange):
            lines.append(f"{path.name}: the names nearest to {dataset} are {', '.join(near)}.")
    if strange:
        lines.append(f"{path.name}: neither the archive nor the table has {listed(strange)}.")
    return lines + _gaps(path, columns, [d for d in datasets if d not in absent]) + _doubts(columns)


def _gaps(path: Path, columns: Sequence[Published], datasets: Sequence[str]) -> list[str]:
    """Name the entries that are missing, one sentence for columns that lack the same."""
    lacking: dict[tuple[str, ...], list[str]] = {}
    for column in columns:
        in_file = spellings(column.accuracy)
        gaps = tuple(d for d in datasets if column.accuracy[in_file[folded(d)]] is None)
        lacking.setdefault(gaps, []).append(column.name)
    return [
        f"{path.name} has no entry of {listed(names)} for {', '.join(gaps)}."
        for gaps, names in lacking.items()
        if gaps
    ]


def _doubts(columns: Sequence[Published]) -> list[str]:
    """Name what looks like a fraction among percent."""
    return [
        f"{column.path.name}: {column.name} is read as percent, so that {dataset} has "
        f"{float(100 * accuracy):g} %."
        for column in columns
        if column.percent
        for dataset, accuracy in column.accuracy.items()
        if accuracy is not None and 0 < accuracy <= Fraction(1, 100)
    ]
