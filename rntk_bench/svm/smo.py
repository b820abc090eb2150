"""The compiled C-SVC solver: sequential minimal optimisation over a precomputed Gram.

One-vs-one, as LIBSVM does it (Fan, Chen and Lin, 2005: second-order choice of the working pair,
the stopping rule m(alpha) - M(alpha) < tolerance, the bias, the votes), laid out for vectors:

- beta = y alpha lies in [0, C] for the first class of a pair and in [-C, 0] for the second, and
  f = y - K beta. A step moves beta_i up and beta_j down; i has the largest f among those that can
  go up, j the best gain among those that can go down. No branch depends on a label.
- A member of the validation fold is held at beta = 0 by bounds of 0, so that the Gram of a pair
  is copied once for all folds.
- Going up the grid of C the betas stay feasible and are kept.
- A maximum and where it stands are found in one vectorised pass over integers: the bits of a
  float, made ascending, with the position in the last 16 of them.

Rows and columns of a Gram are sorted by class; `starts` says where each class begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rntk_bench.compiling import compiled
from rntk_bench.types import BoolArray, FloatArray, IntArray

MAX_SERIES = 1 << 16
"""Positions must fit the 16 bits that the search for a maximum lends them."""
LANES = 8
"""Pair problems are padded to a multiple of this, so that every vector is full."""
TAU = 1e-12
"""LIBSVM's stand-in for a curvature that is not positive."""

_POSITION = np.int64(MAX_SERIES - 1)
_VALUE = ~_POSITION
_MAGNITUDE = np.int64(0x7FFFFFFFFFFFFFFF)
_LOWEST = np.int64(-0x8000000000000000)


@compiled
def _ascending(x: float) -> np.int64:
    """An integer in the order of the floats; its own inverse on bits."""
    bits = np.float64(x).view(np.int64)
    return bits ^ ((bits >> 63) & _MAGNITUDE)


@compiled
def _restored(key: np.int64) -> float:
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

    `gain` holds 1 / (K_ii + K_jj - 2 K_ij). `up` and `down` are 0 where beta can move that way and
    -inf where it cannot.
    """
    m = len(f)
    highest, lowest = _LOWEST, _LOWEST
    for t in range(m):
        highest = max(highest, (_ascending(f[t] + up[t]) & _VALUE) | t)
        lowest = max(lowest, _ascending(down[t] - f[t]))
    for step in range(max_iterations):
        i = int(highest & _POSITION)
        f_i = f[i] + up[i]
        if stop[0] or not f_i + _restored(lowest) >= tolerance:
            return step
        best = np.int64(0)
        for t in range(m):
            violation = max(f_i - f[t] + down[t], 0.0)
            best = max(best, (_ascending(violation * violation * gain[i, t]) & _VALUE) | t)
        j = int(best & _POSITION)
        room_up, room_down = upper[i] - beta[i], beta[j] - lower[j]
        move = min((f_i - f[j]) * gain[i, j], room_up, room_down)
        # At a bound exactly, so that "at its bound" is an equality.
        beta[i] = upper[i] if move == room_up else beta[i] + move
        beta[j] = lower[j] if move == room_down else beta[j] - move
        for t in (i, j):
            up[t] = 0.0 if beta[t] < upper[t] else -np.inf
            down[t] = 0.0 if beta[t] > lower[t] else -np.inf
        highest, lowest = _LOWEST, _LOWEST
        for t in range(m):
            f_t = f[t] - move * (K[i, t] - K[j, t])
            f[t] = f_t
            highest = max(highest, (_ascending(f_t + up[t]) & _VALUE) | t)
            lowest = max(lowest, _ascending(down[t] - f_t))
    return max_iterations


@compiled
def _climb(
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
    """Go on from the betas of a smaller C to those of C; return the number of steps.

    y is 1 and -1 for the two classes, 0 for what is held out.
    """
    for r in range(len(y)):
        upper[r] = max(C * y[r], 0.0)
        lower[r] = min(C * y[r], 0.0)
        up[r] = 0.0 if beta[r] < upper[r] else -np.inf
        down[r] = 0.0 if beta[r] > lower[r] else -np.inf
    return _solve(K, gain, beta, f, lower, upper, up, down, tolerance, max_iterations, stop)


@compiled
def _bias(f: FloatArray, up: FloatArray, down: FloatArray) -> float:
    """LIBSVM's -rho: the mean of f over free betas, or the middle of what f may be."""
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
def _pair_problem(K: FloatArray, members: IntArray) -> tuple[FloatArray, FloatArray]:
    """The Gram of one pair of classes and `gain`, padded with zeros to full vectors."""
    m = len(members)
    padded = -(-m // LANES) * LANES
    P, gain = np.zeros((padded, padded)), np.zeros((padded, padded))
    for r in range(m):
        for c in range(m):
            P[r, c] = K[members[r], members[c]]
    for r in range(m):
        for c in range(m):
            curvature = P[r, r] + P[c, c] - 2.0 * P[r, c]
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
def _vote_pair(
    K: FloatArray,
    members: IntArray,
    sign: FloatArray,
    a: int,
    b: int,
    fold: IntArray,
    folds: IntArray,
    Cs: FloatArray,
    judged: FloatArray,
    judged_starts: IntArray,
    tolerance: float,
    max_iterations: int,
    stop: BoolArray,
    votes: NDArray[np.int32],
    unfinished: IntArray,
) -> None:
    P, gain = _pair_problem(K, members)
    m, padded = len(members), len(P)
    beta, f = np.empty(padded), np.empty(padded)
    lower, upper = np.zeros(padded), np.zeros(padded)
    up, down = np.empty(padded), np.empty(padded)
    y = np.zeros(padded)
    decision = np.empty(judged.shape[1])
    for q in folds:
        if stop[0]:
            return
        left, right = judged_starts[q], judged_starts[q + 1]
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
                steps = _climb(
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
                            decision[v] += weight * judged[row, v]
                # With no beta at its bound every larger C has this solution.
                final = np.abs(beta).max() < Cs[c] and steps < max_iterations
            for v in range(left, right):
                first = np.int32(decision[v] > 0.0)
                votes[c, a, v] += first
                votes[c, b, v] += np.int32(1) - first


@compiled
def vote(
    K: FloatArray,
    starts: IntArray,
    fold: IntArray,
    folds: IntArray,
    Cs: FloatArray,
    judged: FloatArray,
    judged_starts: IntArray,
    tolerance: float,
    max_iterations: int,
    stop: BoolArray,
    votes: NDArray[np.int32],
    unfinished: IntArray,
) -> None:
    """Train every pair of classes on every fold's complement for every C and let it vote.

    Parameters
    ----------
    K : (n, n), sorted by class
    starts : (n_classes + 1,)
    fold : (n,), the fold that holds each series out
    folds : those to train
    Cs : (n_C,), ascending
    judged : (n, n_judged), kernel of the training series with those to be classified
    judged_starts : fold q's are the columns from judged_starts[q] to judged_starts[q + 1]
    votes : (n_C, n_classes, n_judged), added to
    unfinished : (n_C, n_folds), added to: problems that stopped at `max_iterations`
    stop : (1,), once true it returns with what it has
    """
    n_classes = len(starts) - 1
    for a in range(n_classes):
        for b in range(a + 1, n_classes):
            members, sign = _pair(starts, a, b)
            _vote_pair(
                K,
                members,
                sign,
                a,
                b,
                fold,
                folds,
                Cs,
                judged,
                judged_starts,
                tolerance,
                max_iterations,
                stop,
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
    coefficients: FloatArray,
    biases: FloatArray,
) -> int:
    """Train every pair of classes up to the last C; return how many stopped at the bound on steps.

    Parameters
    ----------
    K, starts, Cs, stop : as for `vote`
    held_out : (n,), what is not trained on
    coefficients : (n_pairs, n), filled with beta where a series is a member of the pair
    biases : (n_pairs,), filled
    """
    n_classes = len(starts) - 1
    pair, unfinished = 0, 0
    for a in range(n_classes):
        for b in range(a + 1, n_classes):
            if stop[0]:
                return unfinished
            members, sign = _pair(starts, a, b)
            P, gain = _pair_problem(K, members)
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
                    steps = _climb(
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
def decide(coefficients: FloatArray, biases: FloatArray, judged: FloatArray) -> FloatArray:
    """Decisions (n_pairs, n_judged) of what `train` filled, > 0 for the first class of a pair."""
    decisions = np.empty((len(biases), judged.shape[1]))
    for pair in range(len(biases)):
        decisions[pair] = biases[pair]
        for row in range(len(judged)):
            weight = coefficients[pair, row]
            if weight != 0.0:
                for v in range(judged.shape[1]):
                    decisions[pair, v] += weight * judged[row, v]
    return decisions


@compiled
def winners(votes: NDArray[np.int32]) -> IntArray:
    """The class with most votes, (n_C, n_judged); ties go to the first, as in LIBSVM."""
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
