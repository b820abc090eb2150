"""Who computes the evaluations of a plan: the interface, and this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rntk_bench.benchmark.cost.memory import limit_jobs
from rntk_bench.benchmark.evaluation import Progress, failed_record, raise_if_fatal
from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.benchmark.plan import Evaluation
from rntk_bench.datasets import Dataset
from rntk_bench.deadline import Deadline
from rntk_bench.methods import KernelMethod, NetworkMethod
from rntk_bench.storage.cache import GramCache
from rntk_bench.storage.records import Record
from rntk_bench.svm.svc import check_size

POLL_SECONDS = 0.1
"""Time between two looks at the evaluations that other processes compute."""


@dataclass(frozen=True)
class RunOptions:
    """How a plan is run; nothing of it changes a result.

    Parameters
    ----------
    data_dir, cache_dir : Path, optional
        Folders of the datasets and of downloads.
    n_jobs : int
        Number of threads, or of processes that train networks.
    prune : bool
        Leave out folds that cannot change the choice.
    overwrite : {"missing", "failed", "always"}
        Compute what has no record, also what failed, or everything.
    fail_fast : bool
        Stop at the first failure.
    cache : GramCache, optional
    timeout : float, optional
        An evaluation that takes more seconds fails.
    memory_limit : int, optional
        In bytes. An evaluation gets as many of the jobs as fit, and fails if not even one does.
    """

    data_dir: Path | None = None
    cache_dir: Path | None = None
    n_jobs: int = 1
    prune: bool = True
    overwrite: str = "missing"
    fail_fast: bool = False
    cache: GramCache | None = None
    timeout: float | None = None
    memory_limit: int | None = None


class LoadedEvaluation(NamedTuple):
    """An evaluation and its dataset, resampled as the evaluation asks."""

    evaluation: Evaluation
    dataset: Dataset


Backend = Callable[[Iterator[LoadedEvaluation | None]], Generator[tuple[LoadedEvaluation, Record]]]
"""Computes evaluations. It takes the next one when it can start it, and yields each with its record
when that is finished. None in place of an evaluation asks it to try again a little later. Closing
the generator cancels what is unfinished."""


def compute_locally(
    evaluations: Iterator[LoadedEvaluation | None],
    options: RunOptions,
    start: Callable[[LoadedEvaluation], Progress | None] = lambda _: None,
) -> Generator[tuple[LoadedEvaluation, Record]]:
    """Compute evaluations one after the other in this process; a `Backend` but for its options.

    Parameters
    ----------
    evaluations : iterator of LoadedEvaluation or None
    options : RunOptions
    start : callable, optional
        Called before each evaluation; it returns the callback for the progress of this evaluation.
    """
    for loaded in evaluations:
        if loaded is None:
            time.sleep(POLL_SECONDS)
            continue
        progress = start(loaded)
        yield loaded, compute(loaded, options, progress, loaded.evaluation.checkpoint_path)


def compute(
    loaded: LoadedEvaluation,
    options: RunOptions,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> Record:
    """The record of an evaluation, also of one that fails.

    Parameters
    ----------
    checkpoint : Path, optional
        File in which a network's finished training runs are kept.

    Raises
    ------
    StorageError
        If the checkpoint cannot be written.
    """
    evaluation, dataset = loaded
    method, experiment = evaluation.method, evaluation.experiment
    try:
        if isinstance(method, KernelMethod):
            check_size(dataset.y_train, dataset.name)
        n_jobs = limit_jobs(options.memory_limit, dataset, method, experiment, options.n_jobs)
        with Deadline(options.timeout):
            if isinstance(method, KernelMethod):
                return KernelEvaluation(
                    dataset,
                    method,
                    experiment,
                    prune=options.prune,
                    cache=options.cache,
                    n_jobs=n_jobs,
                ).run(progress)
            assert isinstance(method, NetworkMethod)
            # Imported here, since kernels do not need it.
            from rntk_bench.benchmark.network_evaluation import evaluate_network

            return evaluate_network(
                dataset,
                method,
                experiment,
                n_jobs=n_jobs,
                prune=options.prune,
                checkpoint_path=checkpoint,
                progress=progress,
            )
    except Exception as error:
        raise_if_fatal(error)
        return failed_record(dataset, method, experiment, error)
