"""Compiling every loop before the first measurement or progress bar."""

from __future__ import annotations

import numpy as np

from rntk_bench.kernels import NTK, RNTK
from rntk_bench.learn.svc import CrossValidation, SVCOptions, classify


def warm_up() -> None:
    """Call every compiled loop once on a tiny problem; milliseconds when they are cached."""
    X = np.random.default_rng(0).standard_normal((4, 3))
    y = np.array([0, 0, 1, 1])
    gram = RNTK()(X)
    NTK()(X)
    CrossValidation(y, np.array([0, 1, 0, 1]), SVCOptions()).hits(gram, np.arange(2), 1)
    classify(gram, y, gram, 0.01, SVCOptions())
