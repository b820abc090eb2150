"""How far a plan of cells is: each one done, failed, interrupted, stale or missing."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rntk_bench.report.tables.table import Cell, Column, Table
from rntk_bench.storage.checkpoint import count_entries
from rntk_bench.storage.records import Record, protocol_id, record_path

STATES = ("done", "failed", "interrupted", "stale", "missing")


@dataclass(frozen=True)
class EvaluationState:
    """What there is of one method on one dataset under the wanted protocol.

    Attributes
    ----------
    dataset, method : str
    protocol : str
        Identifier of the wanted protocol.
    state : str
        "done" or "failed": there is a record. "interrupted": there are finished runs. "stale":
        there are only records of other protocols, or that cannot be read. "missing": there
        is nothing.
    reason : str
        Why it is not done, where that is more than missing.
    """

    dataset: str
    method: str
    protocol: str
    state: str
    reason: str = ""


def evaluation_states(
    results: Path,
    records: Sequence[Record],
    datasets: Sequence[str],
    protocols: Mapping[str, dict[str, Any]],
) -> list[EvaluationState]:
    """State of every cell, by dataset, then by method.

    Parameters
    ----------
    results : folder of the records
    records : what `read_records` read of it
    datasets : names
    protocols : the wanted protocol of each method

    Raises
    ------
    InputError
        A dataset's name cannot be a folder's.
    """
    held: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        held[record.dataset, record.method].append(record)
    states = []
    for dataset in datasets:
        for method, protocol in protocols.items():
            path = record_path(results, dataset, method, protocol)
            state, reason = _state(path, method, protocol, held[dataset, method])
            states.append(EvaluationState(dataset, method, protocol_id(protocol), state, reason))
    return states


def _state(
    path: Path,
    method: str,
    protocol: dict[str, Any],
    held: Sequence[Record],
) -> tuple[str, str]:
    """State and reason of the cell whose record belongs in `path`."""
    for record in held:
        if protocol_id(record.protocol) == protocol_id(protocol):
            failed = record.status == "failed"
            return ("failed", record.error or "") if failed else ("done", "")
    runs = count_entries(path.with_suffix(".partial"))
    if runs is not None:
        at_most = math.prod(map(len, protocol["grid"].values())) * protocol["n_folds"]
        return "interrupted", f"{runs} of at most {at_most} runs are kept"
    if held:
        nearest = min((_differences(record.protocol, protocol) for record in held), key=len)
        return "stale", f"differs in {', '.join(nearest)}"
    if any(path.parent.glob(f"{method}-{'[0-9a-f]' * 8}.json")):
        return "stale", "cannot be read"
    return "missing", ""


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What two protocols do not say alike, the axes of the grid one by one."""
    ours, theirs = _flat(wanted), _flat(found)
    return [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]


def _flat(protocol: dict[str, Any]) -> dict[str, str]:
    """A protocol's entries as JSON: 1 and 1.0 make two protocols."""
    axes = {f"grid.{axis}": values for axis, values in protocol.get("grid", {}).items()}
    entries = {key: value for key, value in protocol.items() if key != "grid"} | axes
    return {key: json.dumps(value) for key, value in entries.items()}


def count_states(states: Sequence[EvaluationState]) -> dict[str, int]:
    """How many cells are in each state, all states named."""
    counts = Counter(cell.state for cell in states)
    return {state: counts[state] for state in STATES}


def status_table(states: Sequence[EvaluationState]) -> Table:
    """A row a dataset, a column a method; why cells are not done stands in the notes."""
    methods = list(dict.fromkeys(cell.method for cell in states))
    rows: dict[str, list[Cell]] = {}
    for cell in states:
        rows.setdefault(cell.dataset, [Cell(cell.dataset)]).append(Cell(cell.state))
    counts = count_states(states)
    others = [f"{n} {state}" for state, n in counts.items() if n and state != "done"]
    caption = ", ".join([f"{counts['done']} of {len(states)} cells are done", *others])
    columns = [Column("dataset"), *map(Column, methods)]
    return Table("Status", caption, columns, list(rows.values()), _notes(states))


def _notes(states: Sequence[EvaluationState]) -> list[str]:
    """A sentence for each failed or interrupted cell, and for each reason of a method's stale."""
    notes = [
        f"{cell.state}: {cell.dataset} {cell.method}, {cell.reason}"
        for cell in states
        if cell.state in ("failed", "interrupted")
    ]
    stale = Counter((cell.method, cell.reason) for cell in states if cell.state == "stale")
    notes += [f"stale: {method} {reason} (datasets: {n})" for (method, reason), n in stale.items()]
    return notes
