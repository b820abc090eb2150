"""The forecast of a plan's time, on a clock that the tests turn."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from rntk_bench.benchmark.cost.formula import estimate_cost
from rntk_bench.benchmark.plan import make_plan
from rntk_bench.benchmark.runner import Outcome
from rntk_bench.benchmark.time_left import BUDGET_SECONDS, PRIOR_SECONDS, TimeLeft
from rntk_bench.config import Experiment
from rntk_bench.datasets import ARCHIVE
from rntk_bench.methods import resolve
from rntk_bench.storage.records import write_record
from tests import factories as made

EXPERIMENT = Experiment(methods=("rntk", "rbf"))
METHODS = resolve(EXPERIMENT)
OWN = SimpleNamespace(n_train=40, n_test=10, length=64, n_classes=2, n_dimensions=1)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def plan_of(*datasets, results=Path("nowhere")):
    return make_plan(datasets, METHODS, EXPERIMENT, results)


def forecast(evaluation, n_jobs=1):
    size = ARCHIVE.get(evaluation.dataset, OWN)
    return estimate_cost(size, evaluation.method, EXPERIMENT).seconds / n_jobs


def run(left, clock, evaluation, slowness, kind="computed"):
    """Compute an evaluation that takes `slowness` times its forecast."""
    left.start(evaluation, ARCHIVE.get(evaluation.dataset, OWN))
    clock.now += slowness * forecast(evaluation)
    left.finish(Outcome(*evaluation.key, kind))


def test_before_anything_is_measured_it_is_the_formulas(clock):
    plan = plan_of("Yoga", "CricketX", "Ham")
    for n_jobs in (1, 4):
        left = TimeLeft(plan, n_jobs, clock=clock)
        assert left.seconds() == pytest.approx(sum(forecast(each, n_jobs) for each in plan))
        assert (left.n_done, left.n_evaluations) == (0, 6)


def test_what_was_measured_corrects_the_rest(clock):
    plan = plan_of("Yoga", "StarLightCurves", "UWaveGestureLibraryX")
    left = TimeLeft(plan, clock=clock)
    for evaluation in plan[:2]:
        run(left, clock, evaluation, 5.0)
    rest = sum(map(forecast, plan[2:]))
    assert left.seconds() == pytest.approx(5.0 * rest, rel=0.02)
    assert left.n_done == 2
    for evaluation in plan[2:]:
        run(left, clock, evaluation, 5.0)
    assert left.seconds() == 0.0
    assert left.n_done == left.n_evaluations


def test_each_method_has_a_ratio_of_its_own_and_others_that_of_all(clock):
    plan = plan_of("StarLightCurves", "StarLightCurves", "UWaveGestureLibraryX", "Yoga")
    rntk, rbf = plan[0], plan[1]
    left = TimeLeft(plan, clock=clock)
    run(left, clock, rntk, 8.0)
    expected = 8.0 * (forecast(plan[4]) + forecast(plan[6]))
    # Nothing of rbf is measured, so that the ratio of all is its own.
    expected += 8.0 * sum(forecast(each) for each in (rbf, plan[5], plan[7]))
    assert left.seconds() == pytest.approx(expected, rel=0.01)
    run(left, clock, rbf, 2.0)
    expected = 8.0 * (forecast(plan[4]) + forecast(plan[6]))
    weight = forecast(rbf)
    ratio = (2.0 * weight + 8.0 * PRIOR_SECONDS) / (weight + PRIOR_SECONDS)
    expected += ratio * (forecast(plan[5]) + forecast(plan[7]))
    assert left.seconds() == pytest.approx(expected, rel=0.01)


def test_the_finished_part_of_the_one_under_way_counts(clock):
    (evaluation,) = make_plan(["StarLightCurves"], METHODS[:1], EXPERIMENT, Path("nowhere"))
    left = TimeLeft([evaluation], clock=clock)
    left.start(evaluation, ARCHIVE["StarLightCurves"])
    whole = forecast(evaluation)
    clock.now += 0.5 * whole
    # Nothing is finished, but the clock has run for half of the forecast.
    assert left.seconds() == pytest.approx(0.5 * whole)
    left.progress(0.1)
    assert left.seconds() == pytest.approx(4.5 * whole, rel=0.1)
    clock.now += 3.0 * whole
    left.progress(0.7)
    assert left.seconds() == pytest.approx(1.5 * whole, rel=0.1)
    clock.now += 99.0 * whole
    left.progress(1.0)
    assert left.seconds() == 0.0


def test_an_evaluation_that_is_overdue_is_not_negative(clock):
    plan = plan_of("Coffee")
    left = TimeLeft(plan, clock=clock)
    left.start(plan[0], ARCHIVE["Coffee"])
    clock.now += 1e6
    assert left.seconds() == pytest.approx(forecast(plan[1]))


def test_kept_and_failed_evaluations_measure_nothing(clock):
    plan = plan_of("Yoga", "Ham")
    left = TimeLeft(plan, clock=clock)
    before = left.seconds()
    run(left, clock, plan[0], 50.0, "failed")
    clock.now += 1.0
    left.finish(Outcome(*plan[1].key, "kept"))
    assert left.seconds() == pytest.approx(before - forecast(plan[0]) - forecast(plan[1]))


def test_unreadable_data_end_all_evaluations_on_them(clock):
    plan = plan_of("Mine", "Ham")
    left = TimeLeft(plan, clock=clock)
    left.finish(Outcome(*plan[0].key, "unreadable"))
    assert (left.n_done, left.n_evaluations) == (2, 4)


def test_a_size_that_is_not_known_yet_counts_as_the_mean_of_the_others(clock):
    plan = plan_of("Yoga", "Ham", "Mine")
    left = TimeLeft(plan, clock=clock)
    known = sum(map(forecast, plan[:4]))
    assert left.seconds() == pytest.approx(1.5 * known)
    left.start(plan[4], OWN)
    assert left.seconds() == pytest.approx(known + forecast(plan[4]) + forecast(plan[5]))
    assert TimeLeft(plan_of("Mine"), clock=clock).seconds() == 2 * PRIOR_SECONDS
    assert TimeLeft([], clock=clock).seconds() == 0.0


def test_only_what_has_no_record_takes_time(clock, tmp_path):
    plan = plan_of("Yoga", "Ham", results=tmp_path)
    for evaluation, error in ((plan[0], None), (plan[2], "It failed.")):
        name, method = evaluation.key[:2]
        write_record(tmp_path, made.record(name, method, 1, 2, error, evaluation.protocol))
    rest = forecast(plan[1]) + forecast(plan[3])
    for overwrite, expected in {
        "missing": rest,
        "failed": rest + forecast(plan[2]),
        "always": rest + forecast(plan[2]) + forecast(plan[0]),
    }.items():
        left = TimeLeft(plan, overwrite=overwrite, clock=clock)
        if overwrite == "failed":
            expected += forecast(plan[0])  # a record without a choice is not kept
        assert left.seconds() == pytest.approx(expected)
    # A record of other data is not kept: the evaluation starts.
    left = TimeLeft(plan, clock=clock)
    assert left.seconds() == pytest.approx(rest)
    left.start(plan[0], ARCHIVE["Yoga"])
    assert left.seconds() == pytest.approx(rest + forecast(plan[0]))


def test_many_formulas_are_spread_over_the_calls(monkeypatch, clock):
    def slow(*arguments, **options):
        clock.now += 0.7 * BUDGET_SECONDS
        return estimate_cost(*arguments, **options)

    monkeypatch.setattr("rntk_bench.benchmark.time_left.estimate_cost", slow)
    plan = make_plan(["Yoga", "Ham", "Car", "Wine", "Fish"], METHODS[:1], EXPERIMENT, Path("no"))
    forecasts = list(map(forecast, plan))
    left = TimeLeft(plan, clock=clock)
    for known in (2, 4, 5, 5):
        expected = sum(forecasts[:known]) * len(plan) / known
        start = clock.now
        assert left.seconds() == pytest.approx(expected)
        assert clock.now - start < 1.5 * BUDGET_SECONDS


def test_a_name_that_no_record_can_have_takes_no_time(clock):
    assert TimeLeft(plan_of("no/name"), clock=clock).seconds() == 0.0


def test_on_a_cluster_the_time_between_outcomes_is_what_they_took(clock):
    plan = plan_of("StarLightCurves", "UWaveGestureLibraryX", "Yoga")
    left = TimeLeft(plan, clock=clock)
    clock.now += 1000.0  # until the cluster is connected
    left.start()
    for evaluation in (plan[2], plan[0]):
        clock.now += 0.25 * forecast(evaluation)
        left.finish(Outcome(*evaluation.key, "computed"))
    rest = sum(forecast(each) for each in (plan[1], *plan[3:]))
    assert left.seconds() == pytest.approx(0.25 * rest, rel=0.1)
