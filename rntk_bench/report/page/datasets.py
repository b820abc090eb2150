"""The section of a dataset on the report page: results, validation, confusion and timings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rntk_bench.errors import DataError, RntkBenchError
from rntk_bench.formatting import format_choice, format_value
from rntk_bench.methods import display_name
from rntk_bench.report.page.labels import ConfusionMatrix, Labels
from rntk_bench.report.page.provenance import Environments
from rntk_bench.report.page.reproduce import run_command
from rntk_bench.report.plots.grid import choose_axes
from rntk_bench.report.results.names import format_ranges
from rntk_bench.report.results.record_details import describe_fold_networks, wilson_interval
from rntk_bench.report.results.results import Results
from rntk_bench.report.results.validation import validation_grid
from rntk_bench.report.tables.table import MISSING
from rntk_bench.storage.records import Record, protocol_id

SHADES = 10
"""Number of shades of a heat map, besides no shade."""


@dataclass(frozen=True)
class HeatMapCell:
    """An accuracy in percent; None if all its settings were pruned."""

    accuracy: float | None
    shade: int
    mark: str
    """"chosen", "tied" or empty."""


@dataclass(frozen=True)
class HeatMap:
    """Validation accuracies over two parameters, the best over all others.

    Attributes
    ----------
    x, y : str
        The horizontal and the vertical parameter.
    columns : list of str
        Values of `x`.
    rows : list of (str, list of HeatMapCell)
        Values of `y`, and the accuracies at each.
    others : list of str
        The parameters over which the best accuracy is taken.
    """

    x: str
    y: str
    columns: list[str]
    rows: list[tuple[str, list[HeatMapCell]]]
    others: list[str]


@dataclass(frozen=True)
class MethodResult:
    """The result of one method on the dataset of a section.

    Attributes
    ----------
    record : Record
        Of several resamples the first that every method has.
    accuracy : str
        In percent; a mean over resamples with its standard error.
    interval : str
        The 95 % confidence interval of the accuracy.
    networks : str or None
        The accuracies of the networks of the folds.
    heat_map, confusion : HeatMap or None, ConfusionMatrix or None
        If they are None, `problems` says why.
    """

    record: Record
    method: str
    protocol: str
    environment: int
    best: bool
    accuracy: str
    interval: str
    chosen: str
    networks: str | None
    heat_map: HeatMap | None
    confusion: ConfusionMatrix | None
    problems: list[str]


@dataclass(frozen=True)
class Section:
    """The section of one dataset.

    Attributes
    ----------
    facts : list of (str, str)
        Name and value of its sizes and its source.
    stages : list of str
        Names of the timed stages.
    commands : str
        Commands that run its evaluations again.
    note : str
        Which resamples the accuracies are means over; empty for the archive's split.
    """

    name: str
    facts: list[tuple[str, str]]
    entries: list[MethodResult]
    stages: list[str]
    commands: str
    note: str = ""


def dataset_section(
    dataset: str, results: Results, labels: Labels, environments: Environments
) -> Section:
    """Collect the contents of the section of a dataset."""
    keys = [(dataset, method) for method in results.methods if (dataset, method) in results.records]
    known = [results.accuracy[key] for key in keys if key in results.accuracy]
    best = max(known) if len(known) > 1 else None
    entries = [
        _method_result(
            results.records[key],
            labels,
            environments,
            best is not None and results.accuracy.get(key) == best,
            _accuracy(results, key),
        )
        for key in keys
    ]
    records = [entry.record for entry in entries]
    return Section(
        dataset,
        _facts(records),
        entries,
        sorted({stage for record in records for stage in record.timings}, key=_stage_order),
        "\n".join(
            run_command(record, [dataset], results.runs[dataset, record.method])
            for record in records
        ),
        _resamples_note(records) if results.standard_error else "",
    )


def heat_map(record: Record) -> HeatMap:
    """The validation accuracies of a record over the two main parameters of its grid.

    Raises
    ------
    RntkBenchError
        The record has no cross-validation, or its grid does not have two parameters.
    """
    grid = validation_grid(record)
    x, y = choose_axes(grid, None, None)
    accuracies = grid.best_over_others(x, y)
    low, high = np.nanmin(accuracies), np.nanmax(accuracies)
    chosen = grid.chosen[y], grid.chosen[x]

    def cell(row: int, column: int) -> HeatMapCell:
        accuracy = float(accuracies[row, column])
        if np.isnan(accuracy):
            return HeatMapCell(None, 0, "")
        fraction = (accuracy - low) / (high - low) if high > low else 1.0
        mark = "chosen" if (row, column) == chosen else "tied" if accuracy == high else ""
        return HeatMapCell(accuracy, round(SHADES * fraction), mark)

    return HeatMap(
        x,
        y,
        [format_value(value) for value in grid.axes[x]],
        [
            (format_value(value), [cell(row, column) for column in range(accuracies.shape[1])])
            for row, value in enumerate(grid.axes[y])
        ],
        grid.other_parameters(x, y),
    )


def _method_result(
    record: Record, labels: Labels, environments: Environments, best: bool, accuracy: str
) -> MethodResult:
    heat, confusion, problems = None, None, []
    if record.status == "ok":
        try:
            heat = heat_map(record)
        except RntkBenchError as error:
            problems.append(str(error))
        try:
            confusion = labels.confusion(record)
        except DataError as error:
            problems.append(f"No confusion matrix, which needs labels: {str(error).rstrip('.')}.")
    return MethodResult(
        record,
        display_name(record.method),
        protocol_id(record.protocol),
        environments.number(record),
        best,
        accuracy,
        _interval(record),
        format_choice(record.selection) if record.selection else "",
        describe_fold_networks(record),
        heat,
        confusion,
        problems,
    )


def _accuracy(results: Results, key: tuple[str, str]) -> str:
    """The accuracy in percent, with the standard error of a mean; a dash if there is none."""
    if key not in results.accuracy:
        return MISSING
    error = results.standard_error.get(key)
    after = "" if error is None else f" ± {100 * error:.2f}"
    return f"{float(100 * results.accuracy[key]):.2f}{after}"


def _resamples_note(records: Sequence[Record]) -> str:
    """What a section with means over resamples shows of single resamples."""
    shown = format_ranges({record.resample for record in records})
    return (
        "Test accuracies are means over resamples with their standard errors; everything else is "
        f"of resample {shown}, where 0 is the archive's split."
    )


def _interval(record: Record) -> str:
    if record.test is None:
        return ""
    low, high = wilson_interval(record.test["correct"], record.test["n"])
    return f"{100 * low:.2f} to {100 * high:.2f}"


def _facts(records: list[Record]) -> list[tuple[str, str]]:
    """Sizes and source of the data, from the first record."""
    data = records[0].data
    names = {
        "n_train": "Training series",
        "n_test": "Test series",
        "n_classes": "Classes",
        "length": "Length",
        "n_dimensions": "Dimensions",
        "equal_length": "Equal length",
        "source": "Source",
        "fingerprint": "Fingerprint (SHA-256)",
    }
    words = {True: "yes", False: "no"}
    return [
        (name, words[data[key]] if isinstance(data[key], bool) else str(data[key]))
        for key, name in names.items()
        if key in data
    ]


def _stage_order(stage: str) -> tuple[bool, str]:
    return stage == "total", stage
