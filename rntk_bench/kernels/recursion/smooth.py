"""RNTK of any activation phi, through its Hermite series.

The paper leaves such phi to Monte Carlo. With the normalised Hermite polynomials h_k and
a_k(s) = E[phi(s z) h_k(z)], z standard normal, a centred Gaussian pair with the standard deviations
s, s' and the correlation c has

    V = sum_k a_k(s) a_k(s') c^k,        V' = dV / dSigma = sum_k k a_k(s) a_k(s') c^(k-1) / (s s').

So the expectation over a pair becomes one over each series, which a table over s
gives (`hermite.py`), and a polynomial in c for the pair. Unlike an estimate by Monte Carlo, the
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
    self_recursion,
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

    The diagonals of the first are zero for one set. The third is a bound on the error of any entry.
    """
    squares = _squares(pairs.x, sigmas)
    hermite_tables = tables(phi)
    sets, self_kernels = zip(
        *(_self_recursion(series, squares, sigmas, hermite_tables) for series in pairs.sets),
        strict=True,
    )
    out = np.zeros((len(readouts.tangent), *pairs.shape))
    if not all(np.isfinite(self_kernel.readouts).all() for self_kernel in self_kernels):
        out[:] = np.inf
        return out, np.full((len(out), pairs.x.n), np.inf), 0.0
    if isinstance(readouts, SharedReadouts):
        bound = _fill_shared(
            pairs, sets, self_kernels, squares, hermite_tables.table, readouts, out
        )
    else:
        bound = _fill(pairs, sets, self_kernels, squares, hermite_tables.table, readouts, out)
    diagonal = _diagonals(
        sets[0], self_kernels[0], pairs.x, squares, sigmas, hermite_tables.table, readouts
    )
    out *= sigmas.v**2
    return out, diagonal, float(sigmas.v**2 * bound)


def _fill(
    pairs: Pairs,
    sets: tuple[Series, ...],
    self_kernels: tuple[SelfKernels, ...],
    squares: Squares,
    table: Table,
    readouts: Readouts,
    out: FloatArray,
) -> float:
    """Fill out (k, n_x, n_y) for readouts of the last step or of equal steps; returns a bound."""
    counts = np.max([self_kernel.counts for self_kernel in self_kernels], axis=0)
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
    return _bound(self_kernels, np.sqrt(closest), squares)


def _fill_shared(
    pairs: Pairs,
    sets: tuple[Series, ...],
    self_kernels: tuple[SelfKernels, ...],
    squares: Squares,
    table: Table,
    readouts: SharedReadouts,
    out: FloatArray,
) -> float:
    """Fill out (k, n_x, n_y) for a readout that is shared between steps; returns a bound."""
    widths = readouts.widths(pairs.x), readouts.widths(pairs.sets[-1])
    counts = _counts_of_any_step(self_kernels)
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
    bounds = [_bound(self_kernels, close, squares, k * readouts.lag_step) for k in range(n_lags)]
    return bounds[0] + 2.0 * sum(bounds[1:])


def diagonals(
    series: TimeMajor, sigmas: Sigmas, phi: Smooth, readouts: Readouts | SharedReadouts
) -> FloatArray:
    """Readouts (k, n) of every series with itself."""
    squares, hermite_tables = _squares(series, sigmas), tables(phi)
    sequences, self_kernel = _self_recursion(series, squares, sigmas, hermite_tables)
    return _diagonals(
        sequences, self_kernel, series, squares, sigmas, hermite_tables.table, readouts
    )


def _diagonals(
    sequences: Series,
    self_kernel: SelfKernels,
    series: TimeMajor,
    squares: Squares,
    sigmas: Sigmas,
    table: Table,
    readouts: Readouts | SharedReadouts,
) -> FloatArray:
    if not isinstance(readouts, SharedReadouts):
        return sigmas.v**2 * readouts.of_one(self_kernel.readouts, series)
    out = readouts.of_equal_steps(self_kernel.readouts, series)
    if np.isfinite(out).all():
        limit = current_deadline()
        shared_hermite_diagonals(
            sequences,
            series.lengths,
            squares,
            table,
            _counts_of_any_step((self_kernel,)),
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


def _self_recursion(
    series: TimeMajor, squares: Squares, sigmas: Sigmas, hermite_tables: Tables
) -> tuple[Series, SelfKernels]:
    """The recursion of each series with itself.

    All readouts are infinite if a standard deviation is not finite.
    """
    T, _, n = series.steps.shape
    L = len(squares.w)
    sequences = Series(series.steps, series.active, np.zeros((L, T, n)))
    self_kernel = SelfKernels(
        np.zeros((3, L, n)),
        np.zeros((2, T, n)),
        np.zeros((4, L, T)),
        np.zeros((2, 3, L, T)),
        np.zeros((2, L, T), np.int64),
    )
    self_kernel.state[0] = sigmas.h**2
    at = 0
    while (at := self_recursion(sequences, squares, hermite_tables.table, at, self_kernel)) < L * T:
        standard_deviations = sequences.s[at % L, at // L, : series.active[at // L]]
        exponents = np.unique(standard_deviations.view(np.int64) >> 52)
        if exponents[-1] == EXPONENTS - 1 or exponents[0] < 0:
            self_kernel.readouts[:] = np.inf
            break
        hermite_tables.extended(exponents.tolist())
    return sequences, self_kernel


def _bound(
    self_kernels: tuple[SelfKernels, ...], closest: FloatArray, squares: Squares, lag: int = 0
) -> float:
    """Largest error of a readout of two steps `lag` apart, at any step.

    `closest` (L, T) are the largest correlations.
    """
    largest = np.max([self_kernel.largest for self_kernel in self_kernels], axis=0)
    errors = np.max([self_kernel.errors for self_kernel in self_kernels], axis=0)
    T = largest.shape[-1]
    earlier, later = np.s_[..., : T - lag], np.s_[..., lag:]
    energy, slope = np.maximum(largest[earlier], largest[later])[:2]
    quadrature, table, beyond = np.swapaxes(np.maximum(errors[earlier], errors[later]), 0, 1)
    # The polynomials' errors are those of one factor of each term; terms beyond MAX_TERMS have at
    # least these powers of c.
    step_errors = quadrature + table * np.sqrt([energy, slope])
    step_errors += beyond * [closest[later] ** MAX_TERMS, closest[later] ** (MAX_TERMS - 1)]
    # By the Cauchy-Schwarz inequality.
    _, slope, theta, curvature = np.sqrt(largest[earlier]) * np.sqrt(largest[later])
    return largest_error(slope, theta, curvature, step_errors, squares)


def _counts_of_any_step(self_kernels: tuple[SelfKernels, ...]) -> IntArray:
    """The terms (2, L, T) that suffice at any step.

    With the same number of terms at all steps the truncated series is positive semi-definite also
    between different steps.
    """
    counts = np.max([self_kernel.counts for self_kernel in self_kernels], axis=0)
    most: IntArray = np.zeros_like(counts) + counts.max(axis=2, keepdims=True)
    return most
