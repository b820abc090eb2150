"""The compiled C-SVC solver: sequential minimal optimisation on a precomputed Gram.

Classes are separated one-vs-one as in LIBSVM (Fan, Chen and Lin, 2005), with its second-order
selection of the working pair, its stopping rule m(alpha) - M(alpha) < tolerance, its bias and its
votes. The computation is arranged for vector instructions:

- beta = y alpha lies in [0, C] for the first class of a pair and in [-C, 0] for the second, and
  f = y - K beta. A step increases beta_i and decreases beta_j: i has the largest f among those
  that can increase, j the largest gain among those that can decrease. No branch depends on a label.
- For a series of the validation fold both bounds are 0, so that its beta stays 0 and the Gram of a
  pair is copied only once for all folds.
- When C increases, the betas of the smaller C are feasible and are the starting point.
- A maximum and its position are found in one vectorised pass over integers: the bits of a float,
  changed so that they sort like floats, with the position in the lowest 16 bits.

The rows and columns of a Gram are sorted by class; class c begins at `starts[c]`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rntk_bench.compiling import compiled
from rntk_bench.types import BoolArray, FloatArray, IntArray

MAX_SERIES = 1 << 16
"""Positions must fit into the 16 bits that the search for a maximum has for them."""
LANES = 8
"""Pair problems are padded to a multiple of this, so that every vector is full."""
TAU = 1e-12
"""LIBSVM's replacement for a curvature that is not positive."""

_POSITION = np.int64(MAX_SERIES - 1)
_VALUE = ~_POSITION
_MAGNITUDE = np.int64(0x7FFFFFFFFFFFFFFF)
_LOWEST = np.int64(-0x8000000000000000)


def pair_buffers(y: IntArray) -> FloatArray:
    """Room for the two arrays of the largest pair of classes, (2, its padded size squared)."""
    padded = -(-int(np.sort(np.bincount(y))[-2:].sum()) // LANES) * LANES
    return np.empty((2, padded * padded))


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
def _solve_next(
    K: FloatArray,
    gain: FloatArray,
    y: FloatArray,
    C: float,
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
    """Solve for C, starting from the betas of a smaller C; return the number of steps.

    y is 1 and -1 for the two classes, and 0 for held-out series.
    """
    for r in range(len(y)):
        upper[r] = max(C * y[r], 0.0)
        lower[r] = min(C * y[r], 0.0)
        up[r] = 0.0 if beta[r] < upper[r] else -np.inf
        down[r] = 0.0 if beta[r] > lower[r] else -np.inf
    return _solve(K, gain, beta, f, lower, upper, up, down, tolerance, max_iterations, stop)


@compiled
def _bias(f: FloatArray, up: FloatArray, down: FloatArray) -> float:
    """LIBSVM's -rho: the mean of f over free betas, or the middle of its feasible interval."""
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


@compiled
def _pair_problem(
    K: FloatArray, members: IntArray, buffers: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The Gram of one pair of classes and `gain`, padded with zeros to a multiple of `LANES`.

    Both are the beginnings of the two rows of `buffers`, which is overwritten.
    """
    m = len(members)
    padded = -(-m // LANES) * LANES
    P = buffers[0][: padded * padded].reshape((padded, padded))
    gain = buffers[1][: padded * padded].reshape((padded, padded))
    diagonal = np.empty(m)
    for r in range(m):
        row = K[members[r]]
        for c in range(m):
            P[r, c] = row[members[c]]
        diagonal[r] = P[r, r]
        P[r, m:] = 0.0
        gain[r, m:] = 0.0
    P[m:] = 0.0
    gain[m:] = 0.0
    for r in range(m):
        for c in range(m):
            curvature = diagonal[r] + diagonal[c] - 2.0 * P[r, c]
            gain[r, c] = 1.0 / (curvature if curvature > 0.0 else TAU)
    return P, gain


@compiled
def _pair(starts: IntArray, a: int, b: int) -> tuple[IntArray, FloatArray]:
    """Positions of the members of two classes, and 1 for the first and -1 for the second."""
    members = np.concatenate(
        (np.arange(starts[a], starts[a + 1]), np.arange(starts[b], starts[b + 1]))
    )
    sign = np.ones(len(members))
    sign[starts[a + 1] - starts[a] :] = -1.0
    return members, sign


@compiled
def _cross_validate_pair(
    K: FloatArray,
    members: IntArray,
    sign: FloatArray,
    a: int,
    b: int,
    fold: IntArray,
    folds: IntArray,
    Cs: FloatArray,
    query: FloatArray,
    query_starts: IntArray,
    tolerance: float,
    max_iterations: int,
    stop: BoolArray,
    buffers: FloatArray,
    votes: NDArray[np.int32],
    unfinished: IntArray,
) -> None:
    P, gain = _pair_problem(K, members, buffers)
    m, padded = len(members), len(P)
    beta, f = np.empty(padded), np.empty(padded)
    lower, upper = np.zeros(padded), np.zeros(padded)
    up, down = np.empty(padded), np.empty(padded)
    y = np.zeros(padded)
    decision = np.empty(query.shape[1])
    for q in folds:
        if stop[0]:
            return
        left, right = query_starts[q], query_starts[q + 1]
        for r in range(m):
            y[r] = 0.0 if fold[members[r]] == q else sign[r]
        beta[:] = 0.0
        f[:] = y
        # A class without training series loses to every other.
        final = y.max() <= 0.0 or y.min() >= 0.0
        if final:
            decision[left:right] = y.max()
        for c in range(len(Cs)):
            if not final:
                steps = _solve_next(
                    P,
                    gain,
                    y,
                    Cs[c],
                    beta,
                    f,
                    lower,
                    upper,
                    up,
                    down,
                    tolerance,
                    max_iterations,
                    stop,
                )
                unfinished[c, q] += steps == max_iterations
                decision[left:right] = _bias(f, up, down)
                for r in range(m):
                    weight, row = beta[r], members[r]
                    if weight != 0.0:
                        for v in range(left, right):
                            decision[v] += weight * query[row, v]
                # With no beta at its bound every larger C has this solution.
                final = np.abs(beta).max() < Cs[c] and steps < max_iterations
            for v in range(left, right):
                first = np.int32(decision[v] > 0.0)
                votes[c, a, v] += first
                votes[c, b, v] += np.int32(1) - first


@compiled
def cross_validate(
    K: FloatArray,
    starts: IntArray,
    fold: IntArray,
    folds: IntArray,
    Cs: FloatArray,
    query: FloatArray,
    query_starts: IntArray,
    tolerance: float,
    max_iterations: int,
    stop: BoolArray,
    buffers: FloatArray,
    votes: NDArray[np.int32],
    unfinished: IntArray,
) -> None:
    """For every C, train each pair of classes without each fold, and count votes for that fold.

    Parameters
    ----------
    K : (n, n), sorted by class
    starts : (n_classes + 1,)
    fold : (n,), number of the fold in which each series is held out
    folds : the folds to evaluate
    Cs : (n_C,), ascending
    query : (n, n_query), kernel of the training series with the series to be classified
    query_starts : the columns of fold q are query_starts[q] to query_starts[q + 1]
    stop : (1,), set to true by another thread to make the function return early
    buffers : `pair_buffers`, overwritten
    votes : (n_C, n_classes, n_query), incremented
    unfinished : (n_C, n_folds), incremented by the problems that stopped at `max_iterations`
    """
    n_classes = len(starts) - 1
    for a in range(n_classes):
        for b in range(a + 1, n_classes):
            members, sign = _pair(starts, a, b)
            _cross_validate_pair(
                K,
                members,
                sign,
                a,
                b,
                fold,
                folds,
                Cs,
                query,
                query_starts,
                tolerance,
                max_iterations,
                stop,
                buffers,
                votes,
                unfinished,
            )


@compiled
def train(
    K: FloatArray,
    starts: IntArray,
    held_out: BoolArray,
    Cs: FloatArray,
    tolerance: float,
    max_iterations: int,
    stop: BoolArray,
    buffers: FloatArray,
    coefficients: FloatArray,
    biases: FloatArray,
) -> int:
    """Train each pair of classes up to the last C; return how many stopped at `max_iterations`.

    Parameters
    ----------
    K, starts, Cs, stop, buffers : as for `cross_validate`
    held_out : (n,), whether a series is left out of the training
    coefficients : (n_pairs, n), set to beta where a series belongs to the pair
    biases : (n_pairs,), set
    """
    n_classes = len(starts) - 1
    pair, unfinished = 0, 0
    for a in range(n_classes):
        for b in range(a + 1, n_classes):
            if stop[0]:
                return unfinished
            members, sign = _pair(starts, a, b)
            P, gain = _pair_problem(K, members, buffers)
            m, padded = len(members), len(P)
            y, beta = np.zeros(padded), np.zeros(padded)
            lower, upper = np.empty(padded), np.empty(padded)
            up, down = np.empty(padded), np.empty(padded)
            for r in range(m):
                y[r] = 0.0 if held_out[members[r]] else sign[r]
            f = y.copy()
            if y.max() <= 0.0 or y.min() >= 0.0:
                biases[pair] = y.max()
            else:
                steps = 0
                for C in Cs:
                    steps = _solve_next(
                        P,
                        gain,
                        y,
                        C,
                        beta,
                        f,
                        lower,
                        upper,
                        up,
                        down,
                        tolerance,
                        max_iterations,
                        stop,
                    )
                    if np.abs(beta).max() < C and steps < max_iterations:
                        break
                unfinished += steps == max_iterations
                biases[pair] = _bias(f, up, down)
            for r in range(m):
                coefficients[pair, members[r]] = beta[r]
            pair += 1
    return unfinished


@compiled
def decision_values(coefficients: FloatArray, biases: FloatArray, query: FloatArray) -> FloatArray:
    """Decision values (n_pairs, n_query) of a trained SVM, > 0 for the first class of a pair."""
    decisions = np.empty((len(biases), query.shape[1]))
    for pair in range(len(biases)):
        decisions[pair] = biases[pair]
        for row in range(len(query)):
            weight = coefficients[pair, row]
            if weight != 0.0:
                for v in range(query.shape[1]):
                    decisions[pair, v] += weight * query[row, v]
    return decisions


@compiled
def predict_from_votes(votes: NDArray[np.int32]) -> IntArray:
    """The class with the most votes, (n_C, n_query); ties go to the first class, as in LIBSVM."""
    n_C, n_classes, n = votes.shape
    best = np.zeros((n_C, n), np.int64)
    for c in range(n_C):
        most = votes[c, 0].copy()
        for label in range(1, n_classes):
            for v in range(n):
                if votes[c, label, v] > most[v]:
                    most[v] = votes[c, label, v]
                    best[c, v] = label
    return best
