import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from rntk_bench.benchmark import network_evaluation as network_cell
from rntk_bench.benchmark.evaluation import Problem
from rntk_bench.benchmark.network_evaluation import run_network_cell
from rntk_bench.benchmark.plan import make_plan
from rntk_bench.benchmark.runner import RunOptions, run_plan
from rntk_bench.config import Experiment, Network
from rntk_bench.datasets import Dataset, load_dataset
from rntk_bench.deadline import Deadline, TimeLimitError
from rntk_bench.errors import RntkBenchError
from rntk_bench.kernels import RBF
from rntk_bench.methods import KernelMethod, NetworkMethod
from rntk_bench.networks import pool
from rntk_bench.networks.early_stopping import NO_EPOCH
from rntk_bench.networks.fitting import fit_one
from rntk_bench.networks.series import chunks
from rntk_bench.storage.counts import decode_counts

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


def kill_this_process(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def run_out_of_memory(*_):
    raise MemoryError("for the states")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (kill_this_process, "was ended from outside, perhaps for lack of memory"),
        (run_out_of_memory, "MemoryError: for the states"),
    ],
)
def test_a_worker_that_fails_fails_its_cell_alone(
    tmp_path, write_dataset, monkeypatch, function, said
):
    network = replace(METHOD, grid={**METHOD.grid, "width": (4,), "learning_rate": (0.03,)})
    rbf = KernelMethod("rbf", {"alpha": (1.0,)}, RBF)
    options = RunOptions(data_dir=write_dataset("Mine"))
    plan = make_plan(["Mine"], [network, rbf], EXPERIMENT, tmp_path / "runs")
    with monkeypatch.context() as broken:
        broken.setattr(pool, "train_one", function)
        outcomes = run_plan(plan, options)
    assert [outcome.kind for outcome in outcomes] == ["failed", "computed"]
    record = outcomes[0].record
    assert said in record.error
    if function is run_out_of_memory:
        assert "in run_out_of_memory" in record.traceback


@pytest.fixture(scope="module")
def record():
    return run_network_cell(made_up(), METHOD, EXPERIMENT)


@pytest.fixture(scope="module")
def whole():
    return run_network_cell(made_up(), METHOD, EXPERIMENT, n_jobs=2, prune=False)


def test_a_record_holds_the_choice_and_its_test(record):
    selection, test = record.selection, record.test
    hits = decode_counts(selection["hits"])
    sizes = np.array(selection["fold_sizes"])
    assert hits.shape[:2] == (4, 3)
    complete = (hits[:, :, 0] != NO_EPOCH).all(axis=1)
    means = np.where(complete, (hits.max(axis=2) / sizes).mean(axis=1), -1)
    assert selection["setting_index"] == int(np.argmax(means > means.max() - 1e-12))
    assert selection["setting"] == METHOD.settings()[selection["setting_index"]]
    assert selection["accuracy"] == pytest.approx(means.max())
    chosen = hits[selection["setting_index"]]
    assert selection["best_epochs"] == (chosen.argmax(axis=1) + 1).tolist()
    assert selection["epochs"] == int(np.floor(np.mean(selection["best_epochs"]) + 0.5))
    predictions = np.array(test["predictions"])
    assert test["correct"] == (predictions == made_up().y_test).sum()
    assert test["accuracy"] > 0.7  # it has learned
    assert record.protocol["batch_size"] == 8
    assert record.protocol["optimizer"] == "RMSProp"
    assert record.environment["device"] == "cpu"
    assert {"training", "test", "total"} <= record.timings.keys()


def test_the_record_is_the_same_for_any_number_of_jobs_and_with_pruning(record, whole):
    two = run_network_cell(made_up(), METHOD, EXPERIMENT, n_jobs=2)
    assert answer(two) == answer(record)
    some, every = (decode_counts(r.selection["hits"]) for r in (record, whole))
    assert (every[:, :, 0] != NO_EPOCH).all()
    needed = some[:, :, 0] != NO_EPOCH
    np.testing.assert_array_equal(some[needed], every[needed][:, : some.shape[2]])
    assert whole.test == record.test
    for key in ("setting", "accuracy", "ties", "best_epochs", "epochs"):
        assert whole.selection[key] == record.selection[key]


def test_another_seed_gives_another_record(record):
    other = run_network_cell(made_up(), METHOD, replace(EXPERIMENT, seed=1))
    assert other.selection["hits"] != record.selection["hits"]


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
        assert not pool._workers  # nothing is left running
    train_all, trained = network_cell.train_all, []

    def progress_bar(training, settings, tasks, *others):
        trained.append(len(tasks))
        train_all(training, settings, tasks, *others)

    monkeypatch.setattr(network_cell, "train_all", progress_bar)
    assert answer(cell()) == answer(whole)
    assert trained.pop() <= 12 - 5
    # What belongs to another seed is not taken.
    cell(experiment=replace(EXPERIMENT, seed=1))
    assert trained.pop() == 12


def partial_cell(partial, **options):
    def cell(experiment=EXPERIMENT, **others):
        return run_network_cell(made_up(), METHOD, experiment, partial=partial, **options, **others)

    return cell


def test_progress_reaches_the_end():
    seen = []
    run_network_cell(made_up(), METHOD, EXPERIMENT, progress=lambda *args: seen.append(args))
    assert seen[0][:2] == (0, 12)
    assert seen[-1][:2] == (12, 12)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert 0.5 < seen[-1][2] <= 1


@pytest.mark.parametrize("m", [1, 2])
def test_different_lengths_and_several_dimensions(m):
    method = replace(METHOD, name="gru")
    record = run_network_cell(made_up(equal=False, m=m, n=60), method, EXPERIMENT)
    assert record.data["notes"] == ["Series of different lengths are read at their true lengths."]
    assert record.data["n_dimensions"] == m
    assert record.test["accuracy"] > 0.7


def test_divergence_is_recorded_and_a_grid_that_only_diverges_fails_with_a_sentence():
    rates = {**METHOD.grid, "width": (4,), "learning_rate": (0.03, 1e30)}
    record = run_network_cell(made_up(), replace(METHOD, grid=rates), EXPERIMENT, prune=False)
    assert record.selection["setting"]["learning_rate"] == 0.03
    assert [1, 0] in record.selection["diverged"]
    assert any("runs diverged" in warning for warning in record.warnings)
    rates["learning_rate"] = (1e38,)
    with pytest.raises(RntkBenchError, match="smaller learning rates"):
        run_network_cell(made_up(), replace(METHOD, grid=rates), EXPERIMENT)


def test_a_single_series_is_refused():
    one = made_up(n=2)
    with pytest.raises(RntkBenchError, match="single training series"):
        run_network_cell(one, METHOD, EXPERIMENT)


def test_on_an_accelerator_the_runs_are_vectorised(record, monkeypatch):
    def no_process(*_):
        raise AssertionError("a worker was started")

    monkeypatch.setattr(pool.jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(pool, "Worker", no_process)
    pool.stop_workers()
    together = run_network_cell(made_up(), METHOD, EXPERIMENT)
    assert answer(together) == answer(record)


def test_without_the_extra_the_error_names_it():
    script = (
        "import sys; sys.modules['jax'] = None\n"
        "from rntk_bench.cli import main\n"
        "main(['run', '-d', 'Coffee', '-m', 'gru'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "rntk-bench[finite]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_network_learns_coffee():
    """All of the training series are classified rightly after training on them."""
    problem = Problem.of(load_dataset("Coffee", download=False))
    experiment = Experiment(network=Network(max_epochs=400, patience=400, batch_size=7))
    training = network_cell.training_of(problem, experiment)
    grid = {"n_layers": (1,), "width": (200,), "learning_rate": (3e-3,)}
    method = NetworkMethod("rnn-gaussian", grid)
    ((network, rate),) = network_cell.network_settings(problem.dataset, method)
    held_out, n_chunks = chunks(np.arange(problem.dataset.n_train))
    run = training.final_run(rate, 400)._replace(held_out=held_out, n_chunks=n_chunks)
    initial = training.initial(network, training.n_folds)
    result = fit_one(network, initial, training.series, run, training.rules)
    assert int(result.hits.max()) == problem.dataset.n_train


def test_training_stops_at_a_deadline_and_goes_on_with_more_time(whole, tmp_path):
    cell = partial_cell(tmp_path / "Made" / "rnn.partial", prune=False)

    with Deadline(0.0), pytest.raises(TimeLimitError):
        cell()
    assert not pool._workers
    assert answer(cell()) == answer(whole)


def test_classes_of_one_series_leave_nothing_to_choose_from():
    whole = made_up(n=4)
    classes = np.arange(2)
    dataset = Dataset("Made", whole.X_train, classes, whole.X_test, classes, ("a", "b"), "test")
    method = replace(METHOD, default={"width": 8, "learning_rate": 0.03})
    record = run_network_cell(dataset, method, EXPERIMENT)
    selection = record.selection
    assert selection["by_default"] is True
    assert selection["setting"] == {"n_layers": 1, "width": 8, "learning_rate": 0.03}
    assert selection["ties"] == 4
    assert "Cross-validation cannot choose: all 4 settings have" in record.warnings[-1]
