"""The compiled C-SVC solver for two classes: sequential minimal optimisation on a Gram.

It has the second-order selection of the working pair of LIBSVM (Fan, Chen and Lin, 2005), its
stopping rule m(alpha) - M(alpha) < tolerance, and its bias. The computation is arranged for vector
instructions:

- beta = y alpha lies in [0, C] for the first class and in [-C, 0] for the second, and
  f = y - K beta. A step increases beta_i and decreases beta_j: i has the largest f among those
  that can increase, j the largest gain among those that can decrease. No branch depends on a label.
- For a held-out series y is 0, and so are both bounds, so that its beta stays 0.
- When C increases, the betas of the smaller C are feasible and are the starting point.
- A maximum and its position are found in one vectorised pass over integers: the bits of a float,
  changed so that they sort like floats, with the position in the lowest 16 bits.
"""

from __future__ import annotations

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.types import BoolArray, FloatArray

MAX_SERIES = 1 << 16
"""Positions must fit into the 16 bits that the search for a maximum has for them."""
LANES = 8
"""Problems are padded to a multiple of this, so that every vector is full."""
TAU = 1e-12
"""LIBSVM's replacement for a curvature that is not positive."""

Y, BETA, F, LOWER, UPPER, UP, DOWN = range(7)
"""The rows of a problem: labels, betas, f, the bounds of beta, and whether it can move to them."""

_POSITION = np.int64(MAX_SERIES - 1)
_VALUE = ~_POSITION
_MAGNITUDE = np.int64(0x7FFFFFFFFFFFFFFF)
_LOWEST = np.int64(-0x8000000000000000)


@compiled
def _sortable_bits(x: float) -> np.int64:
    """Map a float to an integer that sorts like it; `_from_sortable_bits` is the inverse."""
    bits = np.float64(x).view(np.int64)
    return bits ^ ((bits >> 63) & _MAGNITUDE)


@compiled
def _from_sortable_bits(key: np.int64) -> float:
    return float(np.int64(key ^ ((key >> 63) & _MAGNITUDE)).view(np.float64))


@compiled
def _solve(
    K: FloatArray,
    gain: FloatArray,
    beta: FloatArray,
    f: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    up: FloatArray,
    down: FloatArray,
    tolerance: float,
    max_iterations: int,
    stop: BoolArray,
) -> int:
    """Optimise beta in place, keep f = y - K beta; return the number of steps.

    `gain` holds 1 / (K_ii + K_jj - 2 K_ij). `up` is 0 where beta can increase and -inf where it
    cannot; `down` is the same for a decrease.
    """
    m = len(f)
    highest, lowest = _LOWEST, _LOWEST
    for t in range(m):
        highest = max(highest, (_sortable_bits(f[t] + up[t]) & _VALUE) | t)
        lowest = max(lowest, _sortable_bits(down[t] - f[t]))
    for step in range(max_iterations):
        i = int(highest & _POSITION)
        f_i = f[i] + up[i]
        if stop[0] or not f_i + _from_sortable_bits(lowest) >= tolerance:
            return step
        best = np.int64(0)
        for t in range(m):
            violation = max(f_i - f[t] + down[t], 0.0)
            best = max(best, (_sortable_bits(violation * violation * gain[i, t]) & _VALUE) | t)
        j = int(best & _POSITION)
        max_up, max_down = upper[i] - beta[i], beta[j] - lower[j]
        step_length = min((f_i - f[j]) * gain[i, j], max_up, max_down)
        # At a bound exactly, so that "at its bound" is an equality.
        beta[i] = upper[i] if step_length == max_up else beta[i] + step_length
        beta[j] = lower[j] if step_length == max_down else beta[j] - step_length
        for t in (i, j):
            up[t] = 0.0 if beta[t] < upper[t] else -np.inf
            down[t] = 0.0 if beta[t] > lower[t] else -np.inf
        highest, lowest = _LOWEST, _LOWEST
        for t in range(m):
            f_t = f[t] - step_length * (K[i, t] - K[j, t])
            f[t] = f_t
            highest = max(highest, (_sortable_bits(f_t + up[t]) & _VALUE) | t)
            lowest = max(lowest, _sortable_bits(down[t] - f_t))
    return max_iterations


@compiled
def start(problem: FloatArray) -> None:
    """Set every beta of a problem to 0.

    Parameters
    ----------
    problem : (7, m); its labels are 1 and -1 for the two classes, and 0 for held-out series and
        padding
    """
    for t in range(problem.shape[1]):  # An assignment of an array takes Numba seconds to compile.
        problem[BETA, t], problem[F, t] = 0.0, problem[Y, t]


@compiled
def solve(
    K: FloatArray,
    gain: FloatArray,
    problem: FloatArray,
    C: float,
    tolerance: float,
    max_iterations: int,
    stop: BoolArray,
) -> int:
    """Solve for C, starting from the betas of a smaller C; return the number of steps."""
    y, beta, f = problem[Y], problem[BETA], problem[F]
    lower, upper, up, down = problem[LOWER], problem[UPPER], problem[UP], problem[DOWN]
    for r in range(len(y)):
        upper[r] = max(C * y[r], 0.0)
        lower[r] = min(C * y[r], 0.0)
        up[r] = 0.0 if beta[r] < upper[r] else -np.inf
        down[r] = 0.0 if beta[r] > lower[r] else -np.inf
    return _solve(K, gain, beta, f, lower, upper, up, down, tolerance, max_iterations, stop)


@compiled
def bias(problem: FloatArray) -> float:
    """LIBSVM's -rho: the mean of f over free betas, or the middle of its feasible interval."""
    f, up, down = problem[F], problem[UP], problem[DOWN]
    total, free = 0.0, 0
    highest, lowest = -np.inf, np.inf
    for t in range(len(f)):
        if up[t] == 0.0 and down[t] == 0.0:
            total += f[t]
            free += 1
        elif up[t] == 0.0:
            highest = max(highest, f[t])
        elif down[t] == 0.0:
            lowest = min(lowest, f[t])
    return total / free if free > 0 else 0.5 * (highest + lowest)
