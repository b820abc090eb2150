import sys

import pytest

pytest.importorskip("distributed")

from rntk_bench.benchmark.backend import RunOptions
from rntk_bench.benchmark.dask import connection
from rntk_bench.benchmark.dask.connection import connected
from rntk_bench.errors import ClusterError, ExtraError
from tests.benchmark.dask.cluster import invoke, run_on, until, worker


def disturb_greetings(dask_scheduler, times):
    """Let a message to all clients arrive with the greetings of the next ones."""

    class Comms(dict):
        left = times

        def __setitem__(self, client, comm):
            super().__setitem__(client, comm)
            if self.left:
                self.left -= 1
                comm.send({"op": "cancelled-keys", "keys": ["released"]})

    dask_scheduler.client_comms = Comms(dask_scheduler.client_comms)


def test_a_message_that_arrives_with_the_greeting_does_not_hinder(address):
    with connected(address, (), print) as client:
        client.run_on_scheduler(disturb_greetings, times=2)
        with connected(address, (), print) as second:
            assert len(second.nthreads()) == 2
        client.run_on_scheduler(disturb_greetings, times=connection.GREETINGS)
        with (
            pytest.raises(ClusterError, match="other messages in place of a greeting"),
            connected(address, (), print),
        ):
            pass
        with connected(address, (), print) as third:
            assert len(third.nthreads()) == 2


OLD = """
import rntk_bench.version

rntk_bench.version.__version__ = "0.0.9"
"""


def test_a_worker_of_another_version_is_refused_before_the_plan_and_during_it(
    address, tmp_path, data
):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "sitecustomize.py").write_text(OLD)
    results, options = tmp_path / "runs", RunOptions(data_dir=data)
    with connected(address, (), print) as client:
        with worker(address, "--no-nanny", PYTHONPATH=str(tmp_path / "old")) as old:
            client.wait_for_workers(3, timeout=120)
            with pytest.raises(ClusterError, match=r"rntk-bench 0\.0\.9 instead of"):
                run_on(client, results, options, ["Mine", "Other"])
            with (
                pytest.raises(ClusterError, match=r"rntk-bench 0\.0\.9 instead of"),
                connected(address, (), print),
            ):
                pass
            common = ("run", "-d", "Mine", "--data-dir", str(data), "-m", "rbf", "--backend")
            done = invoke(*common, "dask", "--scheduler", address, "--results", results)
            assert done.exit_code == 4
            assert "could give other answers" in done.output
            old.kill()
            old.wait()
        until(lambda: len(client.nthreads()) == 2)


@pytest.mark.parametrize(
    ("place", "said"),
    [("tcp://127.0.0.1:9", "No Dask scheduler answers"), ("tls://127.0.0.1:9", "certificates")],
)
def test_a_scheduler_that_does_not_answer_is_one_sentence_and_exit_4(monkeypatch, place, said):
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1)
    done = invoke("run", "-d", "GunPoint", "-m", "rbf", "--backend", "dask", "--scheduler", place)
    assert done.exit_code == 4
    assert said in done.output
    assert place in done.output


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ExtraError, match=r"rntk-bench\[cluster\]"), connected("x", (), print):
        pass
