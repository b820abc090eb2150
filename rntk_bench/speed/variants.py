"""What each form of the RNTK costs, against its plainest: one ReLU layer on equal lengths."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from rntk_bench.benchmark.evaluation import Problem
from rntk_bench.kernels import NNGP, RNTK
from rntk_bench.kernels.base import Sequences

PLAIN = "1 layer, ReLU"
KERNELS = (RNTK(1.34, sigma_b=0.0), RNTK(1.4, sigma_b=0.1, sigma_h=0.1), RNTK(1.47, sigma_b=0.5))
"""Three of the paper's grid; a variant is timed for each, and the times are added."""


@dataclass(frozen=True)
class Cost:
    """Nanoseconds of a pair-step and layer, and how many times that of the plainest form."""

    name: str
    nanoseconds: float
    ratio: float


def variant_costs(problem: Problem, repeats: int = 5) -> list[Cost]:
    """Time a training Gram of every form on one thread, with the layout of the series."""
    X = np.asarray(problem.X_train)
    rng = np.random.default_rng(0)
    first = rng.integers(0, 3 * X.shape[1] // 4, len(X))
    unequal = [x[start:] for x, start in zip(X, first, strict=True)]
    several = np.stack([X, X[:, ::-1], np.roll(X, 1, axis=1)], axis=2)
    forms: list[tuple[str, Sequences, dict[str, object]]] = [
        (PLAIN, X, {}),
        ("2 layers", X, {"n_layers": 2}),
        ("3 layers", X, {"n_layers": 3}),
        ("unequal lengths", unequal, {}),
        ("unequal lengths, 2 layers", unequal, {"n_layers": 2}),
        ("3 dimensions", several, {}),
        ("average pooling", X, {"pooling": "average"}),
        ("leaky ReLU", X, {"activation": "leaky_relu"}),
        ("erf", X, {"activation": "erf"}),
        ("erf, 2 layers", X, {"activation": "erf", "n_layers": 2}),
        ("erf, unequal lengths", unequal, {"activation": "erf"}),
        ("NNGP", X, {}),
        ("tanh", X, {"activation": "tanh", "sigma_w": 1.0}),
        ("tanh, unequal lengths", unequal, {"activation": "tanh", "sigma_w": 1.0}),
        ("GELU", X, {"activation": "gelu", "sigma_w": 1.0}),
    ]
    found = {}
    for name, series, changes in forms:
        kernels = [replace(kernel, **changes) for kernel in KERNELS]  # type: ignore[arg-type]
        if name == "NNGP":
            kernels = [NNGP(**vars(kernel)) for kernel in kernels]
        work = _pair_steps(series) * len(kernels) * kernels[0].n_layers
        found[name] = 1e9 * sum(gram_seconds(kernel, series, repeats) for kernel in kernels) / work
    return [Cost(name, cost, cost / found[PLAIN]) for name, cost in found.items()]


def _pair_steps(series: Sequences) -> float:
    """Steps that the pairs i <= j have in common."""
    lengths = np.sort([np.shape(x)[0] for x in series])
    return float((lengths * np.arange(len(lengths), 0, -1)).sum())


def gram_seconds(kernel: RNTK, series: Sequences, repeats: int) -> float:
    """The least time of one Gram on one thread, once it is compiled and laid out."""
    best, prepared = np.inf, kernel.prepare(series)
    kernel.gram(prepared)
    with threadpool_limits(1):
        for _ in range(repeats):
            start = time.perf_counter()
            kernel.gram(prepared)
            best = min(best, time.perf_counter() - start)
    return best
