from types import SimpleNamespace

import numpy as np
import pytest

from rntk_bench import kernels
from rntk_bench.benchmark.cost import timed_estimate as trial
from rntk_bench.benchmark.cost.formula import estimate_cost
from rntk_bench.benchmark.cost.timed_estimate import (
    EvaluationSize,
    measure_correction,
    plan_corrections,
)
from rntk_bench.benchmark.parallel import positions
from rntk_bench.config import Experiment
from rntk_bench.datasets import ARCHIVE, Dataset
from rntk_bench.errors import RntkBenchError
from rntk_bench.methods import METHODS, KernelMethod

EXPERIMENT = Experiment()
RNTK = METHODS["rntk"]
N_SETTINGS = len(RNTK.settings)


def dataset(n=12, length=9):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, length)), np.arange(n) % 3
    return Dataset("Mine", X, y, X[:6], y[:6], ("a", "b", "c"), "folder")


def estimate_seconds(data, method, experiment, n_jobs, slowness, prune=True):
    correction = measure_correction(data, method, experiment, n_jobs, slowness, prune)
    return correction * estimate_cost(data, method, experiment, slowness).seconds / n_jobs


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
    some = large
    while some.n_train > clock.n_train:
        some = trial._half(some)
    scale = np.divide(*(estimate_cost(d, RNTK, EXPERIMENT).seconds for d in (large, some)))
    assert found == pytest.approx(scale * 1e-8 * clock.n_train**2 * N_SETTINGS)
    half = trial._half(dataset(13))
    assert np.bincount(half.y_train).tolist() == [3, 2, 2]
    assert np.bincount(half.y_test).tolist() == [1, 1, 1]
    assert np.array_equal(half.X_test, dataset(13).X_test[:3])


def test_what_no_fewer_series_make_short_is_estimated(clock):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 20_000)), np.arange(40) % 20
    classes = tuple(map(str, range(20)))
    long = Dataset("Long", X, y, X[:6], y[:6], classes, "folder")
    method = KernelMethod("rntk", {"sigma_w": (1.3, 1.4)}, kernels.RNTK)
    assert measure_correction(long, method, EXPERIMENT, 2, 1e4) is None
    assert clock.evaluated == 0


def test_a_single_batch_may_take_the_whole_trial(clock):
    method = KernelMethod("rntk", {"sigma_w": (1.4,)}, kernels.RNTK)
    data = dataset(600, 100)
    cost = estimate_cost(data, method, EXPERIMENT).seconds
    measure_correction(data, method, EXPERIMENT, 1, 1.0, trial_seconds=1.01 * cost)
    assert clock.n_train == 600
    measure_correction(data, method, EXPERIMENT, 1, 1.0, trial_seconds=0.99 * cost)
    assert clock.n_train == 300


@pytest.mark.parametrize("error", [RntkBenchError("It cannot be read."), MemoryError()])
def test_an_evaluation_that_cannot_be_tried_is_estimated(monkeypatch, error):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(trial, "KernelEvaluation", refuse)
    assert measure_correction(dataset(), RNTK, EXPERIMENT, 2, 3.0) is None
    plan = [EvaluationSize(dataset(), RNTK, EXPERIMENT, 2)]
    assert plan_corrections(plan, 3.0) == [1.0]


def test_a_few_evaluations_of_a_method_correct_its_others(monkeypatch):
    tried, announced = [], []

    def measure(data, method, *more):
        tried.append((data.length, method.name, *more[1:]))
        return {1000: None, 10_000: 2.0, 100_000: 8.0}[data.length]

    monkeypatch.setattr(trial, "measure_correction", measure)
    monkeypatch.setattr(trial, "ALL_SECONDS", 0.6)
    sizes = [dataset(60, length) for length in (5, 1000, 10_000, 100_000)]
    plans = [
        EvaluationSize(size, METHODS[name], EXPERIMENT, 2)
        for name in ("rntk", "gru")
        for size in (*sizes, ARCHIVE["StarLightCurves"])
    ]
    found = plan_corrections(plans, 2.0, False, lambda *given: announced.append(given))
    # The shortest is mostly overhead. The next fails, and is corrected as what is not tried.
    assert found == pytest.approx([4.0, 4.0, 2.0, 8.0, 4.0] + 5 * [1.0])
    seconds = pytest.approx(0.2)
    assert tried == [(size.length, "rntk", 2, 2.0, False, seconds) for size in sizes[1:]]
    assert announced == [(3, pytest.approx(0.6))]
