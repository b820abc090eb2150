"""Run records brought into one accuracy for each dataset and method."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from rntk_bench.methods import display_name
from rntk_bench.report.results.paper import METHODS
from rntk_bench.storage.records import Record, protocol_id

SMALLER_GRID = "†"
"""Marks what was chosen from fewer settings than a method's other results."""


@dataclass(frozen=True)
class Results:
    """What the tables are made of.

    Attributes
    ----------
    methods : list of str
        The paper's in its order, then others by name.
    datasets : list of str
        By name.
    accuracy : dict of (dataset, method) to Fraction
        Right answers over series of the test set.
    failed : set of (dataset, method)
    smaller_grid : set of (dataset, method)
        Results that were chosen from fewer settings than the method's others.
    notes : list of str
        Sentences to be printed below every table.
    records : dict of (dataset, method) to Record
        The record behind each result and each failure.
    n_test : dict of dataset to int
        Series of the test set, of each dataset with a result.
    published : list of str
        The methods whose accuracies are others' and come from a file.
    """

    methods: list[str]
    datasets: list[str]
    accuracy: dict[tuple[str, str], Fraction]
    failed: set[tuple[str, str]]
    smaller_grid: set[tuple[str, str]]
    notes: list[str]
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    n_test: dict[str, int] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)


def collect(records: Sequence[Record]) -> Results:
    """Choose one protocol for each method, up to the size of the grid, and gather its accuracies.

    Parameters
    ----------
    records : sequence of Record
        At least one.
    """
    by_method: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        by_method[record.method][_family(record)].append(record)
    columns = sorted(by_method, key=_column_order)

    chosen: list[Record] = []
    smaller: set[tuple[str, str]] = set()
    shown, left_out = [], []
    for method in columns:
        family = max(by_method[method].items(), key=_preference)[1]
        best = _largest_grids(family)
        largest = max(map(_grid_size, best))
        chosen += best
        smaller |= {(r.dataset, r.method) for r in best if _grid_size(r) < largest}
        shown += _protocol_names(best, largest)
        kept = {id(record) for record in best}
        unseen = [r for group in by_method[method].values() for r in group if id(r) not in kept]
        left_out += [
            f"{display_name(method)} {identifier} (datasets: {count})"
            for identifier, count in Counter(protocol_id(r.protocol) for r in unseen).items()
        ]
    notes = [f"Protocols: {', '.join(shown)}."]
    if left_out:
        notes.append(f"Other protocols, shown with --protocol: {', '.join(left_out)}.")
    return Results(
        methods=columns,
        datasets=sorted({record.dataset for record in chosen}),
        accuracy={
            (record.dataset, record.method): Fraction(record.test["correct"], record.test["n"])
            for record in chosen
            if record.status == "ok" and record.test is not None
        },
        failed={(record.dataset, record.method) for record in chosen if record.status == "failed"},
        smaller_grid=smaller,
        notes=notes + _data_notes(chosen),
        records={(record.dataset, record.method): record for record in chosen},
        n_test={record.dataset: record.test["n"] for record in chosen if record.test is not None},
    )


def _family(record: Record) -> str:
    """Identifier of what a record's protocol says besides the grid."""
    return protocol_id({key: value for key, value in record.protocol.items() if key != "grid"})


def _grid_size(record: Record) -> int:
    return math.prod(len(axis) for axis in record.protocol.get("grid", {}).values())


def worth(record: Record) -> tuple[bool, int, datetime]:
    """Sort key of records: one that did not fail, then the larger grid, then the newer."""
    return record.status == "ok", _grid_size(record), datetime.fromisoformat(record.created)


def _largest_grids(family: list[Record]) -> list[Record]:
    """Of each dataset the record with the largest grid that did not fail, then the newest."""
    best: dict[str, Record] = {}
    for record in sorted(family, key=worth):
        best[record.dataset] = record
    return [best[dataset] for dataset in sorted(best)]


def _protocol_names(records: list[Record], largest: int) -> list[str]:
    """What the notes say of one column's protocols, the largest grid first."""
    sizes = {protocol_id(record.protocol): _grid_size(record) for record in records}
    name = display_name(records[0].method)
    return [
        f"{name} {identifier}"
        if size == largest
        else f"{name} {identifier} ({SMALLER_GRID}: {size} of {largest} settings)"
        for identifier, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    ]


def _column_order(method: str) -> tuple[int, str]:
    return (METHODS.index(method) if method in METHODS else len(METHODS), method)


def _preference(item: tuple[str, list[Record]]) -> tuple[int, int, datetime, str]:
    """Sort key of a method's protocols but for the grid: the more results, then the larger grid,
    then the newer."""
    identifier, group = item
    newest = max(datetime.fromisoformat(record.created) for record in group)
    done = {record.dataset for record in group if record.status == "ok"}
    return len(done), max(map(_grid_size, group)), newest, identifier


def _data_notes(records: Sequence[Record]) -> list[str]:
    """Say on which datasets the methods did not see the same data."""
    copies = defaultdict(set)
    for record in records:
        copies[record.dataset].add(str(record.data.get("fingerprint")))
    differing = sorted(dataset for dataset, prints in copies.items() if len(prints) > 1)
    if not differing:
        return []
    return [f"The methods saw different copies of the data of {', '.join(differing)}."]
