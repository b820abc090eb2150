"""Class probabilities from the scores of a classifier, by temperature scaling.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017. One number
is fitted, so the most probable class is always the one with the largest score.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from rntk_bench.types import FloatArray, IntArray

MAX_LOG = 20.0
"""Bound on |log(t * spread of the scores)|, where t is the inverse temperature."""


def inverse_temperature(scores: FloatArray, y: IntArray) -> float:
    """Fit the factor t >= 0 for which softmax(t * scores) has the least cross-entropy.

    The targets are smoothed as by Platt (1999), so that the factor is finite even if the scores
    separate the classes: a series has its class, of n_c series, with probability
    (n_c + 1) / (n_c + k), and each of the other classes with an equal part of the rest.

    Parameters
    ----------
    scores : (n, k) scores of held-out series; a larger score means a more likely class
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

    minimum = minimize_scalar(
        cross_entropy,
        bounds=(-MAX_LOG, MAX_LOG),
        method="bounded",
        options={"xatol": 1e-8},
    )
    return math.exp(minimum.x) / spread


def probabilities(scores: FloatArray, factor: float) -> FloatArray:
    """softmax(factor * scores), (n, k)."""
    result: FloatArray = softmax(factor * scores, axis=1)
    return result
