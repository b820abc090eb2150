"""Running a plan of cells: what is already there is skipped, failures stay with their cell."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rntk_bench.benchmark.cost.memory import limit_jobs
from rntk_bench.benchmark.evaluation import Progress, recorded
from rntk_bench.benchmark.kernel_evaluation import evaluate_kernel
from rntk_bench.benchmark.plan import Cell, Options, Outcome, Plan
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.deadline import Deadline
from rntk_bench.methods import KernelMethod, Method, NetworkMethod
from rntk_bench.storage.records import Record
from rntk_bench.svm.svc import check_size

PAUSE_S = 0.1
"""Between two looks at the cells that other processes have claimed."""

StartCell = Callable[[Dataset, Method], Progress]
Backend = Callable[[Iterator[Cell | None]], Generator[tuple[Cell, Record]]]
"""Computes cells, taking the next when it has room for it; gives each with its record when it is
done. None in place of a cell asks it to look again a little later. Closing it gives up what is
under way."""


def _silent(done: int, total: int, best: float) -> None:
    """Progress that nobody wants to know of."""


def run_plan(
    datasets: Sequence[str],
    methods: Sequence[Method],
    experiment: Experiment,
    options: Options,
    start_cell: StartCell = lambda *_: _silent,
    report: Callable[[Outcome], None] = lambda _: None,
    backend: Backend | None = None,
) -> list[Outcome]:
    """Compute every cell of the plan that has no record yet; write each as soon as it is done.

    Parameters
    ----------
    start_cell : told before this process computes a cell; returns what to tell of its progress
    report : told what became of each cell, and once of a dataset that cannot be read
    backend : where cells are computed; one after the other in this process if None

    Returns
    -------
    list of Outcome, in the order of the plan

    Raises
    ------
    StorageError
        If a record cannot be written; those that are stored stay.
    ClusterError
        If a cluster is lost.
    """
    with Plan(datasets, methods, experiment, options, report) as plan:
        compute = backend or _here(plan, experiment, options, start_cell)
        with closing(compute(plan.missing())) as computed:
            for cell, record in computed:
                plan.store(cell, record)
                if plan.stopped:
                    break
    return plan.outcomes


def _here(plan: Plan, experiment: Experiment, options: Options, start_cell: StartCell) -> Backend:
    def compute(cells: Iterator[Cell | None]) -> Generator[tuple[Cell, Record]]:
        for cell in cells:
            if cell is None:
                time.sleep(PAUSE_S)
                continue
            progress = start_cell(*cell)
            yield cell, compute_cell(cell, experiment, options, plan.partial(cell), progress)

    return compute


def compute_cell(
    cell: Cell,
    experiment: Experiment,
    options: Options,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Record:
    """The record of a cell, also of one that fails; `partial` keeps a network's finished runs.

    Raises
    ------
    StorageError
        If a finished run cannot be kept.
    """

    def compute() -> Record:
        if isinstance(cell.method, KernelMethod):
            check_size(cell.dataset.y_train, cell.dataset.name)
        n_jobs = limit_jobs(options.memory_limit, *cell, experiment, options.n_jobs)
        with Deadline(options.timeout):
            return _compute(*cell, experiment, replace(options, n_jobs=n_jobs), partial, progress)

    return recorded(*cell, experiment, compute)


def _compute(
    dataset: Dataset,
    method: Method,
    experiment: Experiment,
    options: Options,
    partial: Path | None,
    progress: Progress | None,
) -> Record:
    if isinstance(method, NetworkMethod):
        # Only now: the extra `finite` is for these methods alone.
        from rntk_bench.benchmark.network_evaluation import run_network_cell

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
    return evaluate_kernel(
        dataset,
        method,
        experiment,
        n_jobs=options.n_jobs,
        prune=options.prune,
        cache=options.cache,
        progress=progress,
    )
