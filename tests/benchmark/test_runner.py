import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from rntk_bench.benchmark import runner
from rntk_bench.benchmark.backend import RunOptions, compute_locally
from rntk_bench.benchmark.plan import make_plan
from rntk_bench.benchmark.runner import count_stored, run_plan
from rntk_bench.config import Experiment
from rntk_bench.datasets import resample_dataset
from rntk_bench.errors import StorageError
from rntk_bench.kernels import RBF, RNTK
from rntk_bench.methods import KernelMethod
from rntk_bench.storage.records import read_records
from rntk_bench.svm import smo

RBF_METHOD = KernelMethod("rbf", {"alpha": (0.5, 2.0)}, RBF)
OVERFLOWING = KernelMethod("rntk", {"sigma_w": (1e200,)}, RNTK)
EXPERIMENT = Experiment(n_folds=3)


def run(results, options, datasets, methods=(RBF_METHOD,), experiment=EXPERIMENT):
    started = []

    def start(loaded):
        started.append((loaded.dataset.name, loaded.evaluation.method.name))

    plan = make_plan(datasets, methods, experiment, results)
    outcomes = run_plan(plan, options, partial(compute_locally, options=options, start=start))
    return [outcome.kind for outcome in outcomes], started


@pytest.fixture
def results(tmp_path):
    return tmp_path / "runs"


def test_what_has_a_record_is_kept(results, write_dataset):
    options = RunOptions(data_dir=write_dataset("Mine"))
    assert run(results, options, ["Mine"]) == (["computed"], [("Mine", "rbf")])
    assert run(results, options, ["Mine"]) == (["kept"], [])


def test_another_protocol_or_other_data_is_computed_and_both_records_stay(results, write_dataset):
    data = write_dataset("Mine")
    options = RunOptions(data_dir=data)
    run(results, options, ["Mine"])
    assert run(results, options, ["Mine"], experiment=Experiment(n_folds=4))[0] == ["computed"]
    assert len(read_records(results)[0]) == 2
    train, test = (data / "Mine" / f"Mine_{split}.tsv" for split in ("TRAIN", "TEST"))
    train.write_text(test.read_text())
    assert run(results, options, ["Mine"])[0] == ["computed"]


def test_a_failed_evaluation_is_recorded_and_the_others_go_on(results, write_dataset):
    options = RunOptions(data_dir=write_dataset("Mine"))
    kinds, _ = run(results, options, ["Mine"], [OVERFLOWING, RBF_METHOD])
    assert kinds == ["failed", "computed"]
    records, _ = read_records(results)
    assert [(r.status, bool(r.error)) for r in records] == [("ok", False), ("failed", True)]
    assert run(results, options, ["Mine"], [OVERFLOWING]) == (["failed"], [])
    again = replace(options, overwrite="failed")
    assert run(results, again, ["Mine"], [OVERFLOWING, RBF_METHOD])[1] == [("Mine", "rntk")]


class Breaking(RBF):
    """A kernel that raises `error` on every Gram."""

    error: Exception

    @classmethod
    def grams(cls, kernels, prepared):
        raise cls.error


UNEXPECTED = [
    (MemoryError("Unable to allocate 4.03 GiB"), "MemoryError: Unable to allocate 4.03 GiB"),
    (
        np.linalg.LinAlgError("SVD did not\nconverge"),
        "unexpected LinAlgError: SVD did not converge.",
    ),
    (ZeroDivisionError(), "unexpected ZeroDivisionError."),
    (OSError(11, "Resource temporarily unavailable"), "unexpected BlockingIOError: "),
]


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(("error", "said"), UNEXPECTED)
def test_any_exception_fails_its_evaluation_alone(
    results, write_dataset, monkeypatch, error, said, n_jobs
):
    monkeypatch.setattr(Breaking, "error", error, raising=False)
    breaking = KernelMethod("breaking", RBF_METHOD.grid, Breaking)
    options = RunOptions(data_dir=write_dataset("Mine"), n_jobs=n_jobs)
    assert run(results, options, ["Mine"], [breaking, RBF_METHOD])[0] == ["failed", "computed"]
    failed, done = read_records(results)[0]
    assert said in failed.error
    assert "\n" not in failed.error
    assert failed.traceback.startswith("Traceback")
    assert "in grams" in failed.traceback
    assert done.traceback is None
    assert run(results, options, ["Mine"], [breaking, RBF_METHOD]) == (["failed", "kept"], [])


def test_an_error_of_ours_needs_no_traceback(results, write_dataset):
    options = RunOptions(data_dir=write_dataset("Mine"))
    run(results, options, ["Mine"], [OVERFLOWING])
    ((record,), _) = read_records(results)
    assert record.traceback is None


@pytest.mark.parametrize("error", [StorageError("No room."), KeyboardInterrupt()])
def test_what_ends_a_run_is_no_failed_evaluation(results, write_dataset, monkeypatch, error):
    hidden = SystemError("of compiled code")
    hidden.__context__ = error
    raised = hidden if isinstance(error, KeyboardInterrupt) else error
    monkeypatch.setattr(Breaking, "error", raised, raising=False)
    options = RunOptions(data_dir=write_dataset("Mine"))
    with pytest.raises(type(error)):
        run(results, options, ["Mine"], [KernelMethod("breaking", RBF_METHOD.grid, Breaking)])
    assert not read_records(results)[0]


def test_data_that_do_not_fit_into_the_memory_do_not_stop_the_others(
    results, write_dataset, monkeypatch
):
    load = runner.load_dataset

    def limited(name, **options):
        if name == "Large":
            raise MemoryError
        return load(name, **options)

    monkeypatch.setattr(runner, "load_dataset", limited)
    options = RunOptions(data_dir=write_dataset("Mine"))
    assert run(results, options, ["Large", "Mine"])[0] == ["unreadable", "computed"]


def test_more_series_than_the_solver_can_number_are_refused_by_name(
    results, write_dataset, monkeypatch
):
    monkeypatch.setattr(smo, "MAX_SERIES", 11)
    options = RunOptions(data_dir=write_dataset("Mine", n=12))
    assert run(results, options, ["Mine"])[0] == ["failed"]
    ((record,), _) = read_records(results)
    assert record.error.startswith("Mine has 12 training series in its two largest classes")
    monkeypatch.setattr(smo, "MAX_SERIES", 12)
    again = replace(options, overwrite="failed")
    assert run(results, again, ["Mine"])[0] == ["computed"]


def test_each_resample_is_computed_on_its_own_sets_and_the_data_are_read_once(
    results, write_dataset, monkeypatch
):
    data, read, computed = write_dataset("Mine"), [], []
    load = runner.load_dataset

    def load_and_count(name, **folders):
        read.append(name)
        return load(name, **folders)

    monkeypatch.setattr(runner, "load_dataset", load_and_count)
    options = RunOptions(data_dir=data)
    plan = make_plan(["Mine"], [RBF_METHOD], EXPERIMENT, results, (0, 1, 7))

    def start(loaded):
        computed.append(loaded)

    kinds = [
        each.kind
        for each in run_plan(plan, options, partial(compute_locally, options=options, start=start))
    ]
    assert kinds == ["computed"] * 3
    assert read == ["Mine"]
    official = load("Mine", data_dir=data)
    records = {record.resample: record for record in read_records(results)[0]}
    assert list(records) == [0, 1, 7]
    for resample, loaded in zip(records, computed, strict=True):
        expected = resample_dataset(official, resample)
        assert loaded.dataset.fingerprint == expected.fingerprint
        assert records[resample].data["fingerprint"] == expected.fingerprint
        assert records[resample].protocol.get("resample", 0) == resample
    assert [each.kind for each in run_plan(plan, options)] == ["kept"] * 3
    train = data / "Mine" / "Mine_TRAIN.tsv"
    train.write_text((data / "Mine" / "Mine_TEST.tsv").read_text())
    assert [each.kind for each in run_plan(plan, options)] == ["computed"] * 3  # of other data


def test_a_failure_on_a_resample_says_which(results, write_dataset):
    options = RunOptions(data_dir=write_dataset("Mine"))
    plan = make_plan(["Mine"], [OVERFLOWING], EXPERIMENT, results, (2,))
    (outcome,) = run_plan(plan, options)
    assert (outcome.title, outcome.kind) == ("Mine rntk resample 2", "failed")
    ((record,), _) = read_records(results)
    assert (record.status, record.resample) == ("failed", 2)


def test_what_cannot_be_resampled_is_said_once_and_the_archives_split_is_computed(
    results, write_dataset
):
    data = write_dataset("Mine")
    with (data / "Mine" / "Mine_TRAIN.tsv").open("a") as file:
        file.write("2" + "\t0.5" * 9 + "\n")
    reported = []
    options = RunOptions(data_dir=data)
    plan = make_plan(["Mine"], [RBF_METHOD], EXPERIMENT, results, range(4))
    outcomes = run_plan(plan, options, report=reported.append)
    assert [each.kind for each in outcomes] == ["computed", *["unreadable"] * 3]
    assert [each.kind for each in reported] == ["computed", "unreadable"]
    assert "no test series has the class '2'" in reported[1].message


def test_unreadable_data_does_not_stop_the_others(results, write_dataset):
    data = write_dataset("Mine")
    (data / "Bad").mkdir()
    (data / "Bad" / "Bad_TRAIN.tsv").write_text("")
    options = RunOptions(data_dir=data)
    assert run(results, options, ["Bad", "Mine"])[0] == ["unreadable", "computed"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"schema": 99}'])
def test_a_damaged_record_is_computed_again(results, write_dataset, damage):
    options = RunOptions(data_dir=write_dataset("Mine"))
    run(results, options, ["Mine"])
    (path,) = results.glob("*/*.json")
    path.write_text(damage)
    assert run(results, options, ["Mine"])[0] == ["computed"]
    json.loads(path.read_text())


def test_always_and_fail_fast(results, write_dataset):
    options = RunOptions(data_dir=write_dataset("Mine"), overwrite="always", fail_fast=True)
    run(results, options, ["Mine"])
    assert run(results, options, ["Mine"])[0] == ["computed"]
    assert run(results, options, ["Mine"], [OVERFLOWING, RBF_METHOD])[0] == ["failed"]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_evaluation_that_takes_too_long_fails_and_the_next_has_its_own_time(
    results, write_dataset, n_jobs
):
    data = write_dataset("Mine")
    options = RunOptions(data_dir=data, timeout=1e-9, n_jobs=n_jobs)
    assert run(results, options, ["Mine"])[0] == ["failed"]
    (record,), _ = read_records(results)
    assert "time limit of 1e-09 s" in record.error
    again = replace(options, timeout=60.0, overwrite="failed")
    assert run(results, again, ["Mine"])[0] == ["computed"]


def test_a_failed_attempt_does_not_replace_a_finished_record(results, write_dataset):
    options = RunOptions(data_dir=write_dataset("Mine"))
    plan = make_plan(["Mine"], [RBF_METHOD], Experiment(), results)
    assert run_plan(plan, options)[0].kind == "computed"
    before = plan[0].record_path.read_bytes()
    (outcome,) = run_plan(plan, replace(options, overwrite="always", timeout=1e-9))
    assert outcome.kind == "failed"
    assert outcome.message.endswith("The record that it had stays.")
    assert plan[0].record_path.read_bytes() == before


def test_what_is_no_record_of_the_evaluation_is_kept_under_another_name(results, write_dataset):
    data = write_dataset("Mine")
    options, plan = (
        RunOptions(data_dir=data),
        make_plan(["Mine"], [RBF_METHOD], Experiment(), results),
    )
    (first,) = run_plan(plan, options)
    path = plan[0].record_path
    before, train = path.read_bytes(), data / "Mine" / "Mine_TRAIN.tsv"
    train.write_text((data / "Mine" / "Mine_TEST.tsv").read_text())
    assert run_plan(plan, options)[0].message.endswith(f"it is kept as {path.name}.old1.")
    assert path.with_name(f"{path.name}.old1").read_bytes() == before
    path.write_text("broken")
    assert count_stored(plan) == 0
    (outcome,) = run_plan(plan, options)
    assert (first.kind, outcome.kind) == ("computed", "computed")
    assert path.with_name(f"{path.name}.old2").read_text() == "broken"
    assert len(read_records(results)[0]) == count_stored(plan) == 1


def test_the_runs_of_a_network_stay_if_its_record_cannot_be_written(
    results, write_dataset, monkeypatch
):
    def write(*_):
        raise StorageError("No room.")

    monkeypatch.setattr(runner, "write_record", write)
    plan = make_plan(["Mine"], [RBF_METHOD], Experiment(), results)
    checkpoint = plan[0].checkpoint_path
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("runs")
    with pytest.raises(StorageError, match="No room"):
        run_plan(plan, RunOptions(data_dir=write_dataset("Mine")))
    assert checkpoint.read_text() == "runs"
