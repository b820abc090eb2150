"""The state of every evaluation of a plan: done, failed, interrupted, stale or missing."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from rntk_bench.benchmark.plan import evaluation_title
from rntk_bench.report.tables.table import Cell, Column, Table
from rntk_bench.storage.checkpoint import count_entries
from rntk_bench.storage.records import Record, protocol_id, record_path

STATES = ("done", "failed", "interrupted", "stale", "missing")


@dataclass(frozen=True)
class EvaluationState:
    """The state of the evaluation of one method on one resample of a dataset under a protocol.

    Attributes
    ----------
    dataset, method : str
    resample : int
        0 for the archive's split.
    protocol : str
        Identifier of the protocol.
    state : str
        "done" or "failed": there is a record. "interrupted": there is a checkpoint. "stale": all
        records have other protocols, or cannot be read. "missing": there are no files.
    reason : str
        Why it is failed, interrupted or stale; otherwise empty.
    """

    dataset: str
    method: str
    resample: int
    protocol: str
    state: str
    reason: str = ""

    @property
    def title(self) -> str:
        """The dataset, the method and the resample as text."""
        return evaluation_title(self.dataset, self.method, self.resample)


def evaluation_states(
    results: Path,
    records: Sequence[Record],
    datasets: Sequence[str],
    protocols: Mapping[str, dict[str, Any]],
    resamples: Sequence[int] = (0,),
) -> list[EvaluationState]:
    """The state of every evaluation, by dataset, then by method, then by resample.

    Parameters
    ----------
    results : folder of the records
    records : the records that `read_records` read from it
    datasets : names
    protocols : method -> protocol of the archive's split
    resamples : their numbers

    Raises
    ------
    InputError
        The name of a dataset cannot be the name of a folder.
    """
    by_evaluation: dict[tuple[str, str, int], list[Record]] = defaultdict(list)
    for record in records:
        by_evaluation[record.dataset, record.method, record.resample].append(record)
    states = []
    for dataset, method, resample in product(datasets, protocols, resamples):
        protocol = protocols[method] | ({"resample": resample} if resample else {})
        path = record_path(results, dataset, method, protocol)
        state, reason = _state(path, method, protocol, by_evaluation[dataset, method, resample])
        identifier = protocol_id(protocol)
        states.append(EvaluationState(dataset, method, resample, identifier, state, reason))
    return states


def _state(
    path: Path,
    method: str,
    protocol: dict[str, Any],
    records: Sequence[Record],
) -> tuple[str, str]:
    """State and reason of the evaluation whose record is `path`."""
    for record in records:
        if protocol_id(record.protocol) == protocol_id(protocol):
            failed = record.status == "failed"
            return ("failed", record.error or "") if failed else ("done", "")
    runs = count_entries(path.with_suffix(".partial"))
    if runs is not None:
        at_most = math.prod(map(len, protocol["grid"].values())) * protocol["n_folds"]
        return "interrupted", f"{runs} of at most {at_most} runs are finished"
    if records:
        nearest = min((_differences(record.protocol, protocol) for record in records), key=len)
        return "stale", f"differs in {', '.join(nearest)}"
    resample = f"-resample{protocol['resample']}" if "resample" in protocol else ""
    if any(path.parent.glob(f"{method}-{'[0-9a-f]' * 8}{resample}.json")):
        return "stale", "cannot be read"
    return "missing", ""


def _differences(recorded: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """The entries in which two protocols differ; every axis of the grid is an entry."""
    entries, others = _flatten(wanted), _flatten(recorded)
    return [key for key in sorted({*entries, *others}) if entries.get(key) != others.get(key)]


def _flatten(protocol: dict[str, Any]) -> dict[str, str]:
    """A protocol's entries as JSON: 1 and 1.0 make two protocols."""
    axes = {f"grid.{axis}": values for axis, values in protocol.get("grid", {}).items()}
    entries = {key: value for key, value in protocol.items() if key != "grid"} | axes
    return {key: json.dumps(value) for key, value in entries.items()}


def count_states(states: Sequence[EvaluationState]) -> dict[str, int]:
    """The number of evaluations in each state, zeros included."""
    counts = Counter(evaluation.state for evaluation in states)
    return {state: counts[state] for state in STATES}


def status_table(states: Sequence[EvaluationState]) -> Table:
    """One row per dataset, one column per method; the notes give the reasons."""
    methods = list(dict.fromkeys(evaluation.method for evaluation in states))
    resamples: dict[tuple[str, str], list[str]] = defaultdict(list)
    for evaluation in states:
        resamples[evaluation.dataset, evaluation.method].append(evaluation.state)
    rows = {dataset: [Cell(dataset)] for dataset, _ in resamples}
    for (dataset, _), of_resamples in resamples.items():
        rows[dataset].append(Cell(_summarize(of_resamples)))
    counts = count_states(states)
    others = [f"{n} {state}" for state, n in counts.items() if n and state != "done"]
    caption = ", ".join([f"{counts['done']} of {len(states)} evaluations are done", *others])
    columns = [Column("dataset"), *map(Column, methods)]
    return Table("Status", caption, columns, list(rows.values()), _notes(states))


def _summarize(states: Sequence[str]) -> str:
    """The state that all resamples have, or how many of them are done."""
    if len(set(states)) == 1:
        return states[0]
    return f"{states.count('done')} of {len(states)} done"


def _notes(states: Sequence[EvaluationState]) -> list[str]:
    """One note per failed or interrupted evaluation, and per reason why a method is stale."""
    notes = [
        f"{evaluation.state}: {evaluation.title}, {evaluation.reason}"
        for evaluation in states
        if evaluation.state in ("failed", "interrupted")
    ]
    stale: dict[tuple[str, str], set[str]] = defaultdict(set)
    for evaluation in states:
        if evaluation.state == "stale":
            stale[evaluation.method, evaluation.reason].add(evaluation.dataset)
    notes += [
        f"stale: {method} {reason} (datasets: {len(datasets)})"
        for (method, reason), datasets in stale.items()
    ]
    return notes
