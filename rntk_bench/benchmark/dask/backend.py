"""A plan's cells on the workers of a Dask cluster.

The process that runs the plan loads the data, sends whole cells or pieces of large ones, and gets
their records back. It speaks to distributed's client itself: joblib's backend for it waits for
ever for a task that the scheduler has given up, and computes in the calling process where the
cluster has one thread.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from rntk_bench.benchmark.cost.formula import estimate_cost
from rntk_bench.benchmark.dask.tasks import (
    Found,
    Job,
    as_received,
    checked,
    evaluate_piece,
    finish_cell,
    identity,
    refusal,
    whole_cell,
    with_networks,
)
from rntk_bench.benchmark.evaluation import failed_record
from rntk_bench.benchmark.parallel import pieces
from rntk_bench.benchmark.plan import Cell, Options
from rntk_bench.benchmark.runner import PAUSE_S
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.errors import ClusterError, RntkBenchError
from rntk_bench.methods import KernelMethod, Method
from rntk_bench.storage.records import Record

PIECE_SECONDS = 10.0
"""A kernel's cell that takes longer by estimate is cut into pieces of this length."""
AHEAD = 2
"""Tasks under way for each thread: none waits for its next, and what is sent later still learns
of the best score of what was sent before."""
TRIES = 3
"""How often a task is sent that the scheduler drops."""


@dataclass(eq=False)
class _UnderWay:
    """A cell on the cluster; a small one is a single task, without pieces."""

    cell: Cell
    n_pieces: int = 0
    found: list[Found] = field(default_factory=list)
    started: float | None = None
    """When its first piece was sent, on the monotonic clock."""
    over: bool = False

    @property
    def best(self) -> int:
        """The highest score that its pieces have told of."""
        return max((part.best for part, _ in self.found), default=0)


@dataclass(eq=False)
class _Task:
    """What a worker is asked to do for a cell."""

    of: _UnderWay
    settings: list[int] | None = None
    tries: int = 0
    alone: bool = False

    @property
    def call(self) -> tuple[Any, ...]:
        """The worker's function, and its arguments after the dataset and the job."""
        if self.settings is not None:
            return evaluate_piece, self.settings, self.of.best
        return (finish_cell, self.of.found) if self.of.n_pieces else (whole_cell,)


class DaskBackend:
    """Computes a plan's cells on the workers of a client; a `Backend` of the runner.

    A task whose worker dies is computed elsewhere. If the scheduler gives it up, because too many
    workers died with it, it is tried once more when nothing else is under way: a task that only
    shared workers with the culprit is done then, and the culprit's cell fails.

    Parameters
    ----------
    client : distributed.Client
    methods : of the plan
    experiment, options
        Of `options`, `n_jobs` has no meaning: a worker computes a task on each of its threads.
    tell : told in words of the progress
    piece_seconds : length of the pieces of large cells
    """

    def __init__(
        self,
        client: Any,
        methods: Sequence[Method],
        experiment: Experiment,
        options: Options,
        tell: Callable[[str], None] = lambda _: None,
        piece_seconds: float = PIECE_SECONDS,
    ) -> None:
        self._client, self._experiment, self._tell = client, experiment, tell
        self._cache_limit = options.cache.limit if options.cache else None
        self._options = replace(options, cache=None)
        self._piece_seconds = piece_seconds
        self._identity = identity(with_networks(methods))
        self._data: WeakKeyDictionary[Dataset, Any] = WeakKeyDictionary()
        self._sent: dict[Any, _Task] = {}
        self._ready: deque[_Task] = deque()
        self._suspects: deque[_Task] = deque()
        self._waiting = False

    def __call__(self, cells: Iterator[Cell | None]) -> Generator[tuple[Cell, Record]]:
        """Take cells as the workers have room for them, and give records as they come.

        Raises
        ------
        ClusterError
            If the scheduler is lost, or a worker joins that has other code.
        """
        from distributed import as_completed

        arriving = as_completed(loop=self._client.loop)
        new = self._tasks(cells)
        try:
            while True:
                room = self._room()
                while len(self._sent) < room and (task := self._next(new)):
                    arriving.add(self._send(task))
                if not self._sent:
                    if self._suspects:
                        arriving.add(self._send(self._suspects.popleft()))
                    elif self._waiting:
                        time.sleep(PAUSE_S)
                        continue
                    else:
                        return
                self._tell(f"{len(self._sent)} tasks under way")
                future = next(arriving)
                if future.status == "lost":  # with its worker; it is computed again
                    arriving.add(future)
                    continue
                task = self._sent.pop(future)
                record = None if task.of.over else self._take(task, future)
                if record is not None:
                    task.of.over = True
                    yield task.of.cell, record
        finally:
            with suppress(OSError):
                self._client.cancel(list(self._sent))

    def _tasks(self, cells: Iterator[Cell | None]) -> Iterator[_Task | None]:
        """Tasks to send; None where there is none now, but may be later."""
        for cell in cells:
            self._waiting = cell is None
            if cell is None:
                yield None
                continue
            parts = self._pieces(cell)
            under_way = _UnderWay(cell, len(parts))
            if not parts:
                yield _Task(under_way)
            for settings in parts:
                if not under_way.over:
                    yield _Task(under_way, settings)
        self._waiting = False

    def _next(self, new: Iterator[_Task | None]) -> _Task | None:
        """A task that has become ready, else one of the next cell."""
        return self._ready.popleft() if self._ready else next(new, None)

    def _pieces(self, cell: Cell) -> list[list[int]]:
        """The grid of a cell that is worth cutting up."""
        dataset, method = cell
        if not isinstance(method, KernelMethod):
            return []
        seconds = estimate_cost(dataset, method, self._experiment).seconds
        parts = pieces(method.kernels(), math.ceil(seconds / self._piece_seconds))
        return parts if len(parts) > 1 else []

    def _send(self, task: _Task) -> Any:
        """Submit a task, and return its future."""
        dataset, method = task.of.cell
        function, *arguments = task.call
        task.tries += 1
        now = time.monotonic()
        task.of.started = task.of.started or now
        spent = now - task.of.started
        future = self._client.submit(
            checked,
            self._identity,
            function,
            self._hold(dataset),
            Job(method, self._experiment, self._options, self._cache_limit, spent),
            *arguments,
            key=f"{dataset.name}-{method.name}-{uuid4().hex}",
            priority=int(function is finish_cell),
        )
        self._sent[future] = task
        return future

    def _hold(self, dataset: Dataset) -> Any:
        """The dataset as what a task returns, one for all methods; if the workers that hold it
        die, the scheduler has it made again."""
        future = self._data.get(dataset)
        if future is None or future.cancelled():
            key = f"{dataset.name}-data-{uuid4().hex}"
            future = self._data[dataset] = self._client.submit(as_received, dataset, key=key)
        return future

    def _room(self) -> int:
        """How many tasks may be under way."""
        try:
            threads: int = sum(self._client.nthreads().values())
        except OSError as error:
            raise _lost() from error
        return max(AHEAD * threads, 1)

    def _take(self, task: _Task, future: Any) -> Record | None:
        """Take in what a task has come to; the record, if its cell is done with it."""
        from distributed import KilledWorker

        try:
            result = future.result()
        except CancelledError:  # the connection broke, or somebody emptied the scheduler
            if task.tries == TRIES:
                raise _lost() from None
            self._ready.append(task)
        except KilledWorker:
            if task.alone:
                return self._killed(task.of.cell)
            task.alone = True
            task.of.started = None  # its waiting does not count
            self._suspects.append(task)
        except ClusterError:
            raise
        except Exception as error:
            missing = error if isinstance(error, ImportError) else error.__cause__
            if isinstance(missing, ImportError):
                process = "the scheduler or a worker that joined late"
                raise ClusterError(refusal(process, missing, self._identity)) from error
            if future.status != "error":  # the connection's, not the task's
                raise
            return failed_record(*task.of.cell, self._experiment, error)
        else:
            if isinstance(result, Record):
                return result
            task.of.found.append(result)
            if len(task.of.found) == task.of.n_pieces:
                self._ready.append(_Task(task.of))
        return None

    def _killed(self, cell: Cell) -> Record:
        dataset, method = cell
        error = RntkBenchError(
            f"Every worker that computed {method.name} on {dataset.name} died, perhaps for lack of "
            "memory; start workers with more, or with fewer threads each."
        )
        return failed_record(dataset, method, self._experiment, error)


def _lost() -> ClusterError:
    return ClusterError("The Dask scheduler is gone, or drops what it is sent.")
