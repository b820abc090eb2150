"""The report page's section of one dataset: results, validation, confusion, timings, provenance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rntk_bench.config import brief_choice, shown
from rntk_bench.errors import DataError, RntkBenchError
from rntk_bench.report.page.labels import Confusion, Labels
from rntk_bench.report.page.provenance import Environments
from rntk_bench.report.page.reproduce import run_command
from rntk_bench.report.plots.grid import axes_of
from rntk_bench.report.results.results import Results, display_name
from rntk_bench.report.results.validation import validation_grid
from rntk_bench.report.tables.one_record import fold_networks, interval
from rntk_bench.storage.records import Record, protocol_id

SHADES = 10
"""Steps of a heat map's colour above none."""


@dataclass(frozen=True)
class HeatCell:
    """An accuracy in percent, None where pruning left all its settings out."""

    accuracy: float | None
    shade: int
    mark: str
    """"chosen", "tied" or nothing."""


@dataclass(frozen=True)
class HeatMap:
    """Validation accuracies over two parameters, the best over the others.

    Attributes
    ----------
    x, y : str
        The parameters across and down.
    columns : list of str
        Values of `x`.
    rows : list of (str, list of HeatCell)
        Values of `y`, and the accuracies at each.
    others : list of str
        The parameters over which the best was taken.
    """

    x: str
    y: str
    columns: list[str]
    rows: list[tuple[str, list[HeatCell]]]
    others: list[str]


@dataclass(frozen=True)
class Entry:
    """One method on one dataset.

    `interval` is the 95 % confidence interval of the accuracy; `networks` says how the folds'
    networks do, where the record does; `heat` and `confusion` are None where a sentence of `gaps`
    says why.
    """

    record: Record
    method: str
    protocol: str
    environment: int
    best: bool
    interval: str
    chosen: str
    networks: str | None
    heat: HeatMap | None
    confusion: Confusion | None
    gaps: list[str]


@dataclass(frozen=True)
class Section:
    """One dataset; `facts` are its sizes, `stages` the names of the timed stages."""

    name: str
    facts: list[tuple[str, str]]
    entries: list[Entry]
    stages: list[str]
    commands: str


def section(dataset: str, results: Results, labels: Labels, environments: Environments) -> Section:
    """What the page says of a dataset."""
    keys = [(dataset, method) for method in results.methods if (dataset, method) in results.records]
    known = [results.accuracy[key] for key in keys if key in results.accuracy]
    best = max(known) if len(known) > 1 else None
    entries = [
        _entry(
            results.records[key],
            labels,
            environments,
            best is not None and results.accuracy.get(key) == best,
        )
        for key in keys
    ]
    records = [entry.record for entry in entries]
    return Section(
        dataset,
        _facts(records),
        entries,
        sorted({stage for record in records for stage in record.timings}, key=_stage_order),
        "\n".join(run_command(record, [dataset]) for record in records),
    )


def heat_map(record: Record) -> HeatMap:
    """A record's validation accuracies over its grid's two main parameters.

    Raises
    ------
    RntkBenchError
        The record holds no cross-validation, or its grid does not have two parameters.
    """
    grid = validation_grid(record)
    x, y = axes_of(grid, None, None)
    plane = grid.plane(x, y)
    low, high = np.nanmin(plane), np.nanmax(plane)
    chosen = grid.chosen[y], grid.chosen[x]

    def cell(row: int, column: int) -> HeatCell:
        accuracy = float(plane[row, column])
        if np.isnan(accuracy):
            return HeatCell(None, 0, "")
        share = (accuracy - low) / (high - low) if high > low else 1.0
        mark = "chosen" if (row, column) == chosen else "tied" if accuracy == high else ""
        return HeatCell(accuracy, round(SHADES * share), mark)

    return HeatMap(
        x,
        y,
        [shown(value) for value in grid.axes[x]],
        [
            (shown(value), [cell(row, column) for column in range(plane.shape[1])])
            for row, value in enumerate(grid.axes[y])
        ],
        grid.others(x, y),
    )


def _entry(record: Record, labels: Labels, environments: Environments, best: bool) -> Entry:
    heat, confusion, gaps = None, None, []
    if record.status == "ok":
        try:
            heat = heat_map(record)
        except RntkBenchError as error:
            gaps.append(str(error))
        try:
            confusion = labels.confusion(record)
        except DataError as error:
            gaps.append(f"No confusion matrix, which needs labels: {str(error).rstrip('.')}.")
    return Entry(
        record,
        display_name(record.method),
        protocol_id(record.protocol),
        environments.number(record),
        best,
        _interval(record),
        brief_choice(record.selection) if record.selection else "",
        fold_networks(record),
        heat,
        confusion,
        gaps,
    )


def _interval(record: Record) -> str:
    if record.test is None:
        return ""
    low, high = interval(record.test["correct"], record.test["n"])
    return f"{100 * low:.2f} to {100 * high:.2f}"


def _facts(records: list[Record]) -> list[tuple[str, str]]:
    """Sizes and origin of the data that the records were made on, as the first tells them."""
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
