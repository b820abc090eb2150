"""Tables of an activation's Hermite coefficients as functions of the standard deviation s.

With the normalised Hermite polynomials h_k and z standard normal,

    a_k(s) = E[phi(s z) h_k(z)],    E[phi(s z)^2] = sum_k a_k(s)^2,
    E[phi'(s z)^2] = sum_k k a_k(s)^2 / s^2,

and all of them are smooth functions of s > 0 for any phi. They are computed by quadrature at the
Chebyshev nodes of each interval of an octave [2^e, 2^(e+1)), and interpolated by polynomials.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from threading import Lock
from typing import Final, Self

import numpy as np
from numpy.polynomial import chebyshev

from rntk_bench.kernels.activations import DISTANCE, Function, Smooth
from rntk_bench.kernels.recursion.hermite import (
    DEGREE,
    EXPONENTS,
    INTERVALS,
    UNROLLED,
    Table,
    project,
)
from rntk_bench.types import FloatArray, IntArray

MAX_TERMS: Final = 512
TOLERANCE: Final = 1e-16
"""Fraction of E[phi^2], and of E[phi'^2], in the terms that are left out, if MAX_TERMS suffice."""
SPACING: Final = 1.0 / 16.0
"""Distance of the quadrature's nodes. The trapezoidal rule with Gaussian weight converges faster
than any power for smooth phi; every second node alone shows its error."""
NODES: Final = SPACING * np.arange(-208, 209)
WEIGHTS: Final = SPACING * np.exp(-0.5 * NODES**2) / np.sqrt(2.0 * np.pi)
X_NODES: Final = np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
"""Positions in an interval, from -1 to 1, at which its polynomials equal the quadrature."""
CHECKS: Final = np.array([-1.0, 0.0, 1.0])
"""Positions at which their error is measured: that of a smooth function is largest near them."""
ROUNDING: Final = 16.0 * np.finfo(float).eps
"""Relative error of a polynomial that its rounding alone explains."""


@dataclass(frozen=True)
class Octave:
    """The functions of s on the intervals of one octave; the fields are those of `Table`."""

    energies: FloatArray
    terms: FloatArray
    counts: IntArray
    errors: FloatArray
    curvature: FloatArray

    @classmethod
    def of(cls, phi: Smooth, exponent: int) -> Self:
        """The octave of the numbers with these exponent bits; 0 is s = 0 alone."""
        x = np.append(X_NODES, CHECKS)
        position = (np.arange(INTERVALS)[:, None] + 0.5 * (x + 1.0)) / INTERVALS
        s = np.ldexp(1.0 + position, exponent - 1023) if exponent else np.zeros_like(position)
        with np.errstate(all="ignore"):
            energy = np.stack([energies(f, s) for f in (phi.phi, phi.slope)])  # (2, intervals, x)
            a = coefficients(phi.phi, s)  # (k, intervals, x)
            fractions = _ratio(_term_energies(a, s), energy[:, None])  # (2, k, intervals, x)
            counts = np.stack([_n_terms(fractions[:, parity::2]) for parity in (0, 1)], axis=1)
            a = a[: 2 * counts.max()]
            polynomials = _polynomials(energy), _polynomials(a)
            by_quadrature = _quadrature_error(phi, s, energy).max(axis=-1) + 2.0 * TOLERANCE
            by_polynomials = _table_error(*polynomials, energy, a, s)
            # At s = 0 phi is its first term, and the series of its slope is not used.
            wanted = np.stack([energy[0] > 0.0, (energy[1] > 0.0) & (s > 0.0)])
            beyond = np.abs(wanted - fractions.sum(axis=1)).max(axis=-1)
            curvature = energies(phi.curvature, s[:, -len(CHECKS) :]).max(axis=-1)
        terms = polynomials[1].reshape(INTERVALS, DEGREE + 1, -1, 2).swapaxes(2, 3)
        errors = np.stack([by_quadrature, by_polynomials, beyond], axis=-1).swapaxes(0, 1)
        return cls(polynomials[0], np.ascontiguousarray(terms), counts, errors, curvature)


_EMPTY: Final = Octave(
    np.zeros((0, DEGREE + 1, 2)),
    np.zeros((0, DEGREE + 1, 2, 0)),
    np.zeros((0, 2), np.int64),
    np.zeros((0, 2, 3)),
    np.zeros(0),
)


class Tables:
    """The table of one activation, which grows by the octaves that occur."""

    def __init__(self, phi: Smooth) -> None:
        self._phi = phi
        self._octaves: dict[int, Octave] = {}
        self._lock = Lock()
        self.table = _concatenate({})

    def extended(self, exponents: Iterable[int]) -> Table:
        """The table, with these octaves."""
        with self._lock:
            for exponent in {*exponents} - {*self._octaves}:
                self._octaves[exponent] = Octave.of(self._phi, exponent)
            self.table = _concatenate(self._octaves)
            return self.table


def tables(phi: Smooth) -> Tables:
    """The tables of phi, cached for the next call: an octave takes as long as a small Gram."""
    try:
        return _cached_tables(phi)
    except TypeError:  # a callable without a hash
        return Tables(phi)


@lru_cache(maxsize=16)
def _cached_tables(phi: Smooth) -> Tables:
    return Tables(phi)


def _concatenate(octaves: dict[int, Octave]) -> Table:
    """One table of several octaves, padded to the same number of terms."""
    slots = np.full(EXPONENTS, -1)
    slots[list(octaves)] = np.arange(len(octaves))
    members = [_EMPTY, *octaves.values()]
    width = max(member.terms.shape[3] for member in members)
    terms = [
        np.pad(member.terms, [(0, 0)] * 3 + [(0, width - member.terms.shape[3])])
        for member in members
    ]
    return Table(
        slots,
        np.concatenate([member.energies for member in members]),
        np.concatenate(terms),
        np.concatenate([member.counts for member in members]),
        np.concatenate([member.errors for member in members]),
        np.concatenate([member.curvature for member in members]),
    )


def energies(function: Function, s: FloatArray, every: int = 1) -> FloatArray:
    """E[function(s z)^2] for each standard deviation, by all nodes or every second one."""
    nodes, weights = NODES[::every], every * WEIGHTS[::every]
    energy: FloatArray = (np.square(function(s[..., None] * nodes)) * weights).sum(axis=-1)
    return energy


def coefficients(function: Function, s: FloatArray) -> FloatArray:
    """a_k(s) of the function, shape (MAX_TERMS, *s.shape)."""
    z = NODES[len(NODES) // 2 :, None]
    positive, negative = function(z * s.ravel()), function(-z * s.ravel())
    a = np.zeros((2, MAX_TERMS // 2, s.size))
    for parity, values in enumerate((positive + negative, positive - negative)):
        project(_hermite()[parity::2], values, a[parity])
    return np.swapaxes(a, 0, 1).reshape(MAX_TERMS, *s.shape)


@cache
def _hermite() -> FloatArray:
    """Weighted normalised Hermite polynomials at the nodes >= 0, shape (MAX_TERMS, n_nodes).

    The node 0 has half its weight, since the values at z and -z are added.
    """
    z, weights = NODES[len(NODES) // 2 :], WEIGHTS[len(NODES) // 2 :].copy()
    weights[0] *= 0.5
    h = np.empty((MAX_TERMS, len(z)))
    h[0], h[1] = 1.0, z
    for k in range(2, MAX_TERMS):
        h[k] = (z * h[k - 1] - np.sqrt(k - 1.0) * h[k - 2]) / np.sqrt(k)
    weighted: FloatArray = h * weights
    return weighted


def _term_energies(a: FloatArray, s: FloatArray) -> FloatArray:
    """a_k^2 and k a_k^2 / s^2 of a (k, intervals, x), stacked."""
    k = np.arange(len(a))[:, None, None]
    return np.stack([a**2, k * _ratio(a, np.broadcast_to(s, a.shape)) ** 2])


def _n_terms(fractions: FloatArray) -> IntArray:
    """Terms of one parity that each interval needs, by their fractions (2, k, intervals, x)."""
    remaining = np.cumsum(fractions[:, ::-1], axis=1)[:, ::-1]
    needed = (remaining > TOLERANCE).sum(axis=1).max(axis=(0, 2))
    rounded: IntArray = -(-needed // UNROLLED) * UNROLLED
    return rounded


def _polynomials(values: FloatArray) -> FloatArray:
    """Polynomials (intervals, DEGREE + 1, n), lowest power first, by values (n, intervals, x)."""
    # Through Chebyshev polynomials, whose coefficients decrease, so that no digits are lost.
    by_chebyshev = np.einsum("ji,nci->njc", _CHEBYSHEV, values[..., : DEGREE + 1])
    return np.ascontiguousarray(np.einsum("dj,njc->cdn", _POWERS, by_chebyshev))


def _quadrature_error(phi: Smooth, s: FloatArray, energy: FloatArray) -> FloatArray:
    """Relative errors of both energies by quadrature, and by a finite difference for phi'."""
    coarse = np.stack([energies(f, s, every=2) for f in (phi.phi, phi.slope)])
    other = energies(partial(phi.slope, distance=2.0 * DISTANCE), s)
    # Twice, for a phi with kinks, whose energies converge no faster than the nodes' distance.
    errors = 2.0 * _difference(coarse, energy)
    errors[1] += _difference(other, energy[1])
    return errors


def _difference(values: FloatArray, energy: FloatArray) -> FloatArray:
    """Relative difference of values from the energy, beyond the rounding of both."""
    relative = _ratio(np.abs(values - energy), energy)
    return np.maximum(relative - np.finfo(float).eps, 0.0)


def _table_error(
    energies: FloatArray, terms: FloatArray, energy: FloatArray, a: FloatArray, s: FloatArray
) -> FloatArray:
    """Relative errors (2, intervals) of V and V' that the polynomials make, measured at CHECKS."""
    powers, at = CHECKS ** np.arange(DEGREE + 1)[:, None], np.s_[..., DEGREE + 1 :]
    errors, error = (
        np.einsum("cdn,dx->ncx", polynomials, powers) - values[at]
        for polynomials, values in ((terms, a), (energies, energy))
    )
    # The norm of an error in L2, of phi(s z) and of its derivative by z / s.
    norm = np.sqrt(_term_energies(errors, s[at]).sum(axis=1))
    relative = 2.0 * _ratio(norm, np.sqrt(energy[at])) + _ratio(np.abs(error), energy[at])
    # Twice, for a phi with kinks, between whose points quadrature is not smooth in s.
    worst: FloatArray = 2.0 * np.maximum(relative.max(axis=-1) - ROUNDING, 0.0)
    return worst


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """The quotient, 0 where the denominator is 0."""
    out = np.zeros(np.broadcast_shapes(numerator.shape, denominator.shape))
    return np.divide(numerator, denominator, out=out, where=denominator != 0.0)


# T_j at the nodes, cos(pi m / (2 n)), with m taken modulo 4 n for the sake of its last digits.
_TURNS: Final = np.outer(np.arange(DEGREE + 1), 2 * np.arange(DEGREE + 1) + 1) % (4 * DEGREE + 4)
_CHEBYSHEV: Final = (
    2.0
    / (DEGREE + 1)
    * np.sin(0.5 * np.pi * (1.0 - np.minimum(_TURNS, 4 * DEGREE + 4 - _TURNS) / (DEGREE + 1)))
)
_CHEBYSHEV[0] /= 2.0
"""From values at X_NODES to the coefficients of Chebyshev's polynomials."""
_POWERS: Final = np.array(
    [
        np.pad(chebyshev.cheb2poly(row), (0, DEGREE - k))
        for k, row in enumerate(np.tri(DEGREE + 1) - np.tri(DEGREE + 1, k=-1))
    ]
).T
"""From those to the coefficients of powers."""
