"""Computes the evaluations of a plan on the workers of a Dask cluster.

The process that runs the plan loads the data, sends whole evaluations or chunks of large ones, and
receives their records. It uses distributed's client directly: joblib's Dask backend waits forever
for a task that the scheduler has given up, and computes in the calling process if the cluster has
one thread.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from rntk_bench.benchmark.backend import POLL_SECONDS, LoadedEvaluation, RunOptions
from rntk_bench.benchmark.cost.cluster import CHUNK_SECONDS, divide
from rntk_bench.benchmark.dask.tasks import (
    ChunkResult,
    Job,
    call_checked,
    evaluate_chunk,
    evaluate_whole,
    finish_evaluation,
    identity,
    mismatch,
    return_dataset,
    with_networks,
)
from rntk_bench.benchmark.evaluation import failed_record
from rntk_bench.benchmark.parallel import Batch
from rntk_bench.datasets import Dataset
from rntk_bench.errors import ClusterError, RntkBenchError
from rntk_bench.methods import KernelMethod, Method
from rntk_bench.storage.records import Record

TASKS_PER_THREAD = 2
"""Unfinished tasks per thread: no thread waits for its next task, and a chunk that is sent later
still knows the best score of the earlier ones."""
MAX_TRIES = 3
"""How often a task is sent that the scheduler drops."""


@dataclass(eq=False)
class _Running:
    """An evaluation on the cluster; a small one is a single task, without chunks."""

    loaded: LoadedEvaluation
    n_chunks: int = 0
    results: list[ChunkResult] = field(default_factory=list)
    start: float | None = None
    """When its first chunk was sent, on the monotonic clock."""
    finished: bool = False

    @property
    def best(self) -> int:
        """The highest score that its chunks have reported."""
        return max((partial_result.best for partial_result, _ in self.results), default=0)


@dataclass(eq=False)
class _Task:
    """What a worker computes of an evaluation: all of it, a chunk of its grid, or its end."""

    running: _Running
    chunk: list[Batch] | None = None
    tries: int = 0
    alone: bool = False
    """Whether it was sent again with no other task on the cluster."""

    @property
    def call(self) -> tuple[Any, ...]:
        """The worker's function, and its arguments after the dataset and the job."""
        if self.chunk is not None:
            return evaluate_chunk, self.chunk, self.running.best
        if self.running.n_chunks:
            return finish_evaluation, self.running.results
        return (evaluate_whole,)


class DaskBackend:
    """Computes evaluations on the workers of a Dask client; a `Backend` of the runner.

    A task whose worker dies is computed on another one. If the scheduler gives a task up because
    too many workers died with it, it is sent once more when no other task is on the cluster. A task
    that only shared a worker with the one to blame is then computed, and the evaluation of the one
    to blame fails.

    Parameters
    ----------
    client : distributed.Client
    methods : sequence of Method
        The methods of the plan.
    options : RunOptions
        `n_jobs` has no effect: a worker computes one task on each of its threads.
    report_progress : callable
        Receives a description of the progress.
    chunk_seconds : float
        Estimated time of a chunk of a large evaluation.
    """

    def __init__(
        self,
        client: Any,
        methods: Sequence[Method],
        options: RunOptions,
        report_progress: Callable[[str], None] = lambda _: None,
        chunk_seconds: float = CHUNK_SECONDS,
    ) -> None:
        self._client, self._report_progress = client, report_progress
        self._cache_limit = options.cache.limit if options.cache else None
        self._options = replace(options, cache=None)
        self._chunk_seconds = chunk_seconds
        self._identity = identity(with_networks(methods))
        self._data: WeakKeyDictionary[Dataset, Any] = WeakKeyDictionary()
        self._sent: dict[Any, _Task] = {}
        self._ready: deque[_Task] = deque()
        self._suspects: deque[_Task] = deque()
        self._waiting = False

    def __call__(
        self, evaluations: Iterator[LoadedEvaluation | None]
    ) -> Generator[tuple[LoadedEvaluation, Record]]:
        """Start evaluations while workers are free, and yield each with its record.

        Raises
        ------
        ClusterError
            If the scheduler is lost, or a worker with other code joins.
        """
        from distributed import as_completed

        arriving = as_completed(loop=self._client.loop)
        new = self._tasks(evaluations)
        try:
            while True:
                max_tasks = self._max_tasks()
                while len(self._sent) < max_tasks and (task := self._next(new)):
                    arriving.add(self._send(task))
                if not self._sent:
                    if self._suspects:
                        arriving.add(self._send(self._suspects.popleft()))
                    elif self._waiting:
                        time.sleep(POLL_SECONDS)
                        continue
                    else:
                        return
                self._report_progress(f"{len(self._sent)} tasks under way")
                future = next(arriving)
                if future.status == "lost":  # with its worker; the scheduler computes it again
                    arriving.add(future)
                    continue
                task = self._sent.pop(future)
                running = task.running
                record = None if running.finished else self._receive(task, future)
                if record is not None:
                    running.finished = True
                    yield running.loaded, record
        finally:
            with suppress(OSError):
                self._client.cancel(list(self._sent))

    def _tasks(self, evaluations: Iterator[LoadedEvaluation | None]) -> Iterator[_Task | None]:
        """The tasks to send; None if there is none now, but may be later."""
        for loaded in evaluations:
            self._waiting = loaded is None
            if loaded is None:
                yield None
                continue
            chunks = self._chunks(loaded)
            running = _Running(loaded, len(chunks))
            if not chunks:
                yield _Task(running)
            for chunk in chunks:
                if not running.finished:
                    yield _Task(running, chunk)
        self._waiting = False

    def _next(self, new: Iterator[_Task | None]) -> _Task | None:
        """A task that has become ready, else one of the next evaluation."""
        return self._ready.popleft() if self._ready else next(new, None)

    def _chunks(self, loaded: LoadedEvaluation) -> list[list[Batch]]:
        """The chunks of a large grid; none if the evaluation is a single task."""
        evaluation, dataset = loaded
        method = evaluation.method
        if isinstance(method, KernelMethod):
            method = method.for_training_set(dataset.X_train)
        return divide(dataset, method, evaluation.experiment, self._chunk_seconds)

    def _send(self, task: _Task) -> Any:
        """Submit a task, and return its future."""
        evaluation, dataset = task.running.loaded
        function, *arguments = task.call
        task.tries += 1
        now = time.monotonic()
        task.running.start = task.running.start or now
        elapsed = now - task.running.start
        future = self._client.submit(
            call_checked,
            self._identity,
            function,
            self._send_data(dataset),
            Job(evaluation, self._options, self._cache_limit, elapsed),
            *arguments,
            key=f"{dataset.name}-{evaluation.method.name}-{uuid4().hex}",
            priority=int(function is finish_evaluation),
        )
        self._sent[future] = task
        return future

    def _send_data(self, dataset: Dataset) -> Any:
        """The future of a task that returns the dataset, the same one for all methods.

        If the workers that hold it die, the scheduler has it computed again.
        """
        future = self._data.get(dataset)
        if future is None or future.cancelled():
            key = f"{dataset.name}-data-{uuid4().hex}"
            future = self._data[dataset] = self._client.submit(return_dataset, dataset, key=key)
        return future

    def _max_tasks(self) -> int:
        """The number of tasks that may be on the cluster at once."""
        try:
            threads: int = sum(self._client.nthreads().values())
        except OSError as error:
            raise _lost() from error
        return max(TASKS_PER_THREAD * threads, 1)

    def _receive(self, task: _Task, future: Any) -> Record | None:
        """Receive a task's result; the record, if it ends the evaluation."""
        from distributed import KilledWorker

        running = task.running
        evaluation, dataset = running.loaded
        try:
            result = future.result()
        except CancelledError:  # the connection broke, or somebody emptied the scheduler
            if task.tries == MAX_TRIES:
                raise _lost() from None
            self._ready.append(task)
        except KilledWorker:
            if task.alone:
                return _killed_record(running.loaded)
            task.alone = True
            running.start = None  # the time that it waits does not count
            self._suspects.append(task)
        except ClusterError:
            raise
        except Exception as error:
            missing = error if isinstance(error, ImportError) else error.__cause__
            if isinstance(missing, ImportError):
                process = "the scheduler or a worker that joined late"
                raise ClusterError(mismatch(process, missing, self._identity)) from error
            if future.status != "error":  # the connection's, not the task's
                raise
            return failed_record(dataset, evaluation.method, evaluation.experiment, error)
        else:
            if isinstance(result, Record):
                return result
            running.results.append(result)
            if len(running.results) == running.n_chunks:
                self._ready.append(_Task(running))
        return None


def _killed_record(loaded: LoadedEvaluation) -> Record:
    evaluation, dataset = loaded
    method = evaluation.method
    error = RntkBenchError(
        f"Every worker that computed {method.name} on {dataset.name} died, perhaps for lack of "
        "memory; start workers with more, or with fewer threads each."
    )
    return failed_record(dataset, method, evaluation.experiment, error)


def _lost() -> ClusterError:
    return ClusterError(
        "The Dask scheduler is gone, or drops what it is sent; start one again, and give "
        "the same command."
    )
