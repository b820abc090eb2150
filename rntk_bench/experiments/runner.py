"""Running a plan of cells: what is already there is skipped, failures stay with their cell.

Several processes may run the same plan into the same folder: each claims a cell before it computes
it, leaves for later what others have claimed, and finds their records then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rntk_bench.config import Experiment
from rntk_bench.data import Dataset, load_dataset
from rntk_bench.deadline import Deadline
from rntk_bench.errors import InputError, RntkBenchError, StorageError
from rntk_bench.experiments.cell import Progress, failed_cell
from rntk_bench.experiments.kernel_cell import run_kernel_cell
from rntk_bench.methods import KernelMethod, Method, NetworkMethod
from rntk_bench.store.cache import GramCache
from rntk_bench.store.claims import claim, is_claimed, sweep
from rntk_bench.store.records import (
    Record,
    RecordError,
    read_record,
    record_path,
    says_choice,
    unwritable,
    write_record,
)

PAUSE_S = 0.1
"""Between two looks at the cells that other processes have claimed."""


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
    report : told what became of each cell, and once of a dataset that cannot be read

    Returns
    -------
    list of Outcome, in the order of the plan

    Raises
    ------
    StorageError
        If a record cannot be written; those that are stored stay.
    """
    for left_behind in ("*/.*.tmp", "*/.*.lock"):
        sweep(options.results, left_behind)
    outcomes: dict[tuple[str, str], Outcome] = {}
    unreadable: set[str] = set()
    pending = {name: list(methods) for name in datasets}
    while pending:
        for name, unfinished in pending.items():
            for outcome in _row(name, unfinished, experiment, options, start_cell):
                outcomes[name, outcome.method] = outcome
                if name not in unreadable:
                    report(outcome)
                if outcome.kind == "unreadable":
                    unreadable.add(name)
                elif options.fail_fast and outcome.kind == "failed":
                    return _in_order(outcomes, datasets, methods)
            if options.fail_fast and name in unreadable:
                return _in_order(outcomes, datasets, methods)
        pending = {
            name: left
            for name, unfinished in pending.items()
            if (left := [method for method in unfinished if (name, method.name) not in outcomes])
        }
        if pending:
            # What another process stores now is not computed again, whatever was there before.
            options = replace(options, overwrite="missing")
            time.sleep(PAUSE_S)
    return _in_order(outcomes, datasets, methods)


def count_stored(
    datasets: Sequence[str], methods: Sequence[Method], experiment: Experiment, results: Path
) -> int:
    """How many cells of a plan have a record, whoever wrote it."""
    count = 0
    for name in datasets:
        with suppress(InputError):  # a name that no record can have
            count += sum(
                record_path(results, name, method.name, method.protocol(experiment)).exists()
                for method in methods
            )
    return count


def _in_order(
    outcomes: dict[tuple[str, str], Outcome], datasets: Sequence[str], methods: Sequence[Method]
) -> list[Outcome]:
    plan = [(name, method.name) for name in datasets for method in methods]
    return [outcomes[cell] for cell in plan if cell in outcomes]


def _row(
    name: str,
    methods: Sequence[Method],
    experiment: Experiment,
    options: Options,
    start_cell: Callable[[Dataset, Method], Progress],
) -> Iterator[Outcome]:
    """What becomes of one dataset's cells, but for those that other processes have claimed."""
    try:
        free = [
            method
            for method in methods
            if not is_claimed(_lock(_path(name, method, experiment, options)))
        ]
        if not free:
            return
        dataset = load_dataset(name, data_dir=options.data_dir, cache_dir=options.cache_dir)
    except RntkBenchError as error:
        for method in methods:
            yield Outcome(name, method.name, "unreadable", message=str(error))
        return
    for method in free:
        outcome = _cell(dataset, method, experiment, options, start_cell)
        if outcome is not None:
            yield outcome


def _cell(
    dataset: Dataset,
    method: Method,
    experiment: Experiment,
    options: Options,
    start_cell: Callable[[Dataset, Method], Progress],
) -> Outcome | None:
    """What becomes of a cell; None if another process has claimed it."""
    path = _path(dataset.name, method, experiment, options)
    partial = path.with_suffix(".partial")
    kept = _kept(path, dataset, options)
    if kept is None or (kept.status == "ok" and partial.exists()):
        with _claim(path) as mine:
            if not mine:
                return None
            kept = _kept(path, dataset, options)  # it may have been stored meanwhile
            if kept is None:
                return _computed(dataset, method, experiment, options, partial, start_cell)
            partial.unlink(missing_ok=True)
    kind = "kept" if kept.status == "ok" else "failed"
    return Outcome(dataset.name, method.name, kind, kept, kept.error or "")


def _computed(
    dataset: Dataset,
    method: Method,
    experiment: Experiment,
    options: Options,
    partial: Path,
    start_cell: Callable[[Dataset, Method], Progress],
) -> Outcome:
    progress = start_cell(dataset, method)
    try:
        with Deadline(options.timeout):
            record = _compute(dataset, method, experiment, options, partial, progress)
    except StorageError:
        raise
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


def _kept(path: Path, dataset: Dataset, options: Options) -> Record | None:
    """The record that makes computing a cell unnecessary, if there is one."""
    if options.overwrite == "always":
        return None
    try:
        record = read_record(path)
    except RecordError:
        return None
    if record.data.get("fingerprint") != dataset.fingerprint:
        return None
    if record.status == "ok" and not says_choice(record):
        return None
    return None if record.status == "failed" and options.overwrite == "failed" else record


def _path(name: str, method: Method, experiment: Experiment, options: Options) -> Path:
    return record_path(options.results, name, method.name, method.protocol(experiment))


def _lock(path: Path) -> Path:
    """The file that a process claims while it computes the record."""
    return path.with_name(f".{path.stem}.lock")


@contextmanager
def _claim(path: Path) -> Iterator[bool]:
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            mine = stack.enter_context(claim(_lock(path)))
        except OSError as error:
            raise unwritable(path, error) from error
        yield mine
