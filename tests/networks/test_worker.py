import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer

import pytest

from rntk_bench.errors import RntkBenchError
from rntk_bench.networks.worker import Worker


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    worker.kill()


def test_calls_are_answered_one_after_the_other(worker):
    assert worker.call(divmod, 7, 2) == (3, 1)
    # What is printed there does not come between the answers.
    assert worker.call(print, "to the terminal") is None
    assert worker.call(os.getpid) != os.getpid()
    assert worker.call(os.getenv, "NPROC") == "1"
    assert worker.call(os.getenv, "JAX_PLATFORMS") == "cpu"


class UnpicklableError(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def raise_unpicklable():
    raise UnpicklableError("this", "that")


def test_an_error_in_a_call_is_raised_here_with_its_place_and_the_worker_goes_on(worker):
    with pytest.raises(ValueError, match="seven") as caught:
        worker.call(int, "seven")
    assert "in serve" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError, match="UnpicklableError: this and that") as caught:
        worker.call(raise_unpicklable)
    assert "in raise_unpicklable" in caught.value.__notes__[0]
    assert worker.call(int, "7") == 7


def test_a_worker_that_is_killed_in_a_call_is_one_sentence(worker):
    victim = worker.call(os.getpid)
    Timer(0.3, os.kill, (victim, signal.SIGKILL)).start()
    with pytest.raises(RntkBenchError, match="--jobs"):
        worker.call(time.sleep, 60)
    with pytest.raises(RntkBenchError, match="--jobs"):
        worker.call(int, "7")


def test_a_worker_leaves_ctrl_c_to_its_parent(worker):
    os.kill(worker.call(os.getpid), signal.SIGINT)
    assert worker.call(int, "7") == 7


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_a_busy_worker_ends_with_its_parent():
    script = (
        "import os, time\n"
        "from threading import Timer\n"
        "from rntk_bench.networks.worker import Worker\n"
        "worker = Worker()\n"
        "print(worker.call(os.getpid), flush=True)\n"
        "worker.call(time.sleep, 60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = parent.stdout.readline().strip()
        assert Path("/proc", pid).exists()
        parent.kill()
    deadline = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid):
    try:
        return ") Z " not in Path("/proc", pid, "stat").read_text()
    except OSError:
        return False


def test_a_signal_to_all_processes_leaves_the_worker_to_its_parent(worker):
    process = worker.call(os.getpid)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(process, number)
    assert worker.call(divmod, 7, 2) == (3, 1)
