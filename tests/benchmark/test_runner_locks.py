"""Several processes that run one plan into one folder."""

import time
from dataclasses import replace
from threading import Thread

import pytest

from rntk_bench.benchmark.backend import RunOptions
from rntk_bench.benchmark.evaluation import failed_record
from rntk_bench.benchmark.plan import make_plan
from rntk_bench.benchmark.runner import Runner, run_plan
from rntk_bench.config import Experiment
from rntk_bench.errors import RntkBenchError
from rntk_bench.kernels import RBF
from rntk_bench.methods import KernelMethod
from rntk_bench.storage.locks import try_lock

METHODS = [KernelMethod(name, {"alpha": (0.5,)}, RBF) for name in ("rbf", "again")]
EXPERIMENT = Experiment(n_folds=3)
ERROR = RntkBenchError("it was made to fail")


@pytest.fixture
def options(write_dataset):
    return RunOptions(data_dir=write_dataset("Mine"))


@pytest.fixture
def plan(tmp_path):
    return make_plan(["Mine"], METHODS, EXPERIMENT, tmp_path / "runs")


@pytest.fixture
def runner(plan, options):
    """Makes runners of the plan, one for each process."""

    def make(report=lambda _: None, **changed):
        return Runner(plan, replace(options, **changed), report)

    return make


def locks(plan):
    return [evaluation.lock_path for evaluation in plan if evaluation.lock_path.exists()]


def failed(loaded):
    return failed_record(loaded.dataset, loaded.evaluation.method, EXPERIMENT, ERROR)


def test_evaluations_are_locked_until_they_are_stored(plan, runner):
    with runner() as mine, runner() as other:
        pending = mine.pending()
        first, second = next(pending), next(pending)
        assert [first.evaluation, second.evaluation] == plan
        assert len(locks(plan)) == 2
        assert next(other.pending()) is None
        mine.store(first.evaluation, failed(first))
        assert len(locks(plan)) == 1
        assert [outcome.method for outcome in mine.outcomes] == ["rbf"]
    assert locks(plan) == []


def test_records_that_other_processes_have_stored_are_read(runner):
    reported = []
    with runner() as mine, runner(reported.append) as other:
        pending, theirs = mine.pending(), other.pending()
        first = next(pending)
        second = next(theirs)
        assert second.evaluation.method.name == "again"
        assert next(theirs) is None
        mine.store(first.evaluation, failed(first))
        other.store(second.evaluation, failed(second))
        assert list(theirs) == []
    assert [(outcome.method, outcome.kind) for outcome in other.outcomes] == [
        ("rbf", "failed"),
        ("again", "failed"),
    ]
    assert [outcome.method for outcome in reported] == ["again", "rbf"]


def test_always_computes_nothing_that_another_process_has_just_computed(runner):
    with runner(overwrite="always") as mine, runner(overwrite="always") as other:
        first, theirs = next(mine.pending()), other.pending()
        second = next(theirs)
        assert next(theirs) is None
        mine.store(first.evaluation, failed(first))
        other.store(second.evaluation, failed(second))
        assert list(theirs) == []


def test_a_run_waits_for_a_locked_evaluation_and_computes_it_when_it_is_free(plan, options):
    first, second = plan
    first.record_path.parent.mkdir(parents=True)
    outcomes = []

    def run():
        outcomes.extend(run_plan(plan, options))

    with try_lock(first.lock_path) as acquired:
        assert acquired
        running = Thread(target=run)
        running.start()
        until = time.monotonic() + 30
        while not second.record_path.exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        assert running.is_alive()
        assert not first.record_path.exists()
    running.join(30)
    assert [(o.method, o.kind) for o in outcomes] == [("rbf", "computed"), ("again", "computed")]


def test_the_first_failure_ends_a_run_that_is_to_fail_fast(runner):
    with runner(fail_fast=True) as mine:
        pending = mine.pending()
        first = next(pending)
        mine.store(first.evaluation, failed(first))
        assert mine.stopped
        assert list(pending) == []
    with runner(fail_fast=True) as again:
        assert list(again.pending()) == []
        assert [outcome.kind for outcome in again.outcomes] == ["failed"]
