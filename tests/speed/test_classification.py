from dataclasses import replace

import numpy as np
import pytest

from rntk_bench.benchmark.evaluation import Problem
from rntk_bench.config import Experiment
from rntk_bench.datasets import load_dataset
from rntk_bench.speed import classification as speed
from rntk_bench.speed.variants import BASELINE, n_pair_steps, time_variants
from rntk_bench.svm.options import SVCOptions


@pytest.fixture(scope="module")
def problem():
    return Problem.of(load_dataset("GunPoint", download=False))


def test_comparisons_check_that_both_sides_agree(problem):
    kernels = speed.sample_grid(20)[::10]
    gram = speed.compare_gram(problem, kernels, repeats=1)
    assert gram.factor > 0
    assert "ns per pair-step" in gram.agreement
    svm = speed.compare_svm(problem, kernels, Experiment())
    assert svm.agreement.startswith("0 of 500 ")


def test_a_sample_covers_the_grid():
    position = {kernel: i for i, kernel in enumerate(speed._paper_grid())}
    kernels = speed.sample_grid(20)
    assert len(kernels) == 20
    assert len({kernel.sigma_w for kernel in kernels}) > 10
    for n in (1, 7, 600, 899, 900):
        kernels = speed.sample_grid(n)
        assert len(set(kernels)) == n
        positions = [position[kernel] for kernel in kernels]
        assert max(np.diff([*positions, 900]), default=0) <= -(-900 // n)


def test_both_sides_choose_the_same_in_the_whole_grid(write_dataset, monkeypatch):
    data = load_dataset("Mine", data_dir=write_dataset("Mine"))
    method = speed.KERNEL_METHODS["rntk"]
    grid = {name: values[::3] for name, values in method.grid.items()}
    monkeypatch.setitem(speed.KERNEL_METHODS, "rntk", replace(method, grid=grid))
    result = speed.compare_whole_grid(data, Experiment(n_folds=3), 1)
    first, second = (
        result.agreement.split(", test ")[0].removeprefix("validation ").split(" against ")
    )
    assert first == second.removesuffix(" %")


def test_sklearn_n_correct_counts_correct_predictions():
    y = np.array([0, 0, 0, 1, 1, 1])
    gram = np.where(y[:, None] == y, 1.0, 0.0) + np.eye(6)
    n_correct = speed.sklearn_n_correct(gram, y, np.arange(6) % 3, SVCOptions(C=(1.0,)))
    np.testing.assert_array_equal(n_correct, [[2, 2, 2]])


def test_variants_are_timed_against_the_baseline(problem):
    variants = {variant.name: variant for variant in time_variants(problem, repeats=1)}
    assert variants[BASELINE].ratio == 1.0
    assert variants["tanh"].ratio > 1.0
    assert {"shared readout", "shared readout, step units"} <= set(variants)
    assert all(variant.nanoseconds > 0 for variant in variants.values())
    assert n_pair_steps([[1, 2, 3], [1], [1, 2]]) == (3 + 1 + 2) + (1 + 2 + 1)
