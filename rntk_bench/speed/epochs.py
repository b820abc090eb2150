"""An epoch of finite networks timed: in compiled loops, in PyTorch and in JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import Final

from rntk_bench.benchmark.evaluation import Problem
from rntk_bench.benchmark.network_evaluation import (
    make_training,
    network_problem,
    network_settings,
)
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset
from rntk_bench.errors import ExtraError
from rntk_bench.methods import NetworkMethod
from rntk_bench.networks import pool
from rntk_bench.networks.compiled.runs import train_one
from rntk_bench.networks.cross_validation import Training
from rntk_bench.networks.models import Classifier
from rntk_bench.speed.timing import Result, shortest_time

N_EPOCHS: Final = 10


@dataclass(frozen=True)
class EpochTimes:
    """The time of an epoch, with its validation, of runs of one network.

    Attributes
    ----------
    network : Classifier
    n_runs : int
        The number of runs that are trained.
    n_cores : int
        The number of cores on which the compiled loops train them, one run on each at a time.
    seconds : float
        Of the compiled loops, for all runs.
    pytorch_seconds : float or None
        Of a loop in PyTorch for one run on one core; None if it was not timed.
    jax_seconds : float or None
        For all runs together, on an accelerator or, for one run, on the processor; None if it was
        not timed.
    difference : int or None
        The largest difference, over the epochs, between the numbers of correct validation
        predictions in the compiled loops and in PyTorch.
    n_validation : int
        The number of validation predictions.
    """

    network: Classifier
    n_runs: int
    n_cores: int
    seconds: float
    pytorch_seconds: float | None = None
    jax_seconds: float | None = None
    difference: int | None = None
    n_validation: int = 0


def time_epochs(
    dataset: Dataset, method: NetworkMethod, experiment: Experiment, n_jobs: int
) -> Iterator[EpochTimes]:
    """Time an epoch of each network of a method's grid.

    One run on one core comes first, beside PyTorch and JAX on the processor. With an accelerator,
    the runs of all folds and learning rates follow: in JAX they are trained together there, and in
    the compiled loops on `n_jobs` cores. The first epochs count, `N_EPOCHS` of them on average.
    """
    protocol = replace(
        experiment.network, max_epochs=N_EPOCHS, patience=N_EPOCHS, criterion="accuracy"
    )
    experiment = replace(experiment, network=protocol)
    problem = network_problem(dataset, experiment)
    training = make_training(problem, experiment)
    rates_of: dict[Classifier, list[float]] = {}
    for network, rate in network_settings(dataset, method):
        rates_of.setdefault(network, []).append(rate)
    for network, rates in rates_of.items():
        yield _one_run(problem, training, network, min(rates), experiment)
        if pool.accelerator():
            yield _all_runs(training, network, rates, n_jobs)


def not_installed() -> list[ExtraError]:
    """The baselines that are left out, as the error that says how to install them."""
    missing = []
    if _pytorch() is None:
        missing.append(ExtraError("Timing networks in PyTorch", "PyTorch", "speed"))
    if _jax_runs() is None:
        missing.append(ExtraError("Timing networks in JAX", "JAX with Optax", "finite"))
    return missing


def _one_run(
    problem: Problem, training: Training, network: Classifier, rate: float, experiment: Experiment
) -> EpochTimes:
    trained, seconds = _time_epoch(partial(train_one, training, network, 0, rate))
    pytorch_seconds, jax_seconds, difference = None, None, None
    if pytorch := _pytorch():
        n_correct, pytorch_seconds = _time_epoch(
            partial(pytorch.train_on_one_core, problem, training, (network, rate), 0, experiment)
        )
        pairs = zip(trained.curve.n_correct, n_correct, strict=False)
        difference = max((abs(ours - theirs) for ours, theirs in pairs), default=0)
    if not pool.accelerator() and (runs := _jax_runs()):
        jax_seconds = _time_epoch(lambda: list(runs.train_many(training, network, [0], [rate])))[1]
    n_validation = int((training.fold == 0).sum())
    return EpochTimes(
        network, 1, 1, seconds, pytorch_seconds, jax_seconds, difference, n_validation
    )


def _all_runs(
    training: Training, network: Classifier, rates: list[float], n_jobs: int
) -> EpochTimes:
    settings = [(network, rate) for rate in rates]
    tasks = [(k, fold) for k in range(len(settings)) for fold in range(training.n_folds)]
    calls = [(training, network, fold, rates[k]) for k, fold in tasks]
    seconds = _time_epoch(lambda: pool.call_all(train_one, calls, n_jobs))[1]
    jax_seconds = _time_epoch(
        lambda: pool.train_all(training, settings, tasks, lambda _: 0, lambda *_: None, n_jobs)
    )[1]
    return EpochTimes(network, len(tasks), n_jobs, seconds, jax_seconds=jax_seconds)


def _time_epoch(train: Callable[[], Result]) -> tuple[Result, float]:
    """The result of a training of `N_EPOCHS` epochs, and the seconds of one; compiling is left
    out, as it happens in the first of two calls."""
    result, seconds = shortest_time(train, repeats=2)
    return result, seconds / N_EPOCHS


def _pytorch() -> ModuleType | None:
    """The module that trains networks in PyTorch, if that is installed."""
    try:
        from rntk_bench.speed import networks
    except ExtraError:
        return None
    return networks


def _jax_runs() -> ModuleType | None:
    """The module that trains networks in JAX, if that is installed."""
    try:
        from rntk_bench.networks.accelerator import runs
    except ImportError:
        return None
    return runs
