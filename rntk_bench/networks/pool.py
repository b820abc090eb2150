"""Runs all trainings of a cross-validation, in worker processes or vectorised on an accelerator."""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from rntk_bench.deadline import current_deadline
from rntk_bench.networks.compilation_cache import use_compilation_cache
from rntk_bench.networks.cross_validation import (
    FinalNetwork,
    TrainedRun,
    Training,
    compile_run,
    logits_on_test,
    train_final,
    train_many,
    train_one,
)
from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.schedule import Schedule, Task
from rntk_bench.networks.series import PaddedSeries
from rntk_bench.networks.worker import Worker

Setting = tuple[Classifier, float]
"""A network and a learning rate."""

# The workers are used again for the next dataset, with the networks that they have compiled.
_workers: list[Worker] = []


def device() -> str:
    """The device on which JAX computes: "cpu", or the name of an accelerator."""
    kind: str = jax.devices()[0].device_kind
    return kind


def train_all(
    training: Training,
    settings: Sequence[Setting],
    tasks: Sequence[Task],
    upper_bound: Callable[[Task], int | None],
    add: Callable[[Task, TrainedRun], None],
    n_jobs: int,
) -> None:
    """Train a network for each task whose setting can still be the best when its turn comes.

    Parameters
    ----------
    tasks : sequence of Task
        The runs to be trained.
    upper_bound : callable
        The highest score that the setting of a task can still have, or None if it is below the
        best score.
    add : callable
        Called with each run as soon as it is trained, never twice at the same time.
    n_jobs : int
        The number of processes, if JAX computes on the CPU.
    """
    if jax.default_backend() == "cpu":
        _train_in_worker_processes(training, settings, tasks, upper_bound, add, n_jobs)
    else:
        _train_vectorised(training, settings, tasks, upper_bound, add)


def train_final_network(training: Training, setting: Setting, n_epochs: int) -> FinalNetwork:
    """Train a network of the chosen setting on the whole training set."""
    final: FinalNetwork = _call_in_worker(train_final, training, *setting, n_epochs)
    return final


def classify(
    network: Classifier, weights: Sequence[Parameters], test: PaddedSeries, n_test: int
) -> list[NDArray[np.float32] | None]:
    """Compute the logits (n_test, C) of the test series for each of the weights.

    None stands for logits that are not all finite.
    """
    logits: list[NDArray[np.float32] | None] = _call_in_worker(
        logits_on_test, network, weights, test, n_test
    )
    return logits


def call_all(
    function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], n_jobs: int
) -> list[Any]:
    """Call a function with each tuple of arguments, in `n_jobs` processes."""
    waiting = deque(enumerate(calls))
    results: list[Any] = [None] * len(waiting)

    def work(worker: Worker) -> None:
        with suppress(IndexError):
            while True:
                index, arguments = waiting.popleft()
                results[index] = worker.call(function, *arguments)

    n = min(n_jobs, len(waiting))
    with ThreadPoolExecutor(max(n, 1)) as threads, _worker_processes(n) as workers:
        _wait([threads.submit(work, worker) for worker in workers])
    return results


def stop_workers() -> None:
    """Stop the worker processes; the next training starts new ones."""
    while _workers:
        _workers.pop().kill()


atexit.register(stop_workers)


def _call_in_worker(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a worker process if JAX computes on the CPU, otherwise in this process."""
    if jax.default_backend() != "cpu":
        return function(*arguments)
    with ThreadPoolExecutor(1) as threads, _worker_processes(1) as (worker,):
        return _wait([threads.submit(worker.call, function, *arguments)])[0]


@contextmanager
def _worker_processes(n: int) -> Iterator[list[Worker]]:
    """Provide n workers.

    An error or an interrupt stops all workers, because the result of an unfinished call would be
    taken for that of the next call.
    """
    try:
        while len(_workers) < n:
            _workers.append(Worker())
        yield _workers[:n]
    except BaseException:
        stop_workers()
        raise


def _train_in_worker_processes(
    training: Training,
    settings: Sequence[Setting],
    tasks: Sequence[Task],
    upper_bound: Callable[[Task], int | None],
    add: Callable[[Task, TrainedRun], None],
    n_jobs: int,
) -> None:
    """Train one run at a time in each process.

    On a CPU, the runs of one network take 1.4 to 2.5 times as long in one vectorised call as one
    after another, even if runs that have ended are removed. Half of the time is spent in matrix
    products, which are not faster in a batch, and the weights and states of all runs together do
    not fit into the cache.
    """
    schedule = Schedule(tasks, [network for network, _ in settings], upper_bound)
    keys: dict[Classifier, Hashable] = {
        network: (network, training.shapes) for network, _ in settings
    }
    lock = Lock()

    def work(worker: Worker) -> None:
        while True:
            with lock:
                task = schedule.next_task({n for n, key in keys.items() if key in worker.compiled})
            if task is None:
                return
            network, rate = settings[task[0]]
            if keys[network] not in worker.compiled:
                seconds = worker.call(compile_run, training, network)
                worker.compiled.add(keys[network])
                with lock:
                    schedule.record_compilation(network, seconds)
            trained = worker.call(train_one, training, network, task[1], rate)
            with lock:
                schedule.record_run(network, trained.curve.seconds)
                add(task, trained)

    n = min(n_jobs, len(tasks))
    with ThreadPoolExecutor(max(n, 1)) as threads, _worker_processes(n) as workers:
        _wait([threads.submit(work, worker) for worker in workers])


def _wait(futures: Sequence[Future[Any]]) -> list[Any]:
    """Return the results of all futures; raise the first error, or that of the deadline."""
    limit = current_deadline()
    done, _ = wait(futures, limit.remaining, FIRST_EXCEPTION)
    finished = [future.result() for future in done]
    if len(finished) < len(futures):
        # The timer that stops loops may be a little late.
        limit.stop[0] = True
        limit.check()
    return finished


def _train_vectorised(
    training: Training,
    settings: Sequence[Setting],
    tasks: Sequence[Task],
    upper_bound: Callable[[Task], int | None],
    add: Callable[[Task, TrainedRun], None],
) -> None:
    """Train all folds and learning rates of one network in vectorised calls."""
    use_compilation_cache()
    networks = {network for network, _ in settings}
    for network in sorted(networks, key=lambda network: network.size):
        candidates = [task for task in tasks if settings[task[0]][0] == network]
        if needed := [task for task in candidates if upper_bound(task) is not None]:
            folds, rates = [fold for _, fold in needed], [settings[s][1] for s, _ in needed]
            for ended in train_many(training, network, folds, rates):
                for position, trained in ended.items():
                    add(needed[position], trained)
                current_deadline().check()
