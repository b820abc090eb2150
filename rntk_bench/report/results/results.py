"""Collect run records into one accuracy for each dataset and method."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from rntk_bench.datasets.archive import ARCHIVE
from rntk_bench.methods import display_name
from rntk_bench.report.results.paper import METHODS
from rntk_bench.storage.records import Record, protocol_id

SMALLER_GRID = "†"
"""Marks a result that was selected from fewer settings than the method's other results."""


@dataclass(frozen=True)
class Results:
    """The accuracies of methods on datasets, and the records behind them.

    Attributes
    ----------
    methods : list of str
        The paper's methods in its order, then the others by name.
    datasets : list of str
        In alphabetical order.
    accuracy : dict of (dataset, method) to Fraction
        Correct predictions over the size of the test set of the archive's split, or their mean
        over several resamples.
    failed : set of (dataset, method)
    smaller_grid : set of (dataset, method)
        Results that were selected from fewer settings than the method's others.
    notes : list of str
        Sentences to print below every table.
    records : dict of (dataset, method) to Record
        The record of each result and of each failure; of several resamples, the first.
    n_test : dict of dataset to int
        Size of the test set of each dataset with a result.
    published : list of str
        The methods whose accuracies were published by others and read from a file.
    runs : dict of (dataset, method) to dict of int to Record
        The records of all resamples.
    by_resample : dict of (dataset, method) to dict of int to Fraction
        The accuracy on each resample, also of published methods that have them.
    selected : list of Record
        All records from which these were chosen, also of other protocols.
    standard_error : dict of (dataset, method) to float or None
        Where `accuracy` is a mean over resamples: its standard error, None for one resample.
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
    runs: dict[tuple[str, str], dict[int, Record]] = field(default_factory=dict)
    by_resample: dict[tuple[str, str], dict[int, Fraction]] = field(default_factory=dict)
    selected: list[Record] = field(default_factory=list)
    standard_error: dict[tuple[str, str], float | None] = field(default_factory=dict)

    def test_set_size(self, dataset: str) -> int | None:
        """Size of a dataset's test set: that of the records, else that of the archive's summary."""
        if dataset in self.n_test:
            return self.n_test[dataset]
        return ARCHIVE[dataset].n_test if dataset in ARCHIVE else None

    def complete(self) -> tuple[list[str], list[str]]:
        """The methods with any accuracy, and the datasets on which all of these have one."""
        methods = [
            method
            for method in self.methods
            if any((dataset, method) in self.accuracy for dataset in self.datasets)
        ]
        datasets = [
            dataset
            for dataset in self.datasets
            if methods and all((dataset, method) in self.accuracy for method in methods)
        ]
        return methods, datasets


def collect_results(
    records: Sequence[Record], preferred: Sequence[Mapping[str, Any]] = ()
) -> Results:
    """Choose one protocol for each method, apart from the size of the grid, and its accuracies.

    `accuracy` has those of the archive's split; `average_resamples` replaces them by means.

    Parameters
    ----------
    records : sequence of Record
        At least one.
    preferred : sequence of dict
        Protocols. A method with records of one of these, apart from the grid, has that protocol;
        another method has the one with the most results. Of several grids on a dataset, that of
        a preferred protocol is chosen, else the largest.
    """
    families = {id_without("grid", protocol) for protocol in preferred}
    exactly = {protocol_id(protocol) for protocol in preferred}
    by_method: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        by_method[record.method][id_without("grid", record.protocol)].append(record)
    columns = sorted(by_method, key=_column_order)

    chosen: list[Record] = []
    smaller: set[tuple[str, str]] = set()
    shown, left_out = [], []
    for method in columns:
        groups = by_method[method]
        wanted = {key: group for key, group in groups.items() if key in families} or groups
        group = max(wanted.items(), key=_protocol_sort_key)[1]
        best = _best_records(group, exactly)
        largest = max(map(_grid_size, best))
        chosen += best
        smaller |= {(r.dataset, r.method) for r in best if _grid_size(r) < largest}
        shown += _protocol_names(best, largest)
        used = {id(record) for record in best}
        unused = [r for each in groups.values() for r in each if id(r) not in used]
        left_out += [
            f"{display_name(method)} {identifier} (datasets: {count})"
            for identifier, count in sorted(_datasets_by_protocol(unused).items())
        ]
    notes = [f"Protocols: {', '.join(shown)}."]
    if left_out:
        notes.append(f"Other protocols, shown with --protocol: {', '.join(left_out)}.")
    runs: dict[tuple[str, str], dict[int, Record]] = defaultdict(dict)
    by_resample: dict[tuple[str, str], dict[int, Fraction]] = defaultdict(dict)
    for record in chosen:
        key = record.dataset, record.method
        runs[key][record.resample] = record
        if record.status == "ok" and record.test is not None:
            by_resample[key][record.resample] = Fraction(record.test["correct"], record.test["n"])
    return Results(
        methods=columns,
        datasets=sorted({record.dataset for record in chosen}),
        accuracy={key: found[0] for key, found in by_resample.items() if 0 in found},
        failed=runs.keys() - by_resample.keys(),
        smaller_grid=smaller,
        notes=notes + _data_notes(chosen),
        records={key: of_key[min(of_key)] for key, of_key in runs.items()},
        n_test={record.dataset: record.test["n"] for record in chosen if record.test is not None},
        runs=dict(runs),
        by_resample=dict(by_resample),
        selected=list(records),
    )


def _datasets_by_protocol(records: Sequence[Record]) -> Counter[str]:
    """The number of datasets of each protocol, by its identifier."""
    pairs = dict.fromkeys((protocol_id(record.protocol), record.dataset) for record in records)
    return Counter(identifier for identifier, _ in pairs)


def id_without(key: str, protocol: Mapping[str, Any]) -> str:
    """Identifier of a protocol without one of its entries, the same for all resamples."""
    return protocol_id({name: value for name, value in protocol.items() if name != key})


def _grid_size(record: Record) -> int:
    return math.prod(len(axis) for axis in record.protocol.get("grid", {}).values())


def record_sort_key(
    record: Record, preferred: Collection[str] = ()
) -> tuple[bool, bool, int, datetime]:
    """Sorts the best record last: one that did not fail, one whose protocol has a preferred
    identifier, the largest grid, the newest."""
    is_preferred = protocol_id(record.protocol) in preferred
    created = datetime.fromisoformat(record.created)
    return record.status == "ok", is_preferred, _grid_size(record), created


def _best_records(group: list[Record], preferred: Collection[str]) -> list[Record]:
    """The best record of each resample of each dataset, by `record_sort_key`."""
    best: dict[tuple[str, int], Record] = {}
    for record in sorted(group, key=lambda record: record_sort_key(record, preferred)):
        best[record.dataset, record.resample] = record
    return [best[key] for key in sorted(best)]


def _protocol_names(records: list[Record], largest: int) -> list[str]:
    """The protocols of one method's records for the notes, the largest grid first."""
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


def _protocol_sort_key(item: tuple[str, list[Record]]) -> tuple[int, int, datetime, str]:
    """Sorts the preferred protocol last: the most results, the largest grid, the newest."""
    identifier, group = item
    newest = max(datetime.fromisoformat(record.created) for record in group)
    done = {(record.dataset, record.resample) for record in group if record.status == "ok"}
    return len(done), max(map(_grid_size, group)), newest, identifier


def _data_notes(records: Sequence[Record]) -> list[str]:
    """A note on the datasets of which the methods used different data."""
    copies = defaultdict(set)
    for record in records:
        copies[record.dataset, record.resample].add(str(record.data.get("fingerprint")))
    differing = sorted({dataset for (dataset, _), found in copies.items() if len(found) > 1})
    if not differing:
        return []
    return [f"The methods saw different copies of the data of {', '.join(differing)}."]
