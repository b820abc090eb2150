import time
from threading import Thread

import pytest

from rntk_bench.benchmark.evaluation import failed_record
from rntk_bench.benchmark.plan import Options, Plan
from rntk_bench.benchmark.runner import run_plan
from rntk_bench.config import Experiment
from rntk_bench.errors import RntkBenchError
from rntk_bench.kernels import RBF
from rntk_bench.methods import KernelMethod
from rntk_bench.storage.locks import try_lock

METHODS = [KernelMethod(name, {"alpha": (0.5,)}, RBF) for name in ("rbf", "again")]
EXPERIMENT = Experiment(n_folds=3)
ERROR = RntkBenchError("it was made to fail")


@pytest.fixture
def options(tmp_path, write_dataset):
    return Options(tmp_path / "runs", data_dir=write_dataset("Mine"))


def plan(options, report=lambda _: None):
    return Plan(["Mine"], METHODS, EXPERIMENT, options, report)


def locks(options):
    return sorted(options.results.glob("*/.*.lock"))


def lock_of_first(options):
    with plan(options) as other:
        next(other.missing())
        return locks(options)[0]


def test_cells_are_claimed_until_they_are_stored(options):
    with plan(options) as mine, plan(options) as other:
        cells = mine.missing()
        first, second = next(cells), next(cells)
        assert [first.method.name, second.method.name] == ["rbf", "again"]
        assert len(locks(options)) == 2
        assert next(other.missing()) is None
        mine.store(first, failed_record(*first, EXPERIMENT, ERROR))
        assert len(locks(options)) == 1
        assert [outcome.method for outcome in mine.outcomes] == ["rbf"]
    assert locks(options) == []


def test_what_others_have_stored_meanwhile_is_found(options):
    told = []
    with plan(options) as mine, plan(options, told.append) as other:
        cells, theirs = mine.missing(), other.missing()
        first = next(cells)
        second = next(theirs)
        assert second.method.name == "again"
        assert next(theirs) is None
        mine.store(first, failed_record(*first, EXPERIMENT, ERROR))
        other.store(second, failed_record(*second, EXPERIMENT, ERROR))
        assert list(theirs) == []
    assert [(outcome.method, outcome.kind) for outcome in other.outcomes] == [
        ("rbf", "failed"),
        ("again", "failed"),
    ]
    assert [outcome.method for outcome in told] == ["again", "rbf"]


def test_always_computes_no_cell_that_another_process_has_just_computed(options):
    options = Options(options.results, options.data_dir, overwrite="always")
    with plan(options) as mine, plan(options) as other:
        first, theirs = next(mine.missing()), other.missing()
        second = next(theirs)
        assert next(theirs) is None
        mine.store(first, failed_record(*first, EXPERIMENT, ERROR))
        other.store(second, failed_record(*second, EXPERIMENT, ERROR))
        assert list(theirs) == []


def test_a_plan_waits_for_a_claimed_cell_and_computes_it_when_it_is_free(options):
    lock = lock_of_first(options)
    outcomes = []

    def run():
        outcomes.extend(run_plan(["Mine"], METHODS, EXPERIMENT, options))

    with try_lock(lock) as mine:
        assert mine
        running = Thread(target=run)
        running.start()
        until = time.monotonic() + 30
        while not list(options.results.glob("Mine/again-*.json")):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert running.is_alive()
        assert not list(options.results.glob("Mine/rbf-*.json"))
    running.join(30)
    assert [(o.method, o.kind) for o in outcomes] == [("rbf", "computed"), ("again", "computed")]


def test_the_first_failure_ends_a_plan_that_is_to_fail_fast(options):
    options = Options(options.results, options.data_dir, fail_fast=True)
    with plan(options) as mine:
        cells = mine.missing()
        first = next(cells)
        mine.store(first, failed_record(*first, EXPERIMENT, ERROR))
        assert mine.stopped
        assert list(cells) == []
    with plan(options) as again:
        assert list(again.missing()) == []
        assert [outcome.kind for outcome in again.outcomes] == ["failed"]
