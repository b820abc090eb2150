"""What the workers of a cluster compute, and the check that they run the same code."""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock
from typing import Any

from rntk_bench.benchmark.backend import LoadedEvaluation, RunOptions, compute
from rntk_bench.benchmark.evaluation import failed_record, raise_if_fatal
from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.benchmark.parallel import Batch, positions
from rntk_bench.benchmark.plan import Evaluation
from rntk_bench.benchmark.warmup import warm_up
from rntk_bench.datasets import Dataset
from rntk_bench.deadline import Deadline
from rntk_bench.errors import ClusterError, InputError
from rntk_bench.methods import KernelMethod, Method, NetworkMethod
from rntk_bench.storage.cache import GramCache, cache_folder
from rntk_bench.storage.environment import environment
from rntk_bench.storage.paths import expand_home
from rntk_bench.storage.records import Record
from rntk_bench.svm.grid_search import PartialResult

Identity = dict[str, str]
ChunkResult = tuple[PartialResult, dict[str, float]]
"""The result of a chunk of a grid, and its seconds for each stage."""

_NETWORK_PACKAGES = ("jax", "jaxlib", "optax")
# A network is trained on all threads of a worker, so one evaluation at a time.
_training = Lock()
_compiled: set[str] = set()


def with_networks(methods: Sequence[Method]) -> bool:
    """Whether the methods include networks, whose packages must then be the same everywhere."""
    return any(isinstance(method, NetworkMethod) for method in methods)


@cache
def identity(networks: bool) -> Identity:
    """The versions on which results depend, with those of JAX and optax for `networks`."""
    here = environment()
    names = ("rntk-bench", "numpy", "scipy", "numba", *(_NETWORK_PACKAGES if networks else ()))
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **{name: here["packages"][name] or "missing" for name in names},
        "code": here["code"],
    }


def mismatch(process: str, theirs: Identity | Exception, ours: Identity) -> str | None:
    """Why a process of the cluster cannot be used, as a sentence; None if it can.

    Parameters
    ----------
    process : str
        The process, in words.
    theirs : dict or Exception
        Its identity, or the error that it answered with.
    ours : dict
        The identity of the process that runs the plan.
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


def return_dataset(dataset: Dataset) -> Dataset:
    """The dataset: as the result of a task it is stored on the workers."""
    return dataset


def call_checked(ours: Identity, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function on a worker, which may have joined after the workers were checked.

    Raises
    ------
    ClusterError
        If its code is not that of the process that sent the call.
    """
    from distributed import get_worker

    theirs = identity(any(name in ours for name in _NETWORK_PACKAGES))
    if reason := mismatch(f"the worker {get_worker().address}", theirs, ours):
        raise ClusterError(reason)
    return function(*arguments)


def _warm_up(method: Method) -> None:
    """Compile a method's loops before a worker's first measurement."""
    if repr(method) not in _compiled:
        warm_up([method])
        _compiled.add(repr(method))


@dataclass(frozen=True)
class Job:
    """What a worker needs to know of an evaluation besides its data.

    Parameters
    ----------
    evaluation : Evaluation
    options : RunOptions
    cache_limit : int or None
        Bytes of Gram matrices that a worker may store; None to store none.
    elapsed : float
        Seconds since the first chunk of the evaluation was sent.
    """

    evaluation: Evaluation
    options: RunOptions
    cache_limit: int | None
    elapsed: float

    def kernel_evaluation(self, dataset: Dataset, best: int = 0) -> KernelEvaluation:
        """The evaluation, whose method must be a kernel; its loops are compiled."""
        method = self.evaluation.method
        assert isinstance(method, KernelMethod)
        _warm_up(method)
        return KernelEvaluation(
            dataset,
            method,
            self.evaluation.experiment,
            prune=self.options.prune,
            cache=_gram_cache(self.cache_limit),
            best=best,
        )

    def failed(self, dataset: Dataset, error: Exception) -> Record:
        """The record of the failed evaluation."""
        raise_if_fatal(error)
        return failed_record(dataset, self.evaluation.method, self.evaluation.experiment, error)


def evaluate_whole(dataset: Dataset, job: Job) -> Record:
    """The record of an evaluation: a kernel on one thread, a network on all of the worker's."""
    from distributed import get_worker

    loaded = LoadedEvaluation(job.evaluation, dataset)
    if isinstance(job.evaluation.method, NetworkMethod):
        with _training:
            threads = get_worker().state.nthreads
            return compute(loaded, replace(job.options, n_jobs=threads))
    _warm_up(job.evaluation.method)
    return compute(loaded, replace(job.options, n_jobs=1, cache=_gram_cache(job.cache_limit)))


def evaluate_chunk(
    dataset: Dataset, job: Job, chunk: list[Batch], best: int
) -> ChunkResult | Record:
    """Cross-validate the settings of a chunk; the record of a failed evaluation on an error.

    Parameters
    ----------
    best : int
        The highest score known of the whole grid.
    """
    try:
        evaluation = job.kernel_evaluation(dataset, best)
        with Deadline(job.options.timeout, job.elapsed):
            evaluation.evaluate(chunk)
        return evaluation.search.partial_result(positions(chunk)), evaluation.watch.seconds
    except Exception as error:
        return job.failed(dataset, error)


def finish_evaluation(dataset: Dataset, job: Job, results: Sequence[ChunkResult]) -> Record:
    """Choose by the results of all chunks, and test the choice; timings are sums over chunks."""
    try:
        evaluation = job.kernel_evaluation(dataset)
        with Deadline(job.options.timeout, job.elapsed):
            for partial_result, seconds in results:
                evaluation.search.merge(partial_result)
                for stage, spent in seconds.items():
                    evaluation.watch.add(stage, spent)
            return evaluation.finish()
    except Exception as error:
        return job.failed(dataset, error)


@cache
def _gram_cache(limit: int | None) -> GramCache | None:
    """The cache in the folder that the worker's environment names, if it names one."""
    folder = os.environ.get("RNTK_BENCH_CACHE_DIR")
    if limit is None or not folder:
        return None
    try:
        return GramCache(cache_folder(expand_home(folder)), limit)
    except InputError as error:
        warnings.warn(str(error), RuntimeWarning, stacklevel=1)
        return None
