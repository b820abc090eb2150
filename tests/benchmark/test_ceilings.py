from dataclasses import replace

import numpy as np
import pytest
from sklearn.svm import SVC

from rntk_bench.benchmark.ceilings import CEILING_C, Ceiling, ceiling
from rntk_bench.config import Experiment
from rntk_bench.datasets import InputScaling, load_dataset
from rntk_bench.errors import RntkBenchError
from rntk_bench.methods import METHODS, KernelMethod, with_grid

GRID = {"sigma_w": (1.3, 1.45), "sigma_b": (0.0, 0.3), "sigma_h": (0.1,)}


def small(name: str, grid) -> KernelMethod:
    method = with_grid(METHODS[name], grid)
    assert isinstance(method, KernelMethod)
    return method


@pytest.mark.parametrize(
    ("name", "grid"),
    [
        ("rntk", GRID),
        ("rbf", {"alpha": (0.1, 5.0)}),
        ("ntk", {"n_layers": (1, 3), "sigma_w": (0.5, 2.0), "sigma_b": (0.0, 1.0)}),
    ],
)
def test_it_is_the_best_of_scikit_learns_machines(name, grid):
    dataset, method = load_dataset("ItalyPowerDemand", download=False), small(name, grid)
    order = np.argsort(dataset.y_train, kind="stable")
    X, Y = (InputScaling("unit-norm")(X) for X in (dataset.X_train[order], dataset.X_test))
    y, C = dataset.y_train[order], (0.1, 1.0, 10.0)
    correct = [
        [
            (SVC(C=c, kernel="precomputed").fit(kernel(X), y).predict(kernel(Y, X)))
            == dataset.y_test
            for kernel in method.kernels()
        ]
        for c in C
    ]
    counts = np.sum(correct, axis=2)
    c, setting = np.argwhere(counts == counts.max())[0]
    assert ceiling(dataset, method, Experiment(), C, n_jobs=2) == Ceiling(
        dataset.name,
        name,
        int(counts.max()),
        dataset.n_test,
        method.settings[setting],
        C[c],
    )


def test_no_record_exceeds_it():
    dataset, method = load_dataset("Coffee", download=False), small("rntk", {"sigma_h": (0.0,)})
    best = ceiling(dataset, method, Experiment())
    assert best.accuracy == 1.0
    assert best.C in CEILING_C


def test_a_grid_without_a_usable_gram_is_refused():
    dataset = load_dataset("Coffee", download=False)
    huge = replace(dataset, X_train=np.ones_like(dataset.X_train))
    with pytest.raises(RntkBenchError, match="No setting of rntk's grid can be used on Coffee"):
        ceiling(huge, small("rntk", {"sigma_w": (1e200,)}), Experiment())
