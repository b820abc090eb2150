"""Accuracies in percent, a row a dataset, a column a method: what comparisons and plots take."""

from __future__ import annotations

import pandas as pd

from rntk_bench.errors import InputError
from rntk_bench.methods import display_name
from rntk_bench.report.results import paper
from rntk_bench.report.results.results import Results

_OF_PAPER = " (paper)"


def accuracies(results: Results, with_paper: bool = False) -> pd.DataFrame:
    """Test accuracies in percent, columns by their names in the tables, NaN where there is none.

    With `with_paper` each method that the paper reports is followed by a column of the paper's
    numbers, "RNTK (paper)".
    """
    columns: dict[str, list[float]] = {}
    for method in results.methods:
        name = display_name(method)
        found = [results.accuracy.get((dataset, method)) for dataset in results.datasets]
        columns[name] = [float("nan") if x is None else float(100 * x) for x in found]
        if with_paper and method in paper.METHODS:
            found = [paper.paper_accuracy(dataset, method) for dataset in results.datasets]
            columns[name + _OF_PAPER] = [float("nan") if x is None else float(x) for x in found]
    return pd.DataFrame(columns, index=pd.Index(results.datasets, name="dataset"), dtype=float)


def paper_columns(accuracies: pd.DataFrame) -> set[str]:
    """The columns that `accuracies` makes of the paper's numbers."""
    return {str(name) for name in accuracies if str(name).endswith(_OF_PAPER)}


def complete(accuracies: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The datasets on which every method has a result, and sentences about what is left out.

    Methods without any result are left out first.

    Raises
    ------
    InputError
        If no dataset is left.
    """
    known = accuracies.dropna(axis="columns", how="all")
    whole = known.dropna()
    if whole.empty:
        counts = known.notna().sum()
        fewest = f" ({counts.idxmin()} has {counts.min()})" if len(counts) else ""
        raise InputError(
            f"No dataset has a result of every method{fewest}; choose methods that share datasets."
        )
    notes = []
    if absent := [name for name in accuracies if name not in known]:
        notes.append(f"Without any result: {', '.join(map(str, absent))}.")
    if partial := [name for name in known.index if name not in whole.index]:
        notes.append(
            f"Left out, since not every method has a result: {len(partial)} of {len(known)} "
            f"datasets ({', '.join(map(str, partial))})."
        )
    return whole, notes


def column(accuracies: pd.DataFrame, name: str) -> str:
    """The column that a user means by a method's identifier or by a column's title.

    Raises
    ------
    InputError
        If there is none.
    """
    for title in (name, display_name(name)):
        if title in accuracies:
            return title
    raise InputError(
        f"There is no method {name!r} among the results; there are "
        f"{', '.join(map(str, accuracies.columns))}."
    )
