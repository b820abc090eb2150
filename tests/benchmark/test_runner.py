import json
from dataclasses import replace

import numpy as np
import pytest

from rntk_bench.benchmark import plan
from rntk_bench.benchmark.plan import Options
from rntk_bench.benchmark.runner import run_plan
from rntk_bench.config import Experiment
from rntk_bench.errors import StorageError
from rntk_bench.kernels import RBF, RNTK
from rntk_bench.methods import KernelMethod
from rntk_bench.storage.records import read_records
from rntk_bench.svm import smo

RBF_METHOD = KernelMethod("rbf", {"alpha": (0.5, 2.0)}, RBF)
OVERFLOWING = KernelMethod("rntk", {"sigma_w": (1e200,)}, RNTK)
EXPERIMENT = Experiment(n_folds=3)


def run(options, datasets, methods=(RBF_METHOD,), experiment=EXPERIMENT):
    started = []

    def start(dataset, method):
        started.append((dataset.name, method.name))
        return lambda *_: None

    outcomes = run_plan(datasets, methods, experiment, options, start, lambda _: None)
    return [outcome.kind for outcome in outcomes], started


def test_what_has_a_record_is_kept(tmp_path, write_dataset):
    options = Options(tmp_path / "runs", data_dir=write_dataset("Mine"))
    assert run(options, ["Mine"]) == (["computed"], [("Mine", "rbf")])
    assert run(options, ["Mine"]) == (["kept"], [])


def test_another_protocol_or_other_data_is_computed_and_both_records_stay(tmp_path, write_dataset):
    data = write_dataset("Mine")
    options = Options(tmp_path / "runs", data_dir=data)
    run(options, ["Mine"])
    assert run(options, ["Mine"], experiment=Experiment(n_folds=4))[0] == ["computed"]
    assert len(read_records(tmp_path / "runs")[0]) == 2
    train, test = (data / "Mine" / f"Mine_{split}.tsv" for split in ("TRAIN", "TEST"))
    train.write_text(test.read_text())
    assert run(options, ["Mine"])[0] == ["computed"]


def test_a_failed_cell_is_recorded_and_the_others_go_on(tmp_path, write_dataset):
    options = Options(tmp_path / "runs", data_dir=write_dataset("Mine"))
    kinds, _ = run(options, ["Mine"], [OVERFLOWING, RBF_METHOD])
    assert kinds == ["failed", "computed"]
    records, _ = read_records(tmp_path / "runs")
    assert [(r.status, bool(r.error)) for r in records] == [("ok", False), ("failed", True)]
    assert run(options, ["Mine"], [OVERFLOWING]) == (["failed"], [])
    again = Options(options.results, data_dir=options.data_dir, overwrite="failed")
    assert run(again, ["Mine"], [OVERFLOWING, RBF_METHOD])[1] == [("Mine", "rntk")]


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
def test_any_exception_fails_its_cell_alone(
    tmp_path, write_dataset, monkeypatch, error, said, n_jobs
):
    monkeypatch.setattr(Breaking, "error", error, raising=False)
    breaking = KernelMethod("breaking", RBF_METHOD.grid, Breaking)
    options = Options(tmp_path / "runs", data_dir=write_dataset("Mine"), n_jobs=n_jobs)
    assert run(options, ["Mine"], [breaking, RBF_METHOD])[0] == ["failed", "computed"]
    failed, done = read_records(options.results)[0]
    assert said in failed.error
    assert "\n" not in failed.error
    assert failed.traceback.startswith("Traceback")
    assert "in grams" in failed.traceback
    assert done.traceback is None
    assert run(options, ["Mine"], [breaking, RBF_METHOD]) == (["failed", "kept"], [])


def test_an_error_of_ours_needs_no_traceback(tmp_path, write_dataset):
    options = Options(tmp_path / "runs", data_dir=write_dataset("Mine"))
    run(options, ["Mine"], [OVERFLOWING])
    ((record,), _) = read_records(options.results)
    assert record.traceback is None


@pytest.mark.parametrize("error", [StorageError("No room."), KeyboardInterrupt()])
def test_what_ends_a_run_is_no_failed_cell(tmp_path, write_dataset, monkeypatch, error):
    hidden = SystemError("of compiled code")
    hidden.__context__ = error
    raised = hidden if isinstance(error, KeyboardInterrupt) else error
    monkeypatch.setattr(Breaking, "error", raised, raising=False)
    options = Options(tmp_path / "runs", data_dir=write_dataset("Mine"))
    with pytest.raises(type(error)):
        run(options, ["Mine"], [KernelMethod("breaking", RBF_METHOD.grid, Breaking)])
    assert not read_records(options.results)[0]


def test_data_that_do_not_fit_into_the_memory_do_not_stop_the_others(
    tmp_path, write_dataset, monkeypatch
):
    load = plan.load_dataset

    def limited(name, **options):
        if name == "Large":
            raise MemoryError
        return load(name, **options)

    monkeypatch.setattr(plan, "load_dataset", limited)
    options = Options(tmp_path / "runs", data_dir=write_dataset("Mine"))
    assert run(options, ["Large", "Mine"])[0] == ["unreadable", "computed"]


def test_more_series_than_the_solver_can_number_are_refused_by_name(
    tmp_path, write_dataset, monkeypatch
):
    monkeypatch.setattr(smo, "MAX_SERIES", 11)
    options = Options(tmp_path / "runs", data_dir=write_dataset("Mine", n=12))
    assert run(options, ["Mine"])[0] == ["failed"]
    ((record,), _) = read_records(options.results)
    assert record.error.startswith("Mine has 12 training series in its two largest classes")
    monkeypatch.setattr(smo, "MAX_SERIES", 12)
    again = replace(options, overwrite="failed")
    assert run(again, ["Mine"])[0] == ["computed"]


def test_unreadable_data_does_not_stop_the_others(tmp_path, write_dataset):
    data = write_dataset("Mine")
    (data / "Bad").mkdir()
    (data / "Bad" / "Bad_TRAIN.tsv").write_text("")
    options = Options(tmp_path / "runs", data_dir=data)
    assert run(options, ["Bad", "Mine"])[0] == ["unreadable", "computed"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"schema": 99}'])
def test_a_damaged_record_is_computed_again(tmp_path, write_dataset, damage):
    options = Options(tmp_path / "runs", data_dir=write_dataset("Mine"))
    run(options, ["Mine"])
    (path,) = (tmp_path / "runs").glob("*/*.json")
    path.write_text(damage)
    assert run(options, ["Mine"])[0] == ["computed"]
    json.loads(path.read_text())


def test_always_and_fail_fast(tmp_path, write_dataset):
    options = Options(tmp_path / "runs", write_dataset("Mine"), overwrite="always", fail_fast=True)
    run(options, ["Mine"])
    assert run(options, ["Mine"])[0] == ["computed"]
    assert run(options, ["Mine"], [OVERFLOWING, RBF_METHOD])[0] == ["failed"]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_cell_that_takes_too_long_fails_and_the_next_has_its_own_time(
    tmp_path, write_dataset, n_jobs
):
    data = write_dataset("Mine")
    options = Options(tmp_path / "runs", data_dir=data, timeout=1e-9, n_jobs=n_jobs)
    assert run(options, ["Mine"])[0] == ["failed"]
    (record,), _ = read_records(tmp_path / "runs")
    assert "time limit of 1e-09 s" in record.error
    again = replace(options, timeout=60.0, overwrite="failed")
    assert run(again, ["Mine"])[0] == ["computed"]
