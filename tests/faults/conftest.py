"""A plan of small evaluations whose Grams are stored, and how many faults of each kind are tried.

The environment variable RNTK_BENCH_FAULTS scales the numbers of faults: 1, as in `make ci`, tries
50 kills, 20 interrupts, 201 damaged files and 2,010 inputs, the same ones each time; 10 tries ten
times as many, which are drawn anew; without it a tenth is tried.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.faults import process_harness

SCALE = float(os.environ.get("RNTK_BENCH_FAULTS", "0.1"))
DRAWN_ANEW = SCALE > 1
SEED = time.time_ns() if DRAWN_ANEW else 0


def scaled(number):
    """Return how many faults to try where RNTK_BENCH_FAULTS=1 tries `number`."""
    return max(1, round(SCALE * number))


CONFIG = """
[experiment]
datasets = ["A", "B", "C"]
methods = ["rntk", "ntk", "rbf", "poly"]
[svm]
C = [0.1, 1, 10]
n_folds = 5
[grid.rntk]
sigma_w = [1.35, 1.414]
sigma_b = [0.0, 0.1, 1.0]
sigma_h = [0.0]
[grid.ntk]
n_layers = [1, 2]
sigma_w = [1.0, 1.4]
sigma_b = [0.0, 0.5]
[grid.rbf]
alpha = [0.1, 1, 10]
[grid.poly]
degree = [1, 2, 3]
r = [0.0, 1.0]
"""


@dataclass(frozen=True)
class Plan:
    config: Path
    data: Path
    undisturbed: dict[str, str]
    seconds: float

    def arguments(self, folder, *more):
        """The command that runs the plan into folders of its own."""
        return (
            *("run", "-c", self.config, "--data-dir", self.data, "-j", "2"),
            *("--results", folder / "results", "--cache-dir", folder / "cache", *more),
        )


def write_dataset(folder, name, n=100, length=100, seed=0):
    """Two noisy classes of sines."""
    rng = np.random.default_rng([seed, *name.encode()])
    (folder / name).mkdir(parents=True)
    for split in ("TRAIN", "TEST"):
        y = rng.integers(0, 2, n)
        y[:2] = 0, 1
        t = np.arange(length) * (0.1 + 0.05 * y[:, None]) + rng.uniform(0, 6, (n, 1))
        X = np.sin(t) + 0.7 * rng.standard_normal((n, length))
        rows = ["\t".join([str(c), *map(repr, x.tolist())]) for c, x in zip(y, X, strict=True)]
        (folder / name / f"{name}_{split}.tsv").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="session")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    for name in ("A", "B", "C"):
        write_dataset(folder / "data", name)
    config = folder / "plan.toml"
    config.write_text(CONFIG)
    plan = Plan(config, folder / "data", {}, 0.0)
    for _ in range(2):  # the first time the server starts
        started = time.monotonic()
        code, said = process_harness.whole(
            plan.arguments(folder, "--overwrite", "always"), folder / "log"
        )
        seconds = time.monotonic() - started
        assert code == 0, said
    undisturbed = process_harness.records(folder / "results")
    assert len(undisturbed) == 12
    return Plan(config, folder / "data", undisturbed, seconds)
