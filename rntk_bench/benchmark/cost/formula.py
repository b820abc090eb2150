"""Estimates the time of an evaluation from the size of its dataset and a short calibration."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from rntk_bench.config import Experiment
from rntk_bench.kernels import RNTK
from rntk_bench.methods import KernelMethod, Method, NetworkMethod
from rntk_bench.svm.folds import stratified_folds
from rntk_bench.svm.options import SVCOptions
from rntk_bench.svm.svc import CrossValidation

PAIR_STEP, DIMENSION = 0.7e-9, 0.12
"""Seconds per step and pair of series, and the fraction of it that each further dimension takes."""
SVM_PER_SERIES, SVM_PER_SQUARE = 1.5e-6, 1.8e-8
"""Seconds of a setting for a pair of classes with m series: a m + b m^2, measured on six
archive datasets (from FiftyWords, m = 18, to ProximalPhalanxOutlineCorrect, m = 600), with 10
folds and 5 values of C, on the machine where `calibrate` gave 1."""
REFERENCE = 1.95e-3
"""Seconds of the work of `calibrate` on that machine."""
OVERHEAD = 2e-4
PASS_STEP, UNIT_STEP, FLOP = 4.0e-7, 9.4e-10, 1.4e-11
"""Seconds of a network's layer for a step of one pass over a mini-batch, for a gate of a unit in
a series' step, and for a multiplication or addition of its linear maps. A training pass counts for
three. Fitted to an epoch of 38 networks of 50 to 500 units on GunPoint, SmoothSubspace and
Earthquakes, on an AMD EPYC with 512-bit vectors where `calibrate` gave 0.40; each is met within a
factor of 1.6."""
EPOCHS = 3
"""Mean epochs of a run before the setbacks that stop it, in the records of `results/reference`."""


class Size(Protocol):
    """The numbers on which the cost depends; a dataset and an entry of the archive have them."""

    @property
    def n_train(self) -> int: ...  # noqa: D102

    @property
    def n_test(self) -> int: ...  # noqa: D102

    @property
    def length(self) -> int: ...  # noqa: D102

    @property
    def n_classes(self) -> int: ...  # noqa: D102

    @property
    def n_dimensions(self) -> int: ...  # noqa: D102


class Cost(NamedTuple):
    """Estimated seconds on one core, an upper bound, and those of a kernel's test."""

    seconds: float
    at_most: float
    test: float = 0.0


def calibrate() -> float:
    """How many times slower this machine is than the one on which the constants were measured."""
    rng = np.random.default_rng(0)
    X = np.cumsum(rng.standard_normal((96, 128)), axis=1)
    y = np.repeat([0, 1], 48)
    validation = CrossValidation(y, stratified_folds(y, 10, 0), SVCOptions())
    prepared = RNTK.prepare(X / np.linalg.norm(X, axis=1, keepdims=True))
    kernel = RNTK(sigma_b=0.1, sigma_h=0.1)

    def work() -> None:
        validation.count_correct(kernel.gram(prepared), np.arange(10), 5)

    work()
    return min(_seconds(work) for _ in range(5)) / REFERENCE


def estimate_cost(
    size: Size, method: Method, experiment: Experiment, slowness: float = 1.0
) -> Cost:
    """Estimate an evaluation: of a kernel without pruning and cache, of a network on the CPU."""
    if isinstance(method, NetworkMethod):
        return _network_cost(size, method, experiment, slowness)
    assert isinstance(method, KernelMethod)
    return _kernel_cost(size, method, experiment, slowness)


def _kernel_cost(size: Size, method: KernelMethod, experiment: Experiment, slowness: float) -> Cost:
    n, kernels = size.n_train, method.kernels(size.length)
    options = method.search_options(experiment)
    further = DIMENSION * (size.n_dimensions - 1)
    steps = size.length * (1.0 + further) if method.kernel.uses_time else 1.0
    gram = 0.5 * n * n * steps * PAIR_STEP
    m = 2.0 * n / size.n_classes
    pairs = size.n_classes * (size.n_classes - 1) / 2
    svm = pairs * (SVM_PER_SERIES * m + SVM_PER_SQUARE * m * m)
    svm *= options.n_folds * options.n_repeats * len(options.C) / 50
    passes = sum(
        method.kernel.relative_cost([kernels[position] for position in batch], size.length)
        for batch in method.batches(size.length)
    )
    largest = max(method.kernel.relative_cost([kernel], size.length) for kernel in kernels)
    grams, test = passes * gram, largest * n * size.n_test * steps * PAIR_STEP
    seconds = slowness * (grams + len(kernels) * (svm + OVERHEAD) + test)
    return Cost(seconds, seconds, slowness * test)


def _network_cost(
    size: Size, method: NetworkMethod, experiment: Experiment, slowness: float
) -> Cost:
    from rntk_bench.networks.models import RNN_CELLS

    protocol, gates = experiment.network, RNN_CELLS[method.name].gates
    folds = min(protocol.n_folds, size.n_train)
    held_out = size.n_train / folds
    trained = size.n_train - held_out
    batch = protocol.batch_size
    passes = 3 * math.ceil(trained / batch) + math.ceil(held_out / batch)
    rows = 3 * trained + held_out
    epoch = 0.0
    for setting in method.settings:
        n, layers = int(setting["width"]), int(setting["n_layers"])
        flops = 2 * gates * n * (n * (2 * layers - 1) + size.n_dimensions - 1)
        step = layers * (passes * PASS_STEP + rows * gates * n * UNIT_STEP) + rows * flops * FLOP
        epoch += folds * size.length * step
    seconds, at_most = (
        slowness * epoch * epochs
        for epochs in (min(EPOCHS + protocol.patience, protocol.max_epochs), protocol.max_epochs)
    )
    return Cost(seconds, at_most)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
