"""Compiled loops over the pairs of classes of a C-SVC: cross-validation, training and votes.

Classes are separated one-vs-one as in LIBSVM, with its votes. The rows and columns of a Gram are
sorted by class; class c begins at `starts[c]`. The Gram of a pair is copied
only once for all folds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rntk_bench.compiling import compiled
from rntk_bench.svm import smo
from rntk_bench.svm.smo import BETA, Y
from rntk_bench.types import BoolArray, FloatArray, IntArray


def pair_buffers(y: IntArray) -> FloatArray:
    """Memory for the two arrays of the largest pair of classes, (2, its padded size squared)."""
    padded = -(-int(np.sort(np.bincount(y))[-2:].sum()) // smo.LANES) * smo.LANES
    return np.empty((2, padded * padded))


@compiled
def _pair_problem(
    K: FloatArray, members: IntArray, buffers: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The Gram of one pair of classes and `gain`, padded with zeros to a multiple of `smo.LANES`.

    Both are the beginnings of the two rows of `buffers`, which is overwritten.
    """
    m = len(members)
    padded = -(-m // smo.LANES) * smo.LANES
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
            gain[r, c] = 1.0 / (curvature if curvature > 0.0 else smo.TAU)
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
    m = len(members)
    problem = np.zeros((7, len(P)))
    y, beta = problem[Y], problem[BETA]
    decision = np.empty(query.shape[1])
    for q in folds:
        if stop[0]:
            return
        left, right = query_starts[q], query_starts[q + 1]
        for r in range(m):
            y[r] = 0.0 if fold[members[r]] == q else sign[r]
        smo.start(problem)
        # A class without training series loses to every other.
        final = y.max() <= 0.0 or y.min() >= 0.0
        if final:
            decision[left:right] = y.max()
        for c in range(len(Cs)):
            if not final:
                steps = smo.solve(P, gain, problem, Cs[c], tolerance, max_iterations, stop)
                unfinished[c, q] += steps == max_iterations
                decision[left:right] = smo.bias(problem)
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
            m = len(members)
            problem = np.zeros((7, len(P)))
            y, beta = problem[Y], problem[BETA]
            for r in range(m):
                y[r] = 0.0 if held_out[members[r]] else sign[r]
            smo.start(problem)
            if y.max() <= 0.0 or y.min() >= 0.0:
                biases[pair] = y.max()
            else:
                steps = 0
                for C in Cs:
                    steps = smo.solve(P, gain, problem, C, tolerance, max_iterations, stop)
                    if np.abs(beta).max() < C and steps < max_iterations:
                        break
                unfinished += steps == max_iterations
                biases[pair] = smo.bias(problem)
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
