from dataclasses import replace

import numpy as np
import pytest

from rntk_bench.benchmark.evaluation import Problem
from rntk_bench.config import Experiment
from rntk_bench.datasets import load_dataset
from rntk_bench.kernels import RNTK
from rntk_bench.speed import classification as speed
from rntk_bench.speed.variants import PLAIN, _pair_steps, variant_costs
from rntk_bench.svm.svc import SVCOptions


@pytest.fixture(scope="module")
def problem():
    return Problem.of(load_dataset("GunPoint", download=False))


def test_the_obvious_recursion_agrees(problem):
    X = np.asarray(problem.X_train)
    for kernel in (RNTK(1.4, 1.0, 0.1, 0.5), RNTK(1.34)):
        # arccos near 1 costs NumPy half its digits on the diagonal.
        np.testing.assert_allclose(speed.numpy_rntk(X, kernel), kernel(X), rtol=1e-6)


def test_comparisons_check_that_both_ways_agree(problem):
    kernels = speed.spread(20)[::10]
    gram = speed.compare_gram(problem, kernels, repeats=1)
    assert gram.ratio > 0
    assert "ns a pair-step" in gram.agreement
    svm = speed.compare_svm(problem, kernels, Experiment())
    assert svm.agreement.startswith("0 of 500 ")


def test_spread_covers_the_grid():
    position = {kernel: i for i, kernel in enumerate(speed._paper_grid())}
    kernels = speed.spread(20)
    assert len(kernels) == 20
    assert len({kernel.sigma_w for kernel in kernels}) > 10
    for n in (1, 7, 600, 899, 900):
        kernels = speed.spread(n)
        assert len(set(kernels)) == n
        places = [position[kernel] for kernel in kernels]
        assert max(np.diff([*places, 900]), default=0) <= -(-900 // n)


def test_the_whole_comparison_chooses_alike(write_dataset, monkeypatch):
    data = load_dataset("Mine", data_dir=write_dataset("Mine"))
    method = speed.KERNEL_METHODS["rntk"]
    grid = {name: values[::3] for name, values in method.grid.items()}
    monkeypatch.setitem(speed.KERNEL_METHODS, "rntk", replace(method, grid=grid))
    result = speed.compare_whole(data, Experiment(n_folds=3), 1)
    first, second = (
        result.agreement.split(", test ")[0].removeprefix("validation ").split(" against ")
    )
    assert first == second.removesuffix(" %")


def test_sklearn_hits_counts_right_predictions():
    y = np.array([0, 0, 0, 1, 1, 1])
    gram = np.where(y[:, None] == y, 1.0, 0.0) + np.eye(6)
    hits = speed.sklearn_hits(gram, y, np.arange(6) % 3, SVCOptions(C=(1.0,)))
    np.testing.assert_array_equal(hits, [[2, 2, 2]])


def test_variants_are_measured_against_the_plainest(problem):
    costs = {cost.name: cost for cost in variant_costs(problem, repeats=1)}
    assert costs[PLAIN].ratio == 1.0
    assert costs["tanh"].ratio > 1.0
    assert all(cost.nanoseconds > 0 for cost in costs.values())
    assert _pair_steps([[1, 2, 3], [1], [1, 2]]) == (3 + 1 + 2) + (1 + 2 + 1)
