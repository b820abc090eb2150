"""How an evaluation is divided among the threads of a cluster, and how long a plan takes there."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from rntk_bench.benchmark.cost.formula import Size, estimate_cost
from rntk_bench.benchmark.parallel import Batch, split
from rntk_bench.config import Experiment
from rntk_bench.methods import KernelMethod, Method

CHUNK_SECONDS = 10.0
"""The evaluation of a kernel with a longer estimated time is divided into chunks of this length."""


class ClusterLoad(NamedTuple):
    """What one evaluation asks of a cluster: equal chunks that may run at once, then its end."""

    n_chunks: int
    chunk_seconds: float
    end_seconds: float


def divide(
    size: Size, method: Method, experiment: Experiment, chunk_seconds: float = CHUNK_SECONDS
) -> list[list[Batch]]:
    """The chunks of a large grid; none if the evaluation is a single task.

    The method is one for the training set, without what is learnt from it.
    """
    if not isinstance(method, KernelMethod):
        return []
    seconds = estimate_cost(size, method, experiment).seconds
    chunks = split(method.batches(size.length), math.ceil(seconds / chunk_seconds))
    return chunks if len(chunks) > 1 else []


def cluster_load(size: Size, method: Method, experiment: Experiment, seconds: float) -> ClusterLoad:
    """The load of an evaluation that takes so many seconds on one thread."""
    n_chunks = len(divide(size, method, experiment))
    if not n_chunks:
        return ClusterLoad(1, seconds, 0.0)
    cost = estimate_cost(size, method, experiment)
    end = seconds * cost.test / cost.seconds
    return ClusterLoad(n_chunks, (seconds - end) / n_chunks, end)


def forecast_seconds(loads: Iterable[ClusterLoad], n_threads: int) -> float:
    """Seconds until a cluster of so many threads has finished a plan, if sending takes no time.

    The thread that is free first takes the end of an evaluation whose chunks are finished, else
    the next chunk, as the cluster's scheduler hands them out.
    """
    chunks = deque(each for each in loads for _ in range(each.n_chunks))
    free = [0.0] * n_threads
    ends: list[tuple[float, float]] = []  # when each can start, and its seconds
    n_started, last_chunk = 0, 0.0
    while chunks or ends:
        now = heapq.heappop(free)
        if ends and (ends[0][0] <= now or not chunks):
            start, seconds = heapq.heappop(ends)
            heapq.heappush(free, max(start, now) + seconds)
            continue
        each = chunks.popleft()
        n_started, last_chunk = n_started + 1, max(last_chunk, now + each.chunk_seconds)
        heapq.heappush(free, now + each.chunk_seconds)
        if n_started == each.n_chunks:
            heapq.heappush(ends, (last_chunk, each.end_seconds))
            n_started, last_chunk = 0, 0.0
    return max(free)
