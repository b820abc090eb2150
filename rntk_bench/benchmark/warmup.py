"""Compiles the numerical loops before the first measurement or progress bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from rntk_bench.kernels.fittable import FittableKernel
from rntk_bench.methods import KernelMethod, Method, NetworkMethod
from rntk_bench.svm.options import SVCOptions
from rntk_bench.svm.svc import CrossValidation, classify


def warm_up(methods: Sequence[Method]) -> None:
    """Call every loop that the methods need on a tiny problem; fast if all are compiled."""
    if any(isinstance(method, NetworkMethod) for method in methods):
        from rntk_bench.networks.pool import warm_up as warm_up_networks

        warm_up_networks()
    kernel_methods = [method for method in methods if isinstance(method, KernelMethod)]
    if not kernel_methods:
        return
    X = np.random.default_rng(0).standard_normal((4, 3))
    y = np.array([0, 0, 1, 1])
    for method in kernel_methods:
        kernels = method.kernels(X.shape[1])
        if method.is_fittable:
            cast(FittableKernel, kernels[0]).fit(X)
            continue
        batch = [kernels[position] for position in method.batches(X.shape[1])[0]]
        list(method.kernel.grams(batch, method.kernel.prepare(X)))
    gram = X @ X.T
    CrossValidation(y, np.array([0, 1, 0, 1]), SVCOptions()).count_correct(gram, np.arange(2), 1)
    classify(gram, y, gram, 0.01, SVCOptions())
