"""Runs all trainings of a cross-validation, in threads or vectorised on an accelerator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import cache
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rntk_bench.deadline import current_deadline
from rntk_bench.networks.compiled import runs as compiled_runs
from rntk_bench.networks.cross_validation import FinalNetwork, TrainedRun, Training, TrainingOptions
from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.schedule import Schedule, Task
from rntk_bench.networks.series import PaddedSeries, pad_series

Setting = tuple[Classifier, float]
"""A network and a learning rate."""


@cache
def accelerator() -> str | None:
    """The name of the accelerator that JAX uses, or None."""
    try:
        import jax
        import optax  # noqa: F401  # it is needed as well
    except ImportError:
        return None
    if jax.default_backend() == "cpu":
        return None
    kind: str = jax.devices()[0].device_kind
    return kind


def trained_by() -> dict[str, str]:
    """The `device` on which networks are trained, "cpu" or an accelerator, and the `trainer`."""
    device = accelerator()
    if device is None:
        return {"device": "cpu", "trainer": "numba"}
    return {"device": device, "trainer": "jax"}


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
        The number of threads, each of which trains one run at a time; an accelerator trains many.

    Raises
    ------
    TimeLimitError
        If the current deadline passes.
    """
    if accelerator():
        _train_vectorised(training, settings, tasks, upper_bound, add)
        return
    schedule = Schedule(tasks, [network for network, _ in settings], upper_bound)
    lock = Lock()

    def work() -> None:
        while True:
            with lock:
                task = schedule.next_task()
            if task is None:
                return
            network, rate = settings[task[0]]
            trained = compiled_runs.train_one(training, network, task[1], rate)
            with lock:
                add(task, trained)

    _in_threads([work] * min(n_jobs, len(tasks)))


def warm_up() -> None:
    """Train and test a tiny network, so that the loops are compiled."""
    network, y = Classifier("gru", 1, 1, 1, 2), np.array([0, 1, 0, 1])
    series, options = pad_series(np.eye(4), y, 2), TrainingOptions(0.9, 1e-8, 1)
    training = Training(series, np.array([0, 0, 1, 1]), options, 4, 1, 0)
    trained = compiled_runs.train_one(training, network, 0, 1e-3)
    compiled_runs.logits_on_test(network, [trained.weights], series, 4)


def train_final_network(training: Training, setting: Setting, n_epochs: int) -> FinalNetwork:
    """Train a network of the chosen setting on the whole training set."""
    final: FinalNetwork
    [final] = call_all(_runs().train_final, [(training, *setting, n_epochs)], 1)
    return final


def classify(
    network: Classifier, weights: Sequence[Parameters], test: PaddedSeries, n_test: int
) -> list[NDArray[np.float32] | None]:
    """Compute the logits (n_test, C) of the test series for each of the weights.

    None stands for logits that are not all finite.
    """
    [outputs] = call_all(_runs().logits_on_test, [(network, weights, test, n_test)], 1)
    return [logits if np.isfinite(logits).all() else None for logits in outputs]


def call_all(
    function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], n_jobs: int
) -> list[Any]:
    """Call a function with each tuple of arguments, in `n_jobs` threads."""
    waiting = list(enumerate(calls))[::-1]
    results: list[Any] = [None] * len(waiting)

    def work() -> None:
        while waiting:
            try:
                index, arguments = waiting.pop()
            except IndexError:  # another thread has taken the last one
                return
            results[index] = function(*arguments)

    _in_threads([work] * min(n_jobs, len(waiting)))
    return results


def _runs() -> ModuleType:
    """The module that trains networks: compiled, or in JAX on an accelerator."""
    return _accelerated_runs() if accelerator() else compiled_runs


@cache
def _accelerated_runs() -> ModuleType:
    from rntk_bench.networks.accelerator import runs
    from rntk_bench.networks.accelerator.compilation_cache import keep_compiled

    keep_compiled()
    return runs


def _in_threads(functions: Sequence[Callable[[], None]]) -> None:
    """Call each function in a thread; an error or an interrupt here soon stops all of them.

    Even a single function is called in a thread, as an interrupt reaches only the main thread, and
    only when it does not run a compiled loop.
    """
    if not functions:
        return
    # The threads look at a deadline of their own, which leaving this block by an error passes.
    with ThreadPoolExecutor(len(functions)) as threads, current_deadline().nested() as deadline:

        def run(function: Callable[[], None]) -> None:
            # A training that diverges is noticed; NumPy's warnings would come from every thread.
            with deadline.activate(), np.errstate(all="ignore"):
                function()

        done, _ = wait([threads.submit(run, f) for f in functions], None, FIRST_EXCEPTION)
        for future in done:
            future.result()


def _train_vectorised(
    training: Training,
    settings: Sequence[Setting],
    tasks: Sequence[Task],
    upper_bound: Callable[[Task], int | None],
    add: Callable[[Task, TrainedRun], None],
) -> None:
    """Train all folds and learning rates of one network in vectorised calls."""
    train_many = _accelerated_runs().train_many
    networks = {network for network, _ in settings}
    for network in sorted(networks, key=lambda network: network.size):
        candidates = [task for task in tasks if settings[task[0]][0] == network]
        if needed := [task for task in candidates if upper_bound(task) is not None]:
            folds, rates = [fold for _, fold in needed], [settings[s][1] for s, _ in needed]
            for ended in train_many(training, network, folds, rates):
                for position, trained in ended.items():
                    add(needed[position], trained)
                current_deadline().check()
