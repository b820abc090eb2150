"""RNTK of the activations whose Gaussian operators are closed forms: ReLU, leaky ReLU and erf."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from rntk_bench.deadline import deadline
from rntk_bench.kernels.activations import Erf, LeakyReLU
from rntk_bench.kernels.base import Array
from rntk_bench.kernels.layout import Pairs, Readouts, Sigmas, TimeMajor
from rntk_bench.kernels.loops.layers import layered_grams
from rntk_bench.kernels.loops.operators import Curves
from rntk_bench.kernels.loops.rntk import rntk_grams
from rntk_bench.kernels.loops.walk import Walk, walk_erf, walk_relu

LARGEST_VARIANCE = 2.0**20
"""Of erf's pre-activations: beyond, 1 - c^2 in (162) keeps fewer than ten digits, and the result
is infinite."""


def grams(
    pairs: Pairs, sigmas: Sigmas, phi: LeakyReLU | Erf, readouts: Readouts
) -> tuple[Array, Array]:
    """Readouts (S, k, n_x, n_y) of all pairs and (S, k, n_x) of every x with itself.

    The first leaves its diagonals undefined; both are infinite for the settings for which float64
    does not suffice.
    """
    unit = _unit(pairs.sets, sigmas)
    found = [_walk(series, sigmas, phi, unit, readouts) for series in pairs.sets]
    walks = [walk for walk, _ in found]
    finite = np.all([np.isfinite(walk.scale).all(axis=(1, 2)) for walk in walks], axis=0)
    shape = len(sigmas.h), len(readouts.average)
    out, own = np.empty((*shape, *pairs.shape)), np.empty((*shape, pairs.x.n))
    if not finite.all():
        out[:], own[:] = np.inf, np.inf
        if finite.any():
            out[finite], own[finite] = grams(pairs, sigmas[finite], phi, readouts)
        return out, own
    curves = _curves(phi.slope if isinstance(phi, LeakyReLU) else 0.0)
    symmetric, erf, tangent = pairs.y is None, isinstance(phi, Erf), readouts.tangent
    limit = deadline()
    layers, m = sigmas.w.shape[1], pairs.x.steps.shape[1]
    if layers == m == len(tangent) == 1 and not (erf or readouts.average[0]):
        rntk_grams(walks[0], walks[-1], symmetric, curves, bool(tangent[0]), limit.stop, out[:, 0])
    else:
        average = readouts.average
        layered_grams(
            walks[0], walks[-1], symmetric, erf, curves, average, tangent, limit.stop, out
        )
    limit.check()
    if readouts.average.any():
        lengths = np.multiply.outer(pairs.x.lengths, pairs.sets[-1].lengths)
        out[:, readouts.average] /= np.sqrt(lengths)
    return out, _diagonals(*found[0], pairs.x, readouts)


def diagonals(series: TimeMajor, sigmas: Sigmas, phi: LeakyReLU | Erf, readouts: Readouts) -> Array:
    """Readouts (S, k, n) of every series with itself."""
    walk, steps = _walk(series, sigmas, phi, _unit((series,), sigmas), readouts)
    return _diagonals(walk, steps, series, readouts)


def _diagonals(walk: Walk, steps: Array, series: TimeMajor, readouts: Readouts) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        return readouts.of_one(walk.scale[:, None] ** 2 * steps, series)


def _walk(
    series: TimeMajor, sigmas: Sigmas, phi: LeakyReLU | Erf, unit: Array, readouts: Readouts
) -> tuple[Walk, Array]:
    """What the pairs need of one set, and f and f + h theta of every series with itself."""
    w, u, b, h, v = sigmas.w, sigmas.u.copy(), sigmas.b, sigmas.h, sigmas.v
    if isinstance(phi, LeakyReLU):
        # V[K] = (1 + slope^2) times that of an activation with f(1) = 1/2.
        gain = math.sqrt(1.0 + phi.slope**2)
        w, b, h, v = gain * w, b / unit[:, None], h / (gain * unit), v * gain * unit
        u[:, 0] /= unit
        u[:, 1:] *= gain
    u[:, 0] /= math.sqrt(series.steps.shape[1])
    follow = walk_relu if isinstance(phi, LeakyReLU) else walk_erf
    every = bool(readouts.average.any())
    weights, more, found, steps = follow(series.steps, series.active, w, u, b, h, every)
    factor = v[:, None, None]
    if isinstance(phi, LeakyReLU):
        scale = factor * found
    else:
        begun = np.arange(found.shape[2]) < series.active[-found.shape[1] :, None]
        limit = np.where(found <= LARGEST_VARIANCE, 1.0, np.inf)
        scale = np.where(begun, factor * math.sqrt(2.0 / math.pi) * limit, 0.0)
    return Walk(weights, more, scale, series.active), steps


def _unit(sets: tuple[TimeMajor, ...], sigmas: Sigmas) -> Array:
    """Powers of two (S,) near the largest term of (16): no square leaves float64's range."""
    drive = max(float(np.abs(series.steps).max()) for series in sets) * sigmas.u[:, 0]
    memory = sigmas.h * sigmas.w.max(axis=1)
    largest = np.max([drive, sigmas.b.max(axis=1), memory], axis=0)
    exponent = np.frexp(largest)[1]
    return np.where(np.isfinite(largest), np.ldexp(1.0, exponent), 1.0)


@cache
def _curves(slope: float) -> Curves:
    return Curves.of(slope)
