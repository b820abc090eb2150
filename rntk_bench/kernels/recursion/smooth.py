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
    hermite_gram,
    largest_error,
    self_kernels,
)
from rntk_bench.kernels.recursion.hermite_coefficients import MAX_TERMS, Tables, tables
from rntk_bench.kernels.recursion.layout import Pairs, Readouts, Sigmas, TimeMajor
from rntk_bench.types import FloatArray


def grams(
    pairs: Pairs, sigmas: Sigmas, phi: Smooth, readouts: Readouts
) -> tuple[FloatArray, FloatArray, float]:
    """Readouts (k, n_x, n_y) of all pairs and (k, n_x) of every x with itself, for one setting.

    The first leaves its diagonal undefined. The third is a bound on the error of any entry.
    """
    squares = _squares(pairs.x, sigmas)
    tabled = tables(phi)
    sets, alones = zip(
        *(_follow(series, squares, sigmas, tabled) for series in pairs.sets), strict=True
    )
    out = np.empty((len(readouts.average), *pairs.shape))
    diagonal = _diagonals(alones[0], pairs.x, sigmas, readouts)
    if not all(np.isfinite(alone.readouts).all() for alone in alones):
        return np.full_like(out, np.inf), np.full_like(diagonal, np.inf), 0.0
    counts = np.max([alone.counts for alone in alones], axis=0)
    closest = np.zeros(counts.shape[1:])
    limit = current_deadline()
    hermite_gram(
        sets[0],
        sets[-1],
        pairs.y is None,
        squares,
        tabled.table,
        counts,
        readouts.average,
        readouts.tangent,
        limit.stop,
        out,
        closest,
    )
    limit.check()
    if readouts.average.any():
        lengths = np.multiply.outer(pairs.x.lengths, pairs.sets[-1].lengths)
        out[readouts.average] /= np.sqrt(lengths)
    out *= sigmas.v**2
    return out, diagonal, float(sigmas.v**2 * _bound(alones, np.sqrt(closest), squares))


def diagonals(series: TimeMajor, sigmas: Sigmas, phi: Smooth, readouts: Readouts) -> FloatArray:
    """Readouts (k, n) of every series with itself."""
    _, alone = _follow(series, _squares(series, sigmas), sigmas, tables(phi))
    return _diagonals(alone, series, sigmas, readouts)


def _diagonals(
    alone: SelfKernels, series: TimeMajor, sigmas: Sigmas, readouts: Readouts
) -> FloatArray:
    return sigmas.v**2 * readouts.of_one(alone.readouts, series)


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


def _bound(alones: tuple[SelfKernels, ...], closest: FloatArray, squares: Squares) -> float:
    """Largest error of a readout at any step; `closest` (L, T) are the largest correlations."""
    energy, slope, theta, curvature = np.max([alone.largest for alone in alones], axis=0)
    quadrature, table, beyond = np.swapaxes(
        np.max([alone.errors for alone in alones], axis=0), 0, 1
    )
    # The polynomials' errors are those of one factor of each term; terms beyond MAX_TERMS have at
    # least these powers of c.
    lost = quadrature + table * np.sqrt([energy, slope])
    lost += beyond * [closest**MAX_TERMS, closest ** (MAX_TERMS - 1)]
    return largest_error(slope, theta, curvature, lost, squares)
