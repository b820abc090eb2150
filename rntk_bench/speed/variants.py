"""The time of each variant of the RNTK, relative to one ReLU layer on series of equal lengths."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from rntk_bench.benchmark.evaluation import Problem
from rntk_bench.kernels import NNGP, RNTK
from rntk_bench.kernels.recursion.shared_readouts import lagged_passes
from rntk_bench.kernels.series import Sequences
from rntk_bench.speed.timing import shortest_time

BASELINE = "1 layer, ReLU"
SHARED_LAGS = (0.5, 3)
"""Bandwidth and lag step of a shared readout; a lag of tau of T steps counts (T - tau) / T."""
KERNELS = (RNTK(1.34, sigma_b=0.0), RNTK(1.4, sigma_b=0.1, sigma_h=0.1), RNTK(1.47, sigma_b=0.5))
"""Three kernels of the paper's grid. Each variant is timed with all three."""


@dataclass(frozen=True)
class VariantTime:
    """Nanoseconds per pair-step, layer and lag of a variant, and their ratio to the baseline's."""

    name: str
    nanoseconds: float
    ratio: float


def time_variants(problem: Problem, repeats: int = 5) -> list[VariantTime]:
    """Time a training Gram matrix of each variant on one thread."""
    X = np.asarray(problem.X_train)
    bandwidth, lag_step = SHARED_LAGS
    shared = {"pooling": "shared", "bandwidth": bandwidth, "lag_step": lag_step}
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 3 * X.shape[1] // 4, len(X))
    unequal = [x[start:] for x, start in zip(X, starts, strict=True)]
    multivariate = np.stack([X, X[:, ::-1], np.roll(X, 1, axis=1)], axis=2)
    variants: list[tuple[str, Sequences, dict[str, object]]] = [
        (BASELINE, X, {}),
        ("2 layers", X, {"n_layers": 2}),
        ("3 layers", X, {"n_layers": 3}),
        ("unequal lengths", unequal, {}),
        ("unequal lengths, 2 layers", unequal, {"n_layers": 2}),
        ("3 dimensions", multivariate, {}),
        ("average pooling", X, {"pooling": "average"}),
        ("leaky ReLU", X, {"activation": "leaky_relu"}),
        ("erf", X, {"activation": "erf"}),
        ("erf, 2 layers", X, {"activation": "erf", "n_layers": 2}),
        ("erf, unequal lengths", unequal, {"activation": "erf"}),
        ("NNGP", X, {}),
        ("tanh", X, {"activation": "tanh", "sigma_w": 1.0}),
        ("tanh, unequal lengths", unequal, {"activation": "tanh", "sigma_w": 1.0}),
        ("GELU", X, {"activation": "gelu", "sigma_w": 1.0}),
        ("shared readout", X, shared),
        ("shared readout, step units", X, shared | {"readout": "step"}),
    ]
    nanoseconds = {}
    for name, series, changes in variants:
        kernels = [replace(kernel, **changes) for kernel in KERNELS]  # type: ignore[arg-type]
        if name == "NNGP":
            kernels = [NNGP(**vars(kernel)) for kernel in kernels]
        steps = n_pair_steps(series) * len(kernels) * kernels[0].n_layers
        if kernels[0].pooling == "shared":
            steps *= lagged_passes(*SHARED_LAGS, X.shape[1])
        seconds = sum(gram_seconds(kernel, series, repeats) for kernel in kernels)
        nanoseconds[name] = 1e9 * seconds / steps
    return [VariantTime(name, ns, ns / nanoseconds[BASELINE]) for name, ns in nanoseconds.items()]


def n_pair_steps(series: Sequences) -> float:
    """Number of steps of all pairs i <= j; a pair has as many steps as its shorter series."""
    lengths = np.sort([np.shape(x)[0] for x in series])
    return float((lengths * np.arange(len(lengths), 0, -1)).sum())


def gram_seconds(kernel: RNTK, series: Sequences, repeats: int) -> float:
    """The shortest time of one Gram matrix on one thread, without compilation and preparation."""
    prepared = kernel.prepare(series)
    kernel.gram(prepared)
    with threadpool_limits(1):
        return shortest_time(partial(kernel.gram, prepared), repeats)[1]
