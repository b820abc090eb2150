"""What the workers of a cluster do for a plan, and what must be the same on all of them."""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock
from typing import Any

import rntk_bench
from rntk_bench.benchmark.evaluation import recorded
from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.benchmark.plan import Cell, Options
from rntk_bench.benchmark.runner import compute_cell
from rntk_bench.benchmark.warmup import warm_up
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.deadline import Deadline
from rntk_bench.errors import ClusterError, InputError
from rntk_bench.methods import KernelMethod, Method, NetworkMethod
from rntk_bench.storage.cache import GramCache, cache_folder
from rntk_bench.storage.environment import environment, source_digest
from rntk_bench.storage.paths import expand_home
from rntk_bench.storage.records import Record
from rntk_bench.svm.grid_search import Part

Identity = dict[str, str]
Found = tuple[Part, dict[str, float]]
"""What a piece of a grid has found, and its seconds by stage."""

_NETWORKS = ("jax", "jaxlib", "optax")
# The processes that train networks serve one cell at a time.
_training = Lock()
_warm: set[str] = set()


def with_networks(methods: Sequence[Method]) -> bool:
    """Whether networks are among the methods, so that their packages must agree."""
    return any(isinstance(method, NetworkMethod) for method in methods)


@cache
def identity(networks: bool) -> Identity:
    """The versions on which a plan's answers depend, those for `networks` only if it has any."""
    packages = environment()["packages"]
    names = ("rntk-bench", "numpy", "scipy", "numba", *(_NETWORKS if networks else ()))
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **{name: packages[name] or "missing" for name in names},
        "code": source_digest(rntk_bench)[:12],
    }


def refusal(process: str, theirs: Identity | Exception, ours: Identity) -> str | None:
    """Why a process of the cluster cannot take part, as a sentence; None if it can.

    Parameters
    ----------
    theirs : its identity, or why it cannot tell
    """
    if isinstance(theirs, Exception):
        return (
            f"On the cluster, {process} does not run this rntk-bench ({theirs}); install version "
            f"{ours['rntk-bench']} there and start it again."
        )
    others = [
        f"{name} {theirs.get(name, 'missing')} instead of {value}"
        for name, value in ours.items()
        if theirs.get(name) != value
    ]
    if not others:
        return None
    return (
        f"On the cluster, {process} has {', '.join(others)} and could give other answers; install "
        "the same versions there and start it again."
    )


def as_received(dataset: Dataset) -> Dataset:
    """The dataset, for the tasks that read it."""
    return dataset


def checked(ours: Identity, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function on a worker, which may have joined after the workers were checked.

    Raises
    ------
    ClusterError
        If its code is not that of the process that sent the call.
    """
    from distributed import get_worker

    theirs = identity(any(name in ours for name in _NETWORKS))
    if reason := refusal(f"the worker {get_worker().address}", theirs, ours):
        raise ClusterError(reason)
    return function(*arguments)


def _warm_up(method: Method) -> None:
    """Compile a method's loops before a worker's first measurement."""
    if repr(method) not in _warm:
        warm_up([method])
        _warm.add(repr(method))


@dataclass(frozen=True)
class Job:
    """What a worker has to know of a cell besides its data.

    Parameters
    ----------
    cache_limit : bytes of Grams a worker may keep; None if it is to keep none
    spent : seconds since the first piece of the cell was sent
    """

    method: Method
    experiment: Experiment
    options: Options
    cache_limit: int | None
    spent: float

    def deadline(self) -> Deadline:
        """What is left of the cell's time."""
        return Deadline(self.options.timeout, self.spent)

    def kernel_cell(self, dataset: Dataset) -> KernelEvaluation:
        """The cell, whose method is a kernel's."""
        assert isinstance(self.method, KernelMethod)
        _warm_up(self.method)
        cache = _gram_cache(self.cache_limit)
        return KernelEvaluation(
            dataset, self.method, self.experiment, prune=self.options.prune, cache=cache
        )


def whole_cell(dataset: Dataset, job: Job) -> Record:
    """The record of a cell: a kernel's on one thread, a network's on all of the worker's."""
    from distributed import get_worker

    cell = Cell(dataset, job.method)
    if isinstance(job.method, NetworkMethod):
        with _training:
            threads = get_worker().state.nthreads
            return compute_cell(cell, job.experiment, replace(job.options, n_jobs=threads))
    _warm_up(job.method)
    options = replace(job.options, n_jobs=1, cache=_gram_cache(job.cache_limit))
    return compute_cell(cell, job.experiment, options)


def evaluate_piece(dataset: Dataset, job: Job, settings: list[int], best: int) -> Found | Record:
    """Cross-validate some settings; the record of a failed cell if that is not possible.

    Parameters
    ----------
    best : highest score known of the whole grid
    """

    def compute() -> Found:
        cell = job.kernel_cell(dataset)
        with job.deadline(), cell.watch("total"):
            search = cell.search(best)
            cell.evaluate(search, settings)
        return search.part(settings), cell.watch.seconds

    return recorded(dataset, job.method, job.experiment, compute)


def finish_cell(dataset: Dataset, job: Job, found: Sequence[Found]) -> Record:
    """Choose among what all pieces have found, and test the choice; timings are their sums."""

    def compute() -> Record:
        cell = job.kernel_cell(dataset)
        with job.deadline(), cell.watch("total"):
            search = cell.search()
            for part, seconds in found:
                search.take(part)
                for stage, spent in seconds.items():
                    cell.watch.add(stage, spent)
            fit = cell.fit(search)
        return cell.record(search, fit)

    return recorded(dataset, job.method, job.experiment, compute)


@cache
def _gram_cache(limit: int | None) -> GramCache | None:
    """The cache in the folder that the worker's own environment names, if it names one."""
    folder = os.environ.get("RNTK_BENCH_CACHE_DIR")
    if limit is None or not folder:
        return None
    try:
        return GramCache(cache_folder(expand_home(folder)), limit)
    except InputError as error:
        warnings.warn(str(error), RuntimeWarning, stacklevel=1)
        return None
