"""RNTK of any activation phi, through its Hermite series.

The paper leaves such phi to Monte Carlo. With the normalised Hermite polynomials h_k and
a_k(s) = E[phi(s z) h_k(z)], z standard normal, a centred pair of deviations s, s' and correlation
c has

    V = sum_k a_k(s) a_k(s') c^k,        V' = dV / dSigma = sum_k k a_k(s) a_k(s') c^(k-1) / (s s').

So the expectation over a pair becomes one over each sequence alone (a quadrature) and a
polynomial in c for the pair. Unlike an estimate by Monte Carlo, the truncated series is
deterministic and is itself a positive semi-definite kernel. What it leaves out is at most the
energy E[phi(s z)^2] - sum_k a_k(s)^2 of the terms left out, which is
measured and carried through the recursion to a bound on the error of any entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Final, Self

import numpy as np

from rntk_bench.deadline import current_deadline
from rntk_bench.kernels.activations import DISTANCE, Function, Smooth
from rntk_bench.kernels.base import Array
from rntk_bench.kernels.blas import one_blas_thread
from rntk_bench.kernels.products import matmul
from rntk_bench.kernels.recursion.layout import Pairs, Readouts, Sigmas, TimeMajor
from rntk_bench.kernels.recursion.series import State, advance

MAX_TERMS: Final = 512
STEP: Final = 1.0 / 16.0
"""Distance of the quadrature's nodes. The trapezoidal rule with Gaussian weight converges faster
than any power for smooth phi; every second node alone shows its error."""
NODES: Final = STEP * np.arange(-208, 209)
WEIGHTS: Final = STEP * np.exp(-0.5 * NODES**2) / np.sqrt(2.0 * np.pi)


@dataclass(frozen=True)
class SmoothWalk:
    """Every sequence of a set alone: s of each layer and step (L, T, n), zero before it begins,
    `value` and `total`, V and V + V' theta of the last layer (T, n), and the largest E[phi'^2] and
    theta of each layer and step (2, L, T)."""

    s: Array
    value: Array
    total: Array
    largest: Array


def walk(series: TimeMajor, sigmas: Sigmas, phi: Smooth) -> SmoothWalk:
    """Follow every sequence alone through (15), (16), by quadrature."""
    T, m, n = series.steps.shape
    L = len(sigmas.w)
    s, largest = np.zeros((L, T, n)), np.zeros((2, L, T))
    last_value, last_total = np.zeros((T, n)), np.zeros((T, n))
    value, slope, theta = np.full((L, n), sigmas.h**2), np.zeros((L, n)), np.zeros((L, n))
    for t in range(T):
        active = slice(series.active[t])
        for layer in range(L):
            w, u, b = sigmas.w[layer] ** 2, sigmas.u[layer] ** 2, sigmas.b[layer] ** 2
            own = value[layer, active], slope[layer, active], theta[layer, active]
            below = np.square(series.steps[t, :, active]).sum(axis=0) / m
            inherited = np.zeros_like(below)
            if layer:
                below = value[layer - 1, active]
                inherited = slope[layer - 1, active] * theta[layer - 1, active]
            sigma = w * own[0] + u * below + b
            deviation = np.sqrt(sigma)
            s[layer, t, active] = deviation
            theta[layer, active] = sigma + w * own[1] * own[2] + u * inherited
            value[layer, active] = _energy(phi.phi, deviation)
            slope[layer, active] = _energy(phi.slope, deviation)
            if series.active[t]:
                largest[0, layer, t] = slope[layer, active].max()
                largest[1, layer, t] = theta[layer, active].max()
        last_value[t, active] = value[-1, active]
        last_total[t, active] = value[-1, active] + slope[-1, active] * theta[-1, active]
    return SmoothWalk(s, last_value, last_total, largest)


@dataclass(frozen=True)
class Truncation:
    """How many terms of the series are kept, and what that leaves out.

    `s` (k,) are deviations, ascending; for all up to each of them, `left` (2, k) are the largest
    energies of phi and of phi' in the terms left out, `missed` (2, k) what the quadrature of these
    energies and a difference for phi' miss, and `curvature` (k,) the largest E[phi''^2].
    """

    n_terms: int
    s: Array
    left: Array
    missed: Array
    curvature: Array

    @classmethod
    def of(cls, walks: list[SmoothWalk], phi: Smooth, tolerance: float = 1e-14) -> Self:
        """As many terms as leave out no more than `tolerance` of both energies, if there are.

        Measured at 33 of the deviations that occur, from the smallest to the largest.
        """
        s = np.unique(np.concatenate([walk.s[walk.s > 0.0] for walk in walks] + [np.ones(1)]))
        s = s[np.unique(np.linspace(0, len(s) - 1, 33).astype(int))]
        a = _coefficients(phi.phi, s, MAX_TERMS)
        slopes = np.sqrt(np.arange(MAX_TERMS))[:, None] * a / s
        fine, coarse = (
            np.stack([_energy(f, s, every) for f in (phi.phi, phi.slope)]) for every in (1, 2)
        )
        # Twice, for a phi with kinks, whose energies converge no faster than the nodes' distance.
        missed = 2.0 * np.abs(fine - coarse)
        missed[1] += np.abs(fine[1] - _energy(partial(phi.slope, distance=2.0 * DISTANCE), s))
        found = np.stack([np.cumsum(part**2, axis=0) for part in (a, slopes)], axis=1)
        left = np.abs(fine - found)  # (terms, 2, s)
        relative = (left / np.maximum(fine, np.finfo(float).tiny)).max(axis=(1, 2))
        enough = np.flatnonzero(relative <= tolerance)
        last = int(enough[0]) if len(enough) else MAX_TERMS - 1
        parts = left[last], missed, _energy(phi.curvature, s)
        return cls(last + 1, s, *(np.maximum.accumulate(part, axis=-1) for part in parts))

    def errors(self, s: Array, c: Array) -> tuple[Array, Array, Array]:
        """Largest errors of V and of V', and E[phi''^2], for pairs of deviations up to s and
        correlations up to c in size, all arrays of one shape.

        The terms left out have powers of c from `n_terms` on, in V' from `n_terms` - 1 on.
        """
        at = np.minimum(np.searchsorted(self.s, s), len(self.s) - 1)
        value, slope = (
            self.left[k, at] * c ** (self.n_terms - k) + self.missed[k, at] for k in (0, 1)
        )
        return value, slope, self.curvature[at]


def grams(
    pairs: Pairs, sigmas: Sigmas, phi: Smooth, readouts: Readouts
) -> tuple[Array, Array, float]:
    """Readouts (k, n_x, n_y) of all pairs and (k, n_x) of every x with itself, for one setting.

    The first leaves its diagonal undefined. The third is a bound on the error of any entry.
    """
    with one_blas_thread:
        return _grams(pairs, sigmas, phi, readouts)


def _grams(
    pairs: Pairs, sigmas: Sigmas, phi: Smooth, readouts: Readouts
) -> tuple[Array, Array, float]:
    walks = [walk(series, sigmas, phi) for series in pairs.sets]
    kept = Truncation.of(walks, phi)
    L, T = walks[0].largest.shape[1:]
    # The last is below the first layer, where nothing is.
    states = [State(*np.zeros((3, *pairs.shape))) for _ in range(L + 1)]
    sums, closest = np.zeros((2, *pairs.shape)), np.zeros((L, T))
    for t in range(T):
        counts = [min(int(series.active[t]), series.n) for series in pairs.sets]
        if min(counts) == 0:
            continue
        current_deadline().check()
        for layer in range(L):
            sides = []
            for found, count in zip(walks, counts, strict=True):
                s = found.s[layer, t, :count]
                sides.append((_inverse(s), _coefficients(phi.phi, s, kept.n_terms)))
            drive = _drive(pairs, sigmas, t, layer, (counts[0], counts[-1]))
            w, u = sigmas.w[layer] ** 2, sigmas.u[layer] ** 2 if layer else 0.0
            closest[layer, t] = advance(
                states[layer], states[layer - 1], drive, w, u, sides[0], sides[-1], pairs.y is None
            )
        if readouts.average.any():
            sums += _readout(states[L - 1])
    out = readouts.collect(_readout(states[L - 1]), sums, pairs) * sigmas.v**2
    if pairs.y is None:
        out += np.triu(out, 1).transpose(0, 2, 1) - np.tril(out, -1)
    own = _diagonals(walks[0], pairs.x, sigmas, readouts)
    return out, own, float(sigmas.v**2 * _bound(walks, kept, closest, sigmas))


def diagonals(series: TimeMajor, sigmas: Sigmas, phi: Smooth, readouts: Readouts) -> Array:
    """Readouts (k, n) of every series with itself."""
    return _diagonals(walk(series, sigmas, phi), series, sigmas, readouts)


def _diagonals(found: SmoothWalk, series: TimeMajor, sigmas: Sigmas, readouts: Readouts) -> Array:
    return sigmas.v**2 * readouts.of_one(np.stack([found.value, found.total]), series)


def _drive(pairs: Pairs, sigmas: Sigmas, t: int, layer: int, shape: tuple[int, int]) -> Array:
    """What a step adds to Sigma that does not depend on the past, (r, c)."""
    bias = sigmas.b[layer] ** 2
    if layer:
        return np.full(shape, bias)
    x, y = (
        series.steps[t, :, :count]
        for series, count in zip((pairs.x, pairs.sets[-1]), shape, strict=True)
    )
    drive: Array = sigmas.u[0] ** 2 / len(x) * matmul(x.T, y.T) + bias
    return drive


def _readout(state: State) -> Array:
    """V and V' theta, stacked."""
    return np.stack([state.value, state.slope * state.theta])


def _bound(walks: list[SmoothWalk], kept: Truncation, closest: Array, sigmas: Sigmas) -> float:
    """Largest error of a readout at any step; `closest` (L, T) are the largest correlations.

    With |V'| <= E[phi'^2] and |V''| <= E[phi''^2], an error of Sigma grows by these factors from
    V[Sigma] and V'[Sigma] on, and |theta(x, x')| is at most the larger theta(x, x).
    """
    slope, theta = np.max([walk.largest for walk in walks], axis=0)
    L, T = slope.shape
    left = kept.errors(np.max([walk.s.max(axis=2) for walk in walks], axis=0), closest)
    value_error, slope_error, theta_error = (np.zeros((L + 1, T + 1)) for _ in range(3))
    worst = 0.0
    for t in range(T):
        for layer in range(L):
            w, u = sigmas.w[layer] ** 2, sigmas.u[layer] ** 2 if layer else 0.0
            # Index -1 is the zero row before the first step and below the first layer.
            before, below = (layer, t - 1), (layer - 1, t)
            sigma = w * value_error[before] + u * value_error[below]
            theta_error[layer, t] = sigma
            for square, at in ((w, before), (u, below)):
                if min(at) >= 0:
                    theta_error[layer, t] += square * (
                        slope[at] * theta_error[at] + slope_error[at] * theta[at]
                    )
            value_error[layer, t] = left[0][layer, t] + slope[layer, t] * sigma
            slope_error[layer, t] = left[1][layer, t] + left[2][layer, t] * sigma
        top = L - 1, t
        readout = value_error[top] + slope[top] * theta_error[top] + slope_error[top] * theta[top]
        worst = max(worst, float(readout))
    return worst


def _energy(function: Function, s: Array, every: int = 1) -> Array:
    """E[function(s z)^2] for each deviation, from every node or every second."""
    nodes, weights = NODES[::every], every * WEIGHTS[::every]
    energy: Array = np.square(function(s[:, None] * nodes)) @ weights
    return energy


def _coefficients(function: Function, s: Array, n_terms: int) -> Array:
    """a_k(s) of the function, shape (n_terms, n)."""
    return matmul(_hermite()[:n_terms], function(s[:, None] * NODES))


def _inverse(s: Array) -> Array:
    return np.divide(1.0, s, out=np.zeros_like(s), where=s > 0.0)


@cache
def _hermite() -> Array:
    """Weighted normalised Hermite polynomials at the nodes, shape (MAX_TERMS, n_nodes)."""
    h = np.empty((MAX_TERMS, len(NODES)))
    h[0], h[1] = 1.0, NODES
    for k in range(2, MAX_TERMS):
        h[k] = (NODES * h[k - 1] - np.sqrt(k - 1.0) * h[k - 2]) / np.sqrt(k)
    weighted: Array = h * WEIGHTS
    return weighted
