"""Tables of accuracies, one row per dataset and one column per method."""

from __future__ import annotations

import pandas as pd

from rntk_bench.errors import InputError
from rntk_bench.methods import display_name
from rntk_bench.report.results import paper
from rntk_bench.report.results.results import Results

_PAPER_SUFFIX = " (paper)"


def accuracy_table(results: Results, with_paper: bool = False) -> pd.DataFrame:
    """Test accuracies in percent, with the methods' titles as columns; NaN where there is none.

    With `with_paper` each method of the paper is followed by a column of the paper's numbers,
    such as "RNTK (paper)".
    """
    columns: dict[str, list[float]] = {}
    for method in results.methods:
        name = display_name(method)
        own = [results.accuracy.get((dataset, method)) for dataset in results.datasets]
        columns[name] = [float("nan") if x is None else float(100 * x) for x in own]
        if with_paper and method in paper.METHODS:
            printed = [paper.paper_accuracy(dataset, method) for dataset in results.datasets]
            columns[name + _PAPER_SUFFIX] = [
                float("nan") if x is None else float(x) for x in printed
            ]
    return pd.DataFrame(columns, index=pd.Index(results.datasets, name="dataset"), dtype=float)


def paper_columns(accuracies: pd.DataFrame) -> set[str]:
    """The columns of an accuracy table that hold the paper's numbers."""
    return {str(name) for name in accuracies if str(name).endswith(_PAPER_SUFFIX)}


def drop_incomplete(accuracies: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The datasets on which every method has a result, and notes on what was left out.

    Methods without any result are left out first.

    Raises
    ------
    InputError
        If no dataset is left.
    """
    with_results = accuracies.dropna(axis="columns", how="all")
    complete = with_results.dropna()
    if complete.empty:
        counts = with_results.notna().sum()
        fewest = f" ({counts.idxmin()} has {counts.min()})" if len(counts) else ""
        raise InputError(
            f"No dataset has a result of every method{fewest}; choose methods that share datasets."
        )
    notes = []
    if missing := [name for name in accuracies if name not in with_results]:
        notes.append(f"Without any result: {', '.join(map(str, missing))}.")
    if partial := [name for name in with_results.index if name not in complete.index]:
        notes.append(
            f"Left out, since not every method has a result: {len(partial)} of {len(with_results)} "
            f"datasets ({', '.join(map(str, partial))})."
        )
    return complete, notes


def find_column(accuracies: pd.DataFrame, name: str) -> str:
    """The column of a method, named by its identifier or by its title.

    Raises
    ------
    InputError
        There is no such column.
    """
    for title in (name, display_name(name)):
        if title in accuracies:
            return title
    raise InputError(
        f"There is no method {name!r} among the results; there are "
        f"{', '.join(map(str, accuracies.columns))}."
    )
