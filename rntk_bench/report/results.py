"""Run records brought into one accuracy for each dataset and method."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from rntk_bench.errors import InputError
from rntk_bench.report.paper import METHODS
from rntk_bench.store.records import Record, protocol_id

_DISPLAY_NAMES = {
    "rntk": "RNTK",
    "ntk": "NTK",
    "rbf": "RBF",
    "poly": "Polynomial",
    "rntk-avg": "RNTK average",
    "rntk-both": "RNTK both",
    "rntk-extended": "RNTK extended",
    "nngp": "NNGP",
    "rnn-gaussian": "Gaussian RNN",
    "rnn-identity": "Identity RNN",
    "gru": "GRU",
}


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
    notes : list of str
        Sentences to be printed below every table.
    """

    methods: list[str]
    datasets: list[str]
    accuracy: dict[tuple[str, str], Fraction]
    failed: set[tuple[str, str]]
    notes: list[str]


def display_name(method: str) -> str:
    """Name of a method in the tables' headers."""
    return _DISPLAY_NAMES.get(method, method)


def collect(
    records: Sequence[Record],
    protocols: Sequence[str] = (),
    datasets: Sequence[str] = (),
    methods: Sequence[str] = (),
) -> Results:
    """Choose one protocol for each method and gather its accuracies.

    Parameters
    ----------
    records : sequence of Record
    protocols : sequence of str
        Keep only protocols whose identifier starts with one of these; empty keeps all.
    datasets, methods : sequence of str
        Keep only the records of these; empty keeps all.

    Raises
    ------
    InputError
        One of `protocols` matches no record, or nothing is kept.
    """
    records = [
        record
        for record in records
        if (not datasets or record.dataset in datasets)
        and (not methods or record.method in methods)
    ]
    if not records:
        raise InputError("No record is of one of these datasets and methods.")
    by_method: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in _under(protocols, records) if protocols else records:
        by_method[record.method][protocol_id(record.protocol)].append(record)
    columns = sorted(by_method, key=_column_order)

    chosen, shown, left_out = [], [], []
    for method in columns:
        best, *others = sorted(by_method[method].items(), key=_preference, reverse=True)
        chosen += best[1]
        shown.append(f"{display_name(method)} {best[0]}")
        left_out += [
            f"{display_name(method)} {identifier} (datasets: {len(group)})"
            for identifier, group in others
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
        notes=notes + _data_notes(chosen),
    )


def _under(prefixes: Sequence[str], records: Sequence[Record]) -> list[Record]:
    """Keep the records whose protocol starts with one of the prefixes."""
    known = sorted({protocol_id(record.protocol) for record in records})
    for prefix in prefixes:
        if not any(identifier.startswith(prefix) for identifier in known):
            raise InputError(
                f"No record's protocol starts with {prefix!r}; there are {', '.join(known)}."
            )
    return [
        record for record in records if protocol_id(record.protocol).startswith(tuple(prefixes))
    ]


def _column_order(method: str) -> tuple[int, str]:
    return (METHODS.index(method) if method in METHODS else len(METHODS), method)


def _preference(item: tuple[str, list[Record]]) -> tuple[int, datetime, str]:
    """Sort key of a method's protocols: the more results, then the newer."""
    identifier, group = item
    newest = max(datetime.fromisoformat(record.created) for record in group)
    return sum(record.status == "ok" for record in group), newest, identifier


def _data_notes(records: Sequence[Record]) -> list[str]:
    """Say on which datasets the methods did not see the same data."""
    copies = defaultdict(set)
    for record in records:
        copies[record.dataset].add(str(record.data.get("fingerprint")))
    differing = sorted(dataset for dataset, prints in copies.items() if len(prints) > 1)
    if not differing:
        return []
    return [f"The methods saw different copies of the data of {', '.join(differing)}."]
