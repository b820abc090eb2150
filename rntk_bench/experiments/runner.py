"""Running a plan of cells: what is already there is skipped, failures stay with their cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rntk_bench.config import Experiment
from rntk_bench.data import Dataset, load_dataset
from rntk_bench.deadline import Deadline
from rntk_bench.errors import RntkBenchError
from rntk_bench.experiments.cell import Progress, failed_cell
from rntk_bench.experiments.kernel_cell import run_kernel_cell
from rntk_bench.methods import KernelMethod, Method, NetworkMethod
from rntk_bench.store.cache import GramCache
from rntk_bench.store.records import Record, RecordError, read_record, record_path, write_record


@dataclass(frozen=True)
class Options:
    """How to run, none of which changes what is computed.

    `overwrite` is "missing" (compute what has no record), "failed" (and what failed) or
    "always". A cell that takes more than `timeout` seconds fails.
    """

    results: Path
    data_dir: Path | None = None
    cache_dir: Path | None = None
    n_jobs: int = 1
    prune: bool = True
    overwrite: str = "missing"
    fail_fast: bool = False
    cache: GramCache | None = None
    timeout: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one cell: "computed", "kept", "failed", or "unreadable" data."""

    dataset: str
    method: str
    kind: str
    record: Record | None = None
    message: str = ""


def _silent(done: int, total: int, best: float) -> None:
    """Progress that nobody wants to know of."""


def run_plan(
    datasets: Sequence[str],
    methods: Sequence[Method],
    experiment: Experiment,
    options: Options,
    start_cell: Callable[[Dataset, Method], Progress] = lambda *_: _silent,
    report: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Compute every cell of the plan that has no record yet; write each as soon as it is done.

    Parameters
    ----------
    start_cell : told before a cell is computed; returns what to tell of its progress
    report : told what became of each cell, in order

    Returns
    -------
    list of Outcome, in the order of the plan
    """
    outcomes: list[Outcome] = []
    for name in datasets:
        try:
            dataset = load_dataset(name, data_dir=options.data_dir, cache_dir=options.cache_dir)
        except RntkBenchError as error:
            found = [
                Outcome(name, method.name, "unreadable", message=str(error)) for method in methods
            ]
            report(found[0])
            outcomes += found
            if options.fail_fast:
                return outcomes
            continue
        for method in methods:
            outcome = _cell(dataset, method, experiment, options, start_cell)
            report(outcome)
            outcomes.append(outcome)
            if options.fail_fast and outcome.kind == "failed":
                return outcomes
    return outcomes


def _cell(
    dataset: Dataset,
    method: Method,
    experiment: Experiment,
    options: Options,
    start_cell: Callable[[Dataset, Method], Progress],
) -> Outcome:
    kept = _kept(dataset, method, experiment, options)
    if kept is not None:
        kind = "kept" if kept.status == "ok" else "failed"
        return Outcome(dataset.name, method.name, kind, kept, kept.error or "")
    partial = _path(dataset, method, experiment, options).with_suffix(".partial")
    progress = start_cell(dataset, method)
    try:
        with Deadline(options.timeout):
            record = _compute(dataset, method, experiment, options, partial, progress)
    except RntkBenchError as error:
        record = failed_cell(dataset, method, experiment, error)
    write_record(options.results, record)
    kind = "failed"
    if record.status == "ok":
        kind = "computed"
        partial.unlink(missing_ok=True)
    return Outcome(dataset.name, method.name, kind, record, record.error or "")


def _compute(
    dataset: Dataset,
    method: Method,
    experiment: Experiment,
    options: Options,
    partial: Path,
    progress: Progress,
) -> Record:
    if isinstance(method, NetworkMethod):
        # Only now: the extra `finite` is for these methods alone.
        from rntk_bench.experiments.network_cell import run_network_cell

        return run_network_cell(
            dataset,
            method,
            experiment,
            n_jobs=options.n_jobs,
            prune=options.prune,
            partial=partial,
            progress=progress,
        )
    assert isinstance(method, KernelMethod)
    return run_kernel_cell(
        dataset,
        method,
        experiment,
        n_jobs=options.n_jobs,
        prune=options.prune,
        cache=options.cache,
        progress=progress,
    )


def _kept(
    dataset: Dataset, method: Method, experiment: Experiment, options: Options
) -> Record | None:
    """The record that makes computing this cell unnecessary, if there is one."""
    if options.overwrite == "always":
        return None
    try:
        record = read_record(_path(dataset, method, experiment, options))
    except RecordError:
        return None
    if record.data.get("fingerprint") != dataset.fingerprint:
        return None
    return None if record.status == "failed" and options.overwrite == "failed" else record


def _path(dataset: Dataset, method: Method, experiment: Experiment, options: Options) -> Path:
    return record_path(options.results, dataset.name, method.name, method.protocol(experiment))
