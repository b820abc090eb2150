import signal
import subprocess
from dataclasses import replace
from threading import Thread

import pytest

pytest.importorskip("distributed")

from rntk_bench.benchmark.backend import RunOptions
from rntk_bench.benchmark.dask import connection
from rntk_bench.benchmark.dask.backend import DaskBackend
from rntk_bench.benchmark.dask.connection import connected
from rntk_bench.benchmark.evaluation import failed_record
from rntk_bench.benchmark.plan import make_plan
from rntk_bench.benchmark.runner import Runner, run_plan
from rntk_bench.errors import ClusterError
from rntk_bench.kernels import RNTK
from rntk_bench.methods import KERNEL_METHODS, METHODS, KernelMethod
from rntk_bench.storage.records import read_records
from tests.benchmark.dask.cluster import (
    CUT,
    EXPERIMENT,
    METHODS_HERE,
    WHOLE,
    answers,
    invoke,
    process,
    run_here,
    run_on,
    scheduler,
    until,
    worker,
)


def test_records_are_the_same_for_any_number_of_jobs_and_on_the_cluster(address, tmp_path, data):
    overflowing = KernelMethod("nngp", {"sigma_w": (1e200,)}, RNTK)
    shared = (KERNEL_METHODS["rntk-shared"], KERNEL_METHODS["rntk-multiscale"])
    methods, datasets = (*METHODS_HERE, *shared, overflowing), ["Mine", "Other"]
    options = RunOptions(data_dir=data)
    run_here(tmp_path / "1", options, datasets, methods)
    expected = answers(tmp_path / "1")
    assert len(expected) == 12
    assert sum('"failed"' in text for text in expected.values()) == 2
    run_here(tmp_path / "2", replace(options, n_jobs=2), datasets, methods)
    assert answers(tmp_path / "2") == expected
    with connected(address, methods, print) as client:
        for length in (WHOLE, CUT):
            results = tmp_path / str(length)
            run_on(client, results, options, datasets, methods, length=length)
            assert answers(results) == expected


def test_resamples_have_the_same_records_on_the_cluster(address, tmp_path, data):
    here, there = tmp_path / "here", tmp_path / "there"
    options, methods = RunOptions(data_dir=data), METHODS_HERE[1:]
    plans = [make_plan(["Mine"], methods, EXPERIMENT, place, (0, 3, 4)) for place in (here, there)]
    run_plan(plans[0], options)
    with connected(address, methods, print) as client:
        run_plan(plans[1], options, DaskBackend(client, methods, options, chunk_seconds=CUT))
    expected = answers(here)
    assert len(expected) == 6
    assert answers(there) == expected


def test_the_time_limit_of_an_evaluation_holds_for_its_chunks_together(address, tmp_path, data):
    here, there = tmp_path / "here", tmp_path / "there"
    options = RunOptions(data_dir=data, timeout=1e-6)
    run_here(here, options, ["Mine"])
    with connected(address, (), print) as client:
        outcomes = run_on(client, there, options, ["Mine"])
    assert {outcome.kind for outcome in outcomes} == {"failed"}
    assert answers(there) == answers(here)
    assert all("the time limit of 1e-06 s" in text for text in answers(there).values())


def test_a_network_is_trained_on_one_worker_and_has_the_same_record(address, tmp_path, data):
    grid = {"n_layers": (1,), "width": (4,), "learning_rate": (0.1,)}
    methods = (replace(METHODS["gru"], grid=grid),)
    here, there = tmp_path / "here", tmp_path / "there"
    options = RunOptions(data_dir=data)
    run_here(here, options, ["Mine"], methods)
    with connected(address, methods, print) as client:
        run_on(client, there, options, ["Mine"], methods)
    assert answers(there) == answers(here)


def test_a_worker_killed_half_way_costs_no_evaluation(address, tmp_path, data):
    here, there = tmp_path / "here", tmp_path / "there"
    datasets, options = ["Mine", "Other"], RunOptions(data_dir=data)
    run_here(here, options, datasets)
    with connected(address, (), print) as client, worker(address, "--no-nanny") as third:
        others = set(client.nthreads())
        client.wait_for_workers(3, timeout=120)
        alive = set(client.nthreads())
        assert len(alive) == 3
        (its_address,) = alive - others

        def kill():
            until(lambda: client.processing().get(its_address), interval=0.001)
            third.kill()
            third.wait()

        killer = Thread(target=kill)
        killer.start()
        outcomes = run_on(client, there, options, datasets)
        killer.join()
        assert third.returncode == -signal.SIGKILL
        assert len(client.nthreads()) == 2
    assert {outcome.kind for outcome in outcomes} == {"computed"}
    assert answers(there) == answers(here)


POISON = """
import os
import signal

from rntk_bench.kernels import RBF


class Poison(RBF):
    def gram(self, prepared):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_evaluation_that_kills_its_workers_fails_and_the_others_are_computed(
    tmp_path, data, monkeypatch
):
    (tmp_path / "poison.py").write_text(POISON)
    monkeypatch.syspath_prepend(tmp_path)
    from poison import Poison

    poison = KernelMethod("poison", {"alpha": (1.0,)}, Poison)
    results, options = tmp_path / "runs", RunOptions(data_dir=data)
    # The scheduler gives a task up with the first worker that dies, also one that only waited.
    strict = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    with (
        scheduler(tmp_path, PYTHONPATH=str(tmp_path), **strict) as (_, address),
        worker(address, PYTHONPATH=str(tmp_path)),
        connected(address, (), print) as client,
    ):
        methods = (poison, *METHODS_HERE)
        outcomes = run_on(client, results, options, ["Mine"], methods, length=WHOLE)
    kinds = {outcome.method: outcome.kind for outcome in outcomes}
    assert kinds == {"poison": "failed", "rntk": "computed", "ntk": "computed", "rbf": "computed"}
    failed = next(record for record in read_records(results)[0] if record.error)
    assert "Every worker that computed poison on Mine died" in failed.error


BREAKING = """
from rntk_bench.kernels import RBF


class Breaking(RBF):
    def gram(self, prepared):
        raise MemoryError("for a Gram")
"""


@pytest.mark.parametrize("length", [WHOLE, CUT])
def test_any_exception_on_a_worker_fails_its_evaluation_alone(tmp_path, data, monkeypatch, length):
    (tmp_path / "breaking.py").write_text(BREAKING)
    monkeypatch.syspath_prepend(tmp_path)
    from breaking import Breaking

    breaking = KernelMethod("breaking", {"alpha": (1.0, 2.0, 3.0)}, Breaking)
    results, options = tmp_path / "runs", RunOptions(data_dir=data)
    with (
        scheduler(tmp_path, PYTHONPATH=str(tmp_path)) as (_, address),
        worker(address, "--no-nanny", PYTHONPATH=str(tmp_path)),
        connected(address, (), print) as client,
    ):
        outcomes = run_on(
            client, results, options, ["Mine"], (breaking, METHODS_HERE[2]), length=length
        )
    assert [outcome.kind for outcome in outcomes] == ["failed", "computed"]
    failed = next(record for record in read_records(results)[0] if record.error)
    assert "MemoryError: for a Gram" in failed.error
    assert "in gram" in failed.traceback


def test_a_kernel_of_ones_own_that_the_cluster_lacks_is_named(address, tmp_path, data, monkeypatch):
    (tmp_path / "lacking.py").write_text(POISON)
    monkeypatch.syspath_prepend(tmp_path)
    from lacking import Poison

    methods = (KernelMethod("lacking", {"alpha": (1.0,)}, Poison),)
    results, options = tmp_path / "runs", RunOptions(data_dir=data)
    with (
        connected(address, (), print) as client,
        pytest.raises(ClusterError, match="No module named 'lacking'"),
    ):
        run_on(client, results, options, ["Mine"], methods, length=WHOLE)


def test_a_lost_scheduler_ends_the_plan_and_what_is_finished_is_kept(tmp_path, data, monkeypatch):
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1)
    results, options = tmp_path / "runs", RunOptions(data_dir=data)
    with (
        scheduler(tmp_path) as (lost, address),
        worker(address, "--no-nanny"),
        connected(address, (), print) as client,
        pytest.raises(ClusterError, match="scheduler is gone"),
    ):
        run_on(client, results, options, ["Mine", "Other"], report=lambda _: lost.kill())
    assert len(read_records(results)[0]) == 1


def test_the_command_runs_a_plan_on_the_cluster(address, tmp_path, data):
    common = ("run", "-d", "Mine", "--data-dir", data, "-m", "rbf", "-m", "poly")
    where = ("--backend", "dask", "--scheduler", address)
    done = invoke(*common, *where, "--results", tmp_path / "there")
    assert done.exit_code == 0, done.output
    assert "Mine rbf: test" in done.output
    assert invoke(*common, "--results", tmp_path / "here").exit_code == 0
    assert answers(tmp_path / "there") == answers(tmp_path / "here")
    again = invoke(*common, *where, "--results", tmp_path / "there")
    assert again.output.count("[kept]") == 2


def test_cells_of_another_process_are_waited_for_and_their_records_found(address, tmp_path, data):
    results, options = tmp_path / "runs", RunOptions(data_dir=data)
    plan = make_plan(["Mine"], METHODS_HERE, EXPERIMENT, results)
    with (
        connected(address, (), print) as client,
        Runner(plan, options, lambda _: None) as other,
    ):
        locked, dataset = next(other.pending())

        def report(outcome):
            if not other.outcomes:
                assert outcome.method != locked.method.name
                error = ClusterError("Made up")
                other.store(locked, failed_record(dataset, locked.method, EXPERIMENT, error))

        outcomes = run_on(client, results, options, ["Mine"], report=report)
    kinds = {outcome.method: outcome.kind for outcome in outcomes}
    assert len(kinds) == len(METHODS_HERE) > 1
    assert kinds.pop(locked.method.name) == "failed"
    assert set(kinds.values()) == {"computed"}


@pytest.mark.usefixtures("_interrupts")
def test_ctrl_c_keeps_what_is_finished_and_cancels_the_rest(address, tmp_path, data):
    results = tmp_path / "runs"
    command = (
        *("rntk_bench", "run", "-d", "Mine", "-d", "GunPoint", "-m", "rbf", "-m", "rntk-extended"),
        *("--data-dir", data, "--results", results, "--no-prune"),
        *("--backend", "dask", "--scheduler", address),
    )
    with process(*command, stderr=subprocess.PIPE) as started:
        until(lambda: list(results.glob("*/*.json")) or started.poll() is not None)
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=60)
    assert started.returncode == 130, said
    assert "of 4 evaluations are finished and kept" in said
    assert "Traceback" not in said
    with connected(address, (), print) as client:
        until(lambda: not client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.tasks))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--scheduler", "tcp://127.0.0.1:8786"], "--backend dask"),
        (["--backend", "dask"], "--scheduler"),
        (["--backend", "dask", "--scheduler", "tcp://127.0.0.1:8786", "-j", "2"], "--jobs"),
        (["--backend", "dask", "--scheduler", "tcp://127.0.0.1:8786", "--dry-run"], "--dry-run"),
        (["--backend", "ray"], "--backend"),
    ],
)
def test_options_that_mean_nothing_together_are_refused(arguments, named):
    done = invoke("run", "-d", "GunPoint", *arguments)
    assert done.exit_code == 2
    assert named in done.output
