"""RNTK of any activation phi, through its Hermite series.

The paper leaves such phi to Monte Carlo. With the normalised Hermite polynomials h_k and
a_k(s) = E[phi(s z) h_k(z)], z standard normal, a centred pair of deviations s, s' and correlation
c has

    V = sum_k a_k(s) a_k(s') c^k,        V' = dV / dSigma = sum_k k a_k(s) a_k(s') c^(k-1) / (s s').

So the expectation over a pair becomes one over each sequence alone, which a table over s gives
(`hermite.py`), and a polynomial in c for the pair. Unlike an estimate by Monte Carlo, the
truncated series is deterministic and is itself a positive semi-definite kernel: every pair has as
many terms at a step, those that the largest s of the step needs. What the series leaves out is at
most the energy E[phi(s z)^2] - sum_k a_k(s)^2 of the terms left out. It is measured, as are the
errors of the quadrature and of the table, and carried through the recursion to a bound on the
error of any entry.
"""

from __future__ import annotations

import numpy as np

from rntk_bench.deadline import current_deadline
from rntk_bench.kernels.activations import Smooth
from rntk_bench.kernels.recursion.hermite import (
    EXPONENTS,
    SelfKernels,
    Series,
    Squares,
    Table,
    largest_error,
    self_kernels,
)
from rntk_bench.kernels.recursion.hermite_coefficients import MAX_TERMS, Tables, tables
from rntk_bench.kernels.recursion.hermite_pairs import (
    hermite_gram,
    shared_hermite_diagonals,
    shared_hermite_gram,
)
from rntk_bench.kernels.recursion.layout import Pairs, Readouts, Sigmas, TimeMajor
from rntk_bench.kernels.recursion.shared_readouts import SharedReadouts, most_lags
from rntk_bench.types import FloatArray, IntArray


def grams(
    pairs: Pairs, sigmas: Sigmas, phi: Smooth, readouts: Readouts | SharedReadouts
) -> tuple[FloatArray, FloatArray, float]:
    """Readouts (k, n_x, n_y) of all pairs and (k, n_x) of every x with itself, for one setting.

    The first leaves its diagonal undefined. The third is a bound on the error of any entry.
    """
    squares = _squares(pairs.x, sigmas)
    tabled = tables(phi)
    sets, alones = zip(
        *(_follow(series, squares, sigmas, tabled) for series in pairs.sets), strict=True
    )
    out = np.empty((len(readouts.tangent), *pairs.shape))
    if not all(np.isfinite(alone.readouts).all() for alone in alones):
        out[:] = np.inf
        return out, np.full((len(out), pairs.x.n), np.inf), 0.0
    if isinstance(readouts, SharedReadouts):
        bound = _fill_shared(pairs, sets, alones, squares, tabled.table, readouts, out)
    else:
        bound = _fill(pairs, sets, alones, squares, tabled.table, readouts, out)
    diagonal = _diagonals(sets[0], alones[0], pairs.x, squares, sigmas, tabled.table, readouts)
    out *= sigmas.v**2
    return out, diagonal, float(sigmas.v**2 * bound)


def _fill(
    pairs: Pairs,
    sets: tuple[Series, ...],
    alones: tuple[SelfKernels, ...],
    squares: Squares,
    table: Table,
    readouts: Readouts,
    out: FloatArray,
) -> float:
    """Fill out (k, n_x, n_y) for readouts of the last step or of equal steps; returns a bound."""
    counts = np.max([alone.counts for alone in alones], axis=0)
    closest = np.zeros(counts.shape[1:])
    limit = current_deadline()
    hermite_gram(
        sets[0],
        sets[-1],
        pairs.y is None,
        squares,
        table,
        counts,
        readouts.average,
        readouts.tangent,
        limit.stop,
        out,
        closest,
    )
    limit.check()
    if readouts.average.any():
        out[readouts.average] /= pairs.root_of_lengths
    return _bound(alones, np.sqrt(closest), squares)


def _fill_shared(
    pairs: Pairs,
    sets: tuple[Series, ...],
    alones: tuple[SelfKernels, ...],
    squares: Squares,
    table: Table,
    readouts: SharedReadouts,
    out: FloatArray,
) -> float:
    """Fill out (k, n_x, n_y) for a readout that is shared between steps; returns a bound."""
    widths = readouts.widths(pairs.x), readouts.widths(pairs.sets[-1])
    counts = _counts_of_any_step(alones)
    limit = current_deadline()
    shared_hermite_gram(
        sets[0],
        sets[-1],
        pairs.y is None,
        squares,
        table,
        counts,
        readouts.lag_step,
        widths,
        readouts.tangent,
        limit.stop,
        out,
    )
    limit.check()
    out /= pairs.root_of_lengths
    # A diagonal has at most sqrt(T T') prefixes, of weight at most 1.
    widest, longest = max(each.max() for each in widths), len(sets[0].steps)
    n_lags = most_lags(widest, readouts.lag_step, longest)
    close = np.ones(counts.shape[1:])
    bounds = [_bound(alones, close, squares, k * readouts.lag_step) for k in range(n_lags)]
    return bounds[0] + 2.0 * sum(bounds[1:])


def diagonals(
    series: TimeMajor, sigmas: Sigmas, phi: Smooth, readouts: Readouts | SharedReadouts
) -> FloatArray:
    """Readouts (k, n) of every series with itself."""
    squares, tabled = _squares(series, sigmas), tables(phi)
    sequences, alone = _follow(series, squares, sigmas, tabled)
    return _diagonals(sequences, alone, series, squares, sigmas, tabled.table, readouts)


def _diagonals(
    sequences: Series,
    alone: SelfKernels,
    series: TimeMajor,
    squares: Squares,
    sigmas: Sigmas,
    table: Table,
    readouts: Readouts | SharedReadouts,
) -> FloatArray:
    if not isinstance(readouts, SharedReadouts):
        return sigmas.v**2 * readouts.of_one(alone.readouts, series)
    out = readouts.of_equal_steps(alone.readouts, series)
    if np.isfinite(out).all():
        limit = current_deadline()
        shared_hermite_diagonals(
            sequences,
            series.lengths,
            squares,
            table,
            _counts_of_any_step((alone,)),
            readouts.lag_step,
            readouts.widths(series),
            readouts.tangent,
            limit.stop,
            out,
        )
        limit.check()
    return np.asarray(sigmas.v**2 * out / series.lengths)


def _squares(series: TimeMajor, sigmas: Sigmas) -> Squares:
    with np.errstate(over="ignore"):
        squares = Squares(sigmas.w**2, sigmas.u**2, sigmas.b**2)
        squares.u[0] /= series.steps.shape[1]
    return squares


def _follow(
    series: TimeMajor, squares: Squares, sigmas: Sigmas, tabled: Tables
) -> tuple[Series, SelfKernels]:
    """Follow every sequence alone; all readouts are infinite where a deviation is not finite."""
    T, _, n = series.steps.shape
    L = len(squares.w)
    sequences = Series(series.steps, series.active, np.zeros((L, T, n)))
    alone = SelfKernels(
        np.zeros((3, L, n)),
        np.zeros((2, T, n)),
        np.zeros((4, L, T)),
        np.zeros((2, 3, L, T)),
        np.zeros((2, L, T), np.int64),
    )
    alone.state[0] = sigmas.h**2
    at = 0
    while (at := self_kernels(sequences, squares, tabled.table, at, alone)) < L * T:
        deviations = sequences.s[at % L, at // L, : series.active[at // L]]
        exponents = np.unique(deviations.view(np.int64) >> 52)
        if exponents[-1] == EXPONENTS - 1 or exponents[0] < 0:
            alone.readouts[:] = np.inf
            break
        tabled.extended(exponents.tolist())
    return sequences, alone


def _bound(
    alones: tuple[SelfKernels, ...], closest: FloatArray, squares: Squares, lag: int = 0
) -> float:
    """Largest error of a readout of two steps `lag` apart, at any step.

    `closest` (L, T) are the largest correlations.
    """
    largest = np.max([alone.largest for alone in alones], axis=0)
    errors = np.max([alone.errors for alone in alones], axis=0)
    T = largest.shape[-1]
    earlier, later = np.s_[..., : T - lag], np.s_[..., lag:]
    energy, slope = np.maximum(largest[earlier], largest[later])[:2]
    quadrature, table, beyond = np.swapaxes(np.maximum(errors[earlier], errors[later]), 0, 1)
    # The polynomials' errors are those of one factor of each term; terms beyond MAX_TERMS have at
    # least these powers of c.
    lost = quadrature + table * np.sqrt([energy, slope])
    lost += beyond * [closest[later] ** MAX_TERMS, closest[later] ** (MAX_TERMS - 1)]
    # By the Cauchy-Schwarz inequality.
    _, slope, theta, curvature = np.sqrt(largest[earlier]) * np.sqrt(largest[later])
    return largest_error(slope, theta, curvature, lost, squares)


def _counts_of_any_step(alones: tuple[SelfKernels, ...]) -> IntArray:
    """The terms (2, L, T) that suffice at any step.

    With the same number of terms at all steps the truncated series is positive semi-definite also
    between different steps.
    """
    counts = np.max([alone.counts for alone in alones], axis=0)
    most: IntArray = np.zeros_like(counts) + counts.max(axis=2, keepdims=True)
    return most
