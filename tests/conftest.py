"""Fixtures: a cache folder of the test's own, and small datasets in the archive's layout."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _private_folders(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("RNTK_BENCH_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("RNTK_BENCH_DATA_DIR", raising=False)
    monkeypatch.delenv("RNTK_BENCH_RESULTS", raising=False)


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
