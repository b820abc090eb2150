"""tanh and the logistic function in single precision, in a form that vectorises.

tanh(x) = x P(x^2) / Q(x^2) on [-9, 9], where it reaches 1 up to rounding. P and Q minimise the
largest relative error, 2e-8, by least squares whose weights grow where the error is large.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rntk_bench.compiling import compiled

_f = np.float32
_P0, _P1, _P2 = _f(0.99999998), _f(0.13381025), _f(3.4955874e-3)
_P3, _P4 = _f(2.0609071e-5), _f(1.3354647e-8)
_Q1, _Q2, _Q3, _Q4 = _f(0.46714341), _f(2.5876979e-2), _f(3.2856336e-4), _f(7.7765521e-7)
_END, _HALF, ONE = _f(9.0), _f(0.5), _f(1.0)
TANH_ERROR: Final = 4e-7
"""A bound of the error of `tanh`; that of `sigmoid` is half of it."""


@compiled
def tanh(x: np.float32) -> np.float32:
    """tanh(x), and NaN for NaN."""
    x = -_END if x < -_END else (_END if x > _END else x)
    z = x * x
    p = _P0 + z * (_P1 + z * (_P2 + z * (_P3 + z * _P4)))
    return x * p / (ONE + z * (_Q1 + z * (_Q2 + z * (_Q3 + z * _Q4))))


@compiled
def sigmoid(x: np.float32) -> np.float32:
    """1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2."""
    return _HALF + _HALF * tanh(_HALF * x)
