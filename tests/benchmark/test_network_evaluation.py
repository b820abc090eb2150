import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from rntk_bench.benchmark import network_evaluation as network_cell
from rntk_bench.benchmark.backend import RunOptions
from rntk_bench.benchmark.network_evaluation import evaluate_network
from rntk_bench.benchmark.plan import make_plan
from rntk_bench.benchmark.runner import run_plan
from rntk_bench.config import CRITERIA, Experiment, Network, read_experiment
from rntk_bench.datasets import Dataset, InputScaling, load_dataset, resample_dataset
from rntk_bench.deadline import Deadline, TimeLimitError
from rntk_bench.errors import RntkBenchError
from rntk_bench.kernels import RBF
from rntk_bench.methods import NETWORK_METHODS, KernelMethod, NetworkMethod, resolve
from rntk_bench.networks import pool
from rntk_bench.networks.early_stopping import NO_EPOCH
from rntk_bench.report.results.validation import validation_grid
from rntk_bench.storage.integers import unpack_integers
from rntk_bench.storage.records import read_record, record_path
from tests.paths import CONFIGS, REFERENCE, ROOT

METHOD = NetworkMethod(
    "rnn-gaussian", {"n_layers": (1,), "width": (4, 8), "learning_rate": (0.03, 1e-5)}
)
EXPERIMENT = Experiment(network=Network(n_folds=3, max_epochs=15, patience=3, batch_size=8))


def made_up(n=30, seed=0, m=1, equal=True):
    """Rising and falling series, half for training."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = [
        0.4 * rng.standard_normal((T, m)) + (2 * c - 1) * np.linspace(-1, 1, T)[:, None]
        for c, T in zip(y, [8] * n if equal else rng.integers(5, 9, n), strict=True)
    ]
    X = [x[:, 0] for x in X] if m == 1 else X
    train, test = X[: n // 2], X[n // 2 :]
    if equal:
        train, test = np.stack(train), np.stack(test)
    return Dataset("Made", train, y[: n // 2], test, y[n // 2 :], ("a", "b"), "test")


def answer(record):
    """What must not depend on how the record was computed."""
    return record.protocol, record.data, record.selection, record.test, record.warnings


def test_a_network_is_trained_on_the_resampled_training_set():
    official = made_up(equal=False)
    resampled = resample_dataset(official, 5)
    experiment = replace(EXPERIMENT, resample=5)
    record = evaluate_network(resampled, METHOD, experiment)
    assert record.protocol == METHOD.protocol(EXPERIMENT) | {"resample": 5}
    assert record.data["fingerprint"] == resampled.fingerprint
    predictions = unpack_integers(record.test["predictions"])
    assert record.test["correct"] == (predictions == resampled.y_test).sum()
    of_official = evaluate_network(official, METHOD, EXPERIMENT)
    assert of_official.selection["n_correct"] != record.selection["n_correct"]
    assert "resample" not in of_official.protocol


def run_out_of_memory(*_):
    raise MemoryError("for the states")


def threads_that_train():
    return [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


def test_a_thread_that_fails_fails_its_cell_alone(tmp_path, write_dataset, monkeypatch):
    network = replace(METHOD, grid={**METHOD.grid, "width": (4,), "learning_rate": (0.03,)})
    rbf = KernelMethod("rbf", {"alpha": (1.0,)}, RBF)
    options = RunOptions(data_dir=write_dataset("Mine"))
    plan = make_plan(["Mine"], [network, rbf], EXPERIMENT, tmp_path / "runs")
    with monkeypatch.context() as broken:
        broken.setattr(pool.compiled_runs, "train_one", run_out_of_memory)
        outcomes = run_plan(plan, options)
    assert [outcome.kind for outcome in outcomes] == ["failed", "computed"]
    record = outcomes[0].record
    assert "MemoryError: for the states" in record.error
    assert "in run_out_of_memory" in record.traceback


@pytest.fixture(scope="module")
def record():
    return evaluate_network(made_up(), METHOD, EXPERIMENT)


@pytest.fixture(scope="module")
def whole():
    return evaluate_network(made_up(), METHOD, EXPERIMENT, n_jobs=2, prune=False)


def test_a_record_holds_the_choice_and_its_test(record):
    selection, test = record.selection, record.test
    n_correct = unpack_integers(selection["n_correct"])
    sizes = np.array(selection["fold_sizes"])
    assert n_correct.shape[:2] == (4, 3)
    complete = (n_correct[:, :, 0] != NO_EPOCH).all(axis=1)
    means = np.where(complete, (n_correct.max(axis=2) / sizes).mean(axis=1), -1)
    assert selection["setting_index"] == int(np.argmax(means > means.max() - 1e-12))
    assert selection["setting"] == METHOD.settings[selection["setting_index"]]
    assert selection["accuracy"] == pytest.approx(means.max())
    chosen = n_correct[selection["setting_index"]]
    best = np.array(selection["best_epochs"])
    assert (chosen[np.arange(3), best - 1] == chosen.max(axis=1)).all()
    epochs = unpack_integers(selection["run_epochs"])
    np.testing.assert_array_equal(epochs[selection["setting_index"]], best)
    assert ((epochs > 0) == (n_correct[:, :, 0] != NO_EPOCH)).all()
    accuracies = chosen.max(axis=1) / sizes
    assert accuracies[selection["best_fold"]] == accuracies.max()
    assert selection["epochs"] == best[selection["best_fold"]]
    predictions = unpack_integers(test["predictions"])
    assert test["correct"] == (predictions == made_up().y_test).sum()
    assert test["correct"] == test["fold_correct"][selection["best_fold"]]
    assert len(test["fold_correct"]) == 3
    assert 0 <= test["ensemble_correct"] <= test["n"]
    assert test["accuracy"] > 0.7  # it has learned
    assert record.protocol["batch_size"] == 8
    assert record.protocol["optimizer"] == "RMSProp"
    assert record.environment["device"] == "cpu"
    assert record.environment["trainer"] == "numba"
    assert {"training", "test", "total"} <= record.timings.keys()


def test_the_record_is_the_same_for_any_number_of_jobs_and_with_pruning(record, whole):
    two = evaluate_network(made_up(), METHOD, EXPERIMENT, n_jobs=2)
    assert answer(two) == answer(record)
    some, every = (unpack_integers(r.selection["n_correct"]) for r in (record, whole))
    assert (every[:, :, 0] != NO_EPOCH).all()
    needed = some[:, :, 0] != NO_EPOCH
    np.testing.assert_array_equal(some[needed], every[needed][:, : some.shape[2]])
    assert whole.test == record.test
    for key in ("setting", "accuracy", "ties", "best_epochs", "best_fold", "epochs"):
        assert whole.selection[key] == record.selection[key]


def test_another_seed_gives_another_record(record):
    other = evaluate_network(made_up(), METHOD, replace(EXPERIMENT, seed=1))
    assert other.selection["n_correct"] != record.selection["n_correct"]


class StopHereError(Exception):
    pass


def test_an_interrupted_cell_goes_on_and_gives_the_same_record(whole, tmp_path, monkeypatch):
    partial = tmp_path / "Made" / "rnn.partial"
    cell = partial_cell(partial, prune=False)

    def stop_at(n):
        def progress(done, total, best):
            if done >= n:
                raise StopHereError

        return progress

    for n in (2, 5):
        with pytest.raises(StopHereError):
            cell(n_jobs=2, progress=stop_at(n))
        assert not threads_that_train()  # nothing is left running
    train_all, trained = network_cell.train_all, []

    def progress_bar(training, settings, tasks, *others):
        trained.append(len(tasks))
        train_all(training, settings, tasks, *others)

    monkeypatch.setattr(network_cell, "train_all", progress_bar)
    assert answer(cell()) == answer(whole)
    assert trained[0] <= 12 - 5
    # Of what was finished before, only the weights are missing, and only the chosen setting's.
    assert sum(trained[1:]) <= 3
    # What belongs to another seed is not taken.
    trained.clear()
    cell(experiment=replace(EXPERIMENT, seed=1))
    assert trained == [12]


def test_the_time_of_a_continued_evaluation_includes_that_of_its_interrupted_parts(tmp_path):
    cell = partial_cell(tmp_path / "rnn.partial")

    def pause_and_stop(done, total, best):
        if done >= 2:
            raise StopHereError
        time.sleep(0.3)  # before the first run and before the second one

    start = time.perf_counter()
    with pytest.raises(StopHereError):
        cell(progress=pause_and_stop)
    interrupted = time.perf_counter()
    record = cell()
    end = time.perf_counter()
    assert end - interrupted < record.timings["total"] < end - start


def partial_cell(partial, **options):
    def cell(experiment=EXPERIMENT, **others):
        return evaluate_network(
            made_up(), METHOD, experiment, checkpoint_path=partial, **options, **others
        )

    return cell


def test_progress_reaches_the_end():
    seen = []
    evaluate_network(made_up(), METHOD, EXPERIMENT, progress=lambda *args: seen.append(args))
    assert seen[0][:2] == (0, 12)
    assert seen[-1][:2] == (12, 12)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert 0.5 < seen[-1][2] <= 1


@pytest.mark.parametrize("m", [1, 2])
def test_different_lengths_and_several_dimensions(m):
    method = replace(METHOD, name="gru")
    record = evaluate_network(made_up(equal=False, m=m, n=60), method, EXPERIMENT)
    assert record.data["notes"] == ["Series of different lengths are read at their true lengths."]
    assert record.data["n_dimensions"] == m
    assert record.test["accuracy"] > 0.7


def test_divergence_is_recorded_and_a_grid_that_only_diverges_fails_with_a_sentence():
    rates = {**METHOD.grid, "width": (4,), "learning_rate": (0.03, 1e30)}
    record = evaluate_network(made_up(), replace(METHOD, grid=rates), EXPERIMENT, prune=False)
    assert record.selection["setting"]["learning_rate"] == 0.03
    assert [1, 0] in record.selection["diverged"]
    assert any("runs diverged" in warning for warning in record.warnings)
    rates["learning_rate"] = (1e38,)
    with pytest.raises(RntkBenchError, match="smaller learning rates"):
        evaluate_network(made_up(), replace(METHOD, grid=rates), EXPERIMENT)


def test_a_single_series_is_refused():
    one = made_up(n=2)
    with pytest.raises(RntkBenchError, match="single training series"):
        evaluate_network(one, METHOD, EXPERIMENT)


@pytest.fixture
def _accelerator(monkeypatch):
    """Let JAX train, on the processor, as it would on an accelerator."""
    monkeypatch.setattr(pool, "accelerator", lambda: "a GPU")


@pytest.mark.usefixtures("_accelerator")
@pytest.mark.parametrize("final", ["best-fold", "retrain"])
def test_on_an_accelerator_the_runs_are_vectorised(monkeypatch, final):
    method = replace(METHOD, grid={**METHOD.grid, "width": (4,)})
    with monkeypatch.context() as never:
        never.setattr(pool, "compiled_runs", None)
        together = evaluate_network(made_up(), method, with_network(final=final))
    assert together.environment["device"] == "a GPU"
    assert together.environment["trainer"] == "jax"
    monkeypatch.setattr(pool, "accelerator", lambda: None)
    assert answer(together) == answer(
        evaluate_network(made_up(), method, with_network(final=final))
    )


@pytest.mark.usefixtures("_accelerator")
def test_on_an_accelerator_a_deadline_is_heeded_between_parts_of_the_training(
    monkeypatch, tmp_path
):
    monkeypatch.setattr("rntk_bench.networks.accelerator.runs.EPOCHS_PER_CALL", 1)
    with Deadline(0.0), pytest.raises(TimeLimitError):
        evaluate_network(made_up(), METHOD, EXPERIMENT, checkpoint_path=tmp_path / "made.partial")


def test_without_jax_networks_are_trained_as_well(record):
    script = (
        "import json, sys; sys.modules['jax'] = None\n"
        "from tests.benchmark.test_network_evaluation import *\n"
        "record = evaluate_network(made_up(), METHOD, EXPERIMENT)\n"
        "print(json.dumps([record.selection['n_correct'], record.environment['trainer']]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert json.loads(done.stdout) == [record.selection["n_correct"], "numba"]


@pytest.mark.usefixtures("_interrupts")
def test_an_interrupt_stops_training_within_an_epoch(tmp_path):
    """An epoch of this network takes a minute."""
    X = np.zeros((2000, 400))
    y = np.arange(2000) % 2
    dataset = Dataset("Large", X, y, X[:2], y[:2], ("a", "b"), "test")
    method = replace(METHOD, name="gru", grid={**METHOD.grid, "width": (300,)})
    pool.warm_up()
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        evaluate_network(dataset, method, EXPERIMENT, n_jobs=2)
    assert time.monotonic() - start < 30  # a second on an idle machine
    assert not threads_that_train()


def with_network(**changes):
    return replace(EXPERIMENT, network=replace(EXPERIMENT.network, **changes))


def test_which_network_is_tested_can_be_chosen(record):
    def run(final):
        return evaluate_network(made_up(), METHOD, with_network(final=final))

    ensemble, retrained = run("ensemble"), run("retrain")
    for other in (ensemble, retrained):
        for key in ("n_correct", "setting", "best_epochs", "best_fold"):
            assert other.selection[key] == record.selection[key]
        for key in ("fold_correct", "ensemble_correct"):
            assert other.test[key] == record.test[key]
    assert ensemble.test["correct"] == record.test["ensemble_correct"]
    assert "epochs" not in ensemble.selection
    mean = np.mean(record.selection["best_epochs"])
    assert retrained.selection["epochs"] == int(np.floor(mean + 0.5))
    assert retrained.test["accuracy"] > 0.7


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_record_gives_its_own_choice_back_under_every_criterion(criterion):
    record = evaluate_network(made_up(), METHOD, with_network(criterion=criterion))
    grid, selection = validation_grid(record), record.selection
    chosen = tuple(grid.chosen.values())
    assert {name: grid.axes[name][k] for name, k in grid.chosen.items()} == selection["setting"]
    assert grid.accuracy[chosen] == pytest.approx(100 * selection["accuracy"])
    assert grid.best.sum() == selection["ties"]


def test_networks_read_the_archives_values_or_unit_norm():
    dataset = made_up()
    for name, expected in [
        ("archive", dataset.X_train),
        ("unit-norm", InputScaling("unit-norm")(dataset.X_train)),
    ]:
        experiment = with_network(input=name)
        problem = network_cell.network_problem(dataset, experiment)
        order = np.argsort(dataset.y_train, kind="stable")
        np.testing.assert_array_equal(problem.X_train, expected[order])
        series = network_cell.make_training(problem, experiment).series
        np.testing.assert_allclose(series.X[: len(order), -8:, 0], expected[order], rtol=1e-6)


@pytest.mark.parametrize("name", list(NETWORK_METHODS))
def test_the_papers_literal_protocol_reproduces_its_records(name):
    experiment = read_experiment(CONFIGS / "networks-literal.toml")
    [method] = [method for method in resolve(experiment) if method.name == name]
    path = record_path(REFERENCE, "ArrowHead", name, method.protocol(experiment))
    there = read_record(path)
    dataset = load_dataset("ArrowHead", download=False)
    again = evaluate_network(dataset, method, experiment, prune=there.selection["pruned"])
    assert again.protocol == there.protocol
    assert again.selection["setting"] == there.selection["setting"]
    # Rounding, which another processor does otherwise, comes to little in the first epochs.
    one, other = (
        unpack_integers(record.selection["n_correct"])[:, :, :2] for record in (again, there)
    )
    assert (one == other).mean() > 0.9


def test_training_stops_at_a_deadline_and_goes_on_with_more_time(whole, tmp_path):
    cell = partial_cell(tmp_path / "Made" / "rnn.partial", prune=False)

    with Deadline(0.0), pytest.raises(TimeLimitError):
        cell()
    assert not threads_that_train()
    assert answer(cell()) == answer(whole)


def test_classes_of_one_series_leave_nothing_to_choose_from():
    whole = made_up(n=4)
    classes = np.arange(2)
    dataset = Dataset("Made", whole.X_train, classes, whole.X_test, classes, ("a", "b"), "test")
    method = replace(METHOD, default={"width": 8, "learning_rate": 0.03})
    record = evaluate_network(dataset, method, EXPERIMENT)
    selection = record.selection
    assert selection["by_default"] is True
    assert selection["setting"] == {"n_layers": 1, "width": 8, "learning_rate": 0.03}
    assert selection["ties"] == 4
    assert "Cross-validation cannot choose: all 4 settings have" in record.warnings[-1]
