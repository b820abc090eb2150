"""A cluster of processes of this machine, and plans that run on it."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

from click.testing import CliRunner

from rntk_bench.benchmark.dask.backend import DaskBackend
from rntk_bench.benchmark.plan import make_plan
from rntk_bench.benchmark.runner import run_plan
from rntk_bench.cli import main
from rntk_bench.config import Experiment
from rntk_bench.kernels import NTK, RBF, RNTK
from rntk_bench.methods import KernelMethod
from tests.paths import ROOT

GRID = {"sigma_w": (1.3, 1.4, 1.45), "sigma_b": (0.0, 0.3), "sigma_h": (0.0, 0.1)}
METHODS_HERE = (
    KernelMethod("rntk", GRID, RNTK),
    KernelMethod("ntk", {"n_layers": (1, 2), "sigma_w": (1.0, 2.0), "sigma_b": (0.0, 0.5)}, NTK),
    KernelMethod("rbf", {"alpha": (0.1, 1.0, 10.0)}, RBF),
)
EXPERIMENT = Experiment(n_folds=5)
WHOLE, CUT = 1e3, 1e-6
"""Lengths of pieces that leave every cell whole, and that cut it up."""


def until(condition, seconds=120, interval=0.02):
    """Wait until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(interval)


@contextmanager
def process(*command, stderr=subprocess.DEVNULL, **environment):
    """A process in a group of its own, which is killed at the end."""
    paths = [str(ROOT), *filter(None, [environment.pop("PYTHONPATH", None)])]
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "False",
        **environment,
    }
    started = subprocess.Popen(
        [sys.executable, "-m", *map(str, command)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


@contextmanager
def scheduler(folder, **environment):
    """A scheduler on a free port of this machine: its process and its address."""
    told = folder / "scheduler.json"

    def address():
        """The address that it has told, once the file is whole."""
        with suppress(FileNotFoundError, ValueError):
            return json.loads(told.read_text())["address"]

    with process(
        *("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", 0),
        *("--no-dashboard", "--scheduler-file", told),
        **environment,
    ) as started:
        until(lambda: address() or started.poll() is not None)
        yield started, address()


def worker(address, *options, **environment):
    """A worker process of one thread."""
    return process(
        *("distributed.cli.dask_worker", address, "--nthreads", 1, "--no-dashboard", *options),
        **environment,
    )


def run_on(
    client, results, options, datasets, methods=METHODS_HERE, report=lambda _: None, length=CUT
):
    backend = DaskBackend(client, methods, options, chunk_seconds=length)
    plan = make_plan(datasets, methods, EXPERIMENT, results)
    return run_plan(plan, options, backend, report)


def run_here(results, options, datasets, methods=METHODS_HERE):
    return run_plan(make_plan(datasets, methods, EXPERIMENT, results), options)


def answers(results):
    """Every record's text but what may differ from run to run."""
    found = {}
    for path in sorted(results.glob("*/*.json")):
        record = json.loads(path.read_text())
        for varies in ("timings", "environment", "created", "digest"):
            del record[varies]
        found[path.relative_to(results)] = json.dumps(record)
    return found


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
