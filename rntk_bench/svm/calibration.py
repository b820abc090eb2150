"""Probabilities from the scores of a classifier: temperature scaling.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017. One number
is fitted, so that the most probable class is always the one with the largest score.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from rntk_bench.types import FloatArray, IntArray

SHARPEST = 20.0
"""Logarithm of the largest inverse temperature that is considered, times the scores' spread."""


def inverse_temperature(scores: FloatArray, y: IntArray) -> float:
    """The factor t >= 0 for which softmax(t * scores) has the least cross-entropy.

    As in Platt (1999), a series counts as one of its class with probability (n_c + 1) / (n_c + k),
    n_c the size of its class, and as one of another with the rest in equal parts: scores that
    separate the classes then still have a finite factor.

    Parameters
    ----------
    scores : (n, k) held-out scores, the larger the more likely
    y : (n,) class codes
    """
    n, k = scores.shape
    sizes = np.bincount(y, minlength=k)[y]
    targets = np.repeat(1.0 / (sizes + k)[:, None], k, axis=1)
    targets[np.arange(n), y] = (sizes + 1.0) / (sizes + k)
    spread = float(np.abs(scores - scores.mean(axis=1, keepdims=True)).max())
    if spread == 0.0:
        return 0.0

    def cross_entropy(exponent: float) -> float:
        return float(-(targets * log_softmax(math.exp(exponent) / spread * scores, axis=1)).sum())

    found = minimize_scalar(
        cross_entropy, bounds=(-SHARPEST, SHARPEST), method="bounded", options={"xatol": 1e-8}
    )
    return math.exp(found.x) / spread


def probabilities(scores: FloatArray, factor: float) -> FloatArray:
    """softmax(factor * scores), (n, k)."""
    found: FloatArray = softmax(factor * scores, axis=1)
    return found
