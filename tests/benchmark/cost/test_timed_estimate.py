from types import SimpleNamespace

import numpy as np
import pytest

from rntk_bench import kernels
from rntk_bench.benchmark.cost import timed_estimate as trial
from rntk_bench.benchmark.cost.formula import estimate_cost
from rntk_bench.benchmark.cost.timed_estimate import estimate_seconds
from rntk_bench.benchmark.parallel import positions
from rntk_bench.config import Experiment
from rntk_bench.datasets.dataset import Dataset
from rntk_bench.errors import RntkBenchError
from rntk_bench.methods import METHODS, KernelMethod

EXPERIMENT = Experiment()
RNTK = METHODS["rntk"]
N_SETTINGS = len(RNTK.settings)


def dataset(n=12, length=9):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, length)), np.arange(n) % 3
    return Dataset("Mine", X, y, X[:6], y[:6], ("a", "b", "c"), "folder")


@pytest.fixture
def clock(monkeypatch):
    """Time passes only where settings are evaluated: `pace(done, n_train)` seconds for each."""
    clock = SimpleNamespace(
        now=0.0, evaluated=0, n_train=0, needed=1.0, pace=lambda done, n_train: 1e-4
    )

    class Evaluation:
        search = SimpleNamespace(needed_fraction=lambda settings: clock.needed)

        def __init__(self, data, method, experiment, prune, n_jobs):
            self.batches = method.kernel.batches(method.kernels())
            self.watch = SimpleNamespace(seconds={"svm": 0.0, "gram": 0.0})
            clock.n_train = data.n_train

        def evaluate(self, batches):
            for _ in positions(batches):
                clock.now += clock.pace(clock.evaluated, clock.n_train)
                clock.evaluated += 1
                self.watch.seconds["svm"] += 0.75e-9
                self.watch.seconds["gram"] += 0.25e-9

    monkeypatch.setattr(trial, "KernelEvaluation", Evaluation)
    monkeypatch.setattr(trial, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock


def test_a_grid_that_ends_within_the_trial_is_measured_whole(clock):
    assert estimate_seconds(dataset(), RNTK, EXPERIMENT, 2, 1.0) == pytest.approx(1e-4 * N_SETTINGS)
    assert clock.evaluated == N_SETTINGS


def test_what_is_not_reached_costs_what_was_reached_less_what_is_pruned(clock):
    clock.pace = lambda done, n_train: 0.1 if done == 0 else 0.01
    found = estimate_seconds(dataset(), RNTK, EXPERIMENT, 2, 1.0)
    reached = clock.evaluated
    assert 190 < reached < 400
    whole = 0.1 + 0.01 * (N_SETTINGS - 1)
    assert found == pytest.approx(whole)
    clock.needed, clock.evaluated = 0.5, 0
    assert estimate_seconds(dataset(), RNTK, EXPERIMENT, 2, 1.0) == pytest.approx(
        whole - 0.5 * 0.75 * 0.01 * (N_SETTINGS - reached)
    )
    clock.evaluated = 0
    unpruned = estimate_seconds(dataset(), RNTK, EXPERIMENT, 2, 1.0, prune=False)
    assert unpruned == pytest.approx(whole)


def test_large_sets_are_tried_on_fewer_series_of_each_class(clock):
    large = dataset(6000, 100)
    clock.pace = lambda done, n_train: 1e-8 * n_train**2
    found = estimate_seconds(large, RNTK, EXPERIMENT, 1, 1.0)
    assert clock.n_train in (3000, 1500, 750)
    some = dataset(clock.n_train, 100)
    scale = np.divide(*(estimate_cost(d, RNTK, EXPERIMENT).seconds for d in (large, some)))
    assert found == pytest.approx(scale * 1e-8 * clock.n_train**2 * N_SETTINGS)
    half = trial._half(dataset(13))
    assert np.bincount(half.y_train).tolist() == [3, 2, 2]


def test_what_no_fewer_series_make_short_is_estimated(clock):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 20_000)), np.arange(40) % 20
    classes = tuple(map(str, range(20)))
    long = Dataset("Long", X, y, X[:6], y[:6], classes, "folder")
    method = KernelMethod("rntk", {"sigma_w": (1.3, 1.4)}, kernels.RNTK)
    whole = estimate_cost(long, method, EXPERIMENT, 1e4).seconds
    assert estimate_seconds(long, method, EXPERIMENT, 2, 1e4) == pytest.approx(whole / 2)
    assert clock.evaluated == 0


@pytest.mark.parametrize("error", [RntkBenchError("It cannot be read."), MemoryError()])
def test_an_evaluation_that_cannot_be_tried_is_estimated(monkeypatch, error):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(trial, "KernelEvaluation", refuse)
    found = estimate_seconds(dataset(), RNTK, EXPERIMENT, 2, 3.0)
    assert found == pytest.approx(estimate_cost(dataset(), RNTK, EXPERIMENT, 3.0).seconds / 2)
