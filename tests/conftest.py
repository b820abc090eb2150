"""Fixtures: folders of their own for each test, and small datasets in the archive's layout."""

import os
import signal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest


def pytest_configure(config):
    """Let JAX compile fast, and store it for all tests, the processes they start and later runs."""
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    if _xla_knows_fusion_emitters():
        # Without them, the same networks are compiled in less than two thirds of the time.
        os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")
    if cache := getattr(config, "cache", None):
        folder = cache.mkdir("xla")
        folder.chmod(0o700)
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    # A process that was killed may leave half an entry: it is compiled again, with a warning.
    config.addinivalue_line("filterwarnings", "ignore:Error reading persistent compilation cache")


def _xla_knows_fusion_emitters():
    """Whether the installed XLA is known to have the flag; an unknown one ends the process."""
    try:
        major, minor = map(int, version("jaxlib").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return False
    return (0, 8) <= (major, minor) <= (0, 10)


@pytest.fixture(autouse=True)
def _private_folders(tmp_path_factory, monkeypatch):
    """Keep a test away from what its user, or a run in the checkout, has downloaded or computed."""
    folder = tmp_path_factory.mktemp("private")
    monkeypatch.setenv("RNTK_BENCH_CACHE_DIR", str(folder / "cache"))
    monkeypatch.setenv("RNTK_BENCH_RESULTS", str(folder / "results"))
    monkeypatch.delenv("RNTK_BENCH_DATA_DIR", raising=False)


@pytest.fixture
def _interrupts():
    """Let SIGINT interrupt the processes that a test starts.

    A shell lets its background jobs ignore the signal, and processes inherit that.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def write_dataset(tmp_path):
    """Write a random two-class dataset `name` below tmp_path/data and return that folder."""

    def write(name: str, n: int = 12, length: int = 9, scale: float = 1.0) -> Path:
        rng = np.random.default_rng(len(name))
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        for split in ("TRAIN", "TEST"):
            y = np.arange(n) % 2
            X = scale * (rng.standard_normal((n, length)) + y[:, None])
            rows = [
                "\t".join([str(c), *map(repr, map(float, x))]) for c, x in zip(y, X, strict=True)
            ]
            (folder / f"{name}_{split}.tsv").write_text("\n".join(rows) + "\n")
        return tmp_path / "data"

    return write
