"""RNTK of the activations whose Gaussian operators are closed forms: ReLU, leaky ReLU and erf."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np

from rntk_bench.kernels.activations import Erf, LeakyReLU
from rntk_bench.kernels.base import Array
from rntk_bench.kernels.layout import Pairs, Readouts, Sigmas, TimeMajor
from rntk_bench.kernels.loops.layers import layered_gram
from rntk_bench.kernels.loops.operators import Curves
from rntk_bench.kernels.loops.rntk import rntk_gram
from rntk_bench.kernels.loops.walk import Walk, walk_erf, walk_relu

LARGEST_VARIANCE = 2.0**20
"""Of erf's pre-activations: beyond, 1 - c^2 in (162) keeps fewer than ten digits, and the result
is infinite."""


def grams(
    pairs: Pairs, sigmas: Sigmas, phi: LeakyReLU | Erf, readouts: Readouts
) -> tuple[Array, Array, float]:
    """Readouts (k, n_x, n_y) of all pairs and (k, n_x) of every x with itself.

    The first leaves its diagonal undefined; both are infinite where float64 does not suffice. The
    third is the error of the closed form, 0.
    """
    unit = _unit(pairs.sets, sigmas)
    found = [_walk(series, sigmas, phi, unit, readouts) for series in pairs.sets]
    walks = [walk for walk, _ in found]
    out = np.empty((len(readouts.average), *pairs.shape))
    if not all(np.isfinite(walk.scale).all() for walk in walks):
        out[:] = np.inf
        return out, np.full((len(out), pairs.x.n), np.inf), 0.0
    curves = _curves(phi.slope if isinstance(phi, LeakyReLU) else 0.0)
    symmetric, erf, tangent = pairs.y is None, isinstance(phi, Erf), readouts.tangent
    layers, m = len(sigmas.w), pairs.x.steps.shape[1]
    if layers == m == len(out) == 1 and not (erf or readouts.average[0]):
        rntk_gram(walks[0], walks[-1], symmetric, curves, bool(tangent[0]), out[0])
    else:
        layered_gram(walks[0], walks[-1], symmetric, erf, curves, readouts.average, tangent, out)
    if readouts.average.any():
        lengths = np.multiply.outer(pairs.x.lengths, pairs.sets[-1].lengths)
        out[readouts.average] /= np.sqrt(lengths)
    return out, _diagonals(*found[0], pairs.x, readouts), 0.0


def diagonals(series: TimeMajor, sigmas: Sigmas, phi: LeakyReLU | Erf, readouts: Readouts) -> Array:
    """Readouts (k, n) of every series with itself."""
    walk, steps = _walk(series, sigmas, phi, _unit((series,), sigmas), readouts)
    return _diagonals(walk, steps, series, readouts)


def _diagonals(walk: Walk, steps: Array, series: TimeMajor, readouts: Readouts) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        return readouts.of_one(walk.scale**2 * steps, series)


def _walk(
    series: TimeMajor, sigmas: Sigmas, phi: LeakyReLU | Erf, unit: float, readouts: Readouts
) -> tuple[Walk, Array]:
    """What the pairs need of one set, and f and f + h theta of every series with itself."""
    if isinstance(phi, LeakyReLU):
        # V[K] = (1 + slope^2) times that of an activation with f(1) = 1/2.
        gain = math.sqrt(1.0 + phi.slope**2)
        layers = np.arange(len(sigmas.w)) > 0
        sigmas = replace(
            sigmas,
            w=gain * sigmas.w,
            u=np.where(layers, gain, 1.0 / unit) * sigmas.u,
            b=sigmas.b / unit,
            h=sigmas.h / (gain * unit),
            v=sigmas.v * gain * unit,
        )
    m = series.steps.shape[1]
    u = np.concatenate([sigmas.u[:1] / math.sqrt(m), sigmas.u[1:]])
    follow = walk_relu if isinstance(phi, LeakyReLU) else walk_erf
    w, b = np.ascontiguousarray(sigmas.w), np.ascontiguousarray(sigmas.b)
    every = bool(readouts.average.any())
    weights, more, found, steps = follow(series.steps, series.active, w, u, b, sigmas.h, every)
    if isinstance(phi, LeakyReLU):
        scale = sigmas.v * found
    else:
        begun = np.arange(found.shape[1]) < series.active[-len(found) :, None]
        limit = np.where(found <= LARGEST_VARIANCE, 1.0, np.inf)
        scale = np.where(begun, sigmas.v * math.sqrt(2.0 / math.pi) * limit, 0.0)
    return Walk(weights, more, scale, series.active), steps


def _unit(sets: tuple[TimeMajor, ...], sigmas: Sigmas) -> float:
    """Power of two near the largest term of (16), so that no square leaves float64's range."""
    drive = max(float(np.abs(series.steps).max()) for series in sets) * float(sigmas.u[0])
    largest = max(drive, float(sigmas.b.max()), sigmas.h * float(sigmas.w.max()))
    return 2.0 ** math.frexp(largest)[1] if math.isfinite(largest) else 1.0


@cache
def _curves(slope: float) -> Curves:
    return Curves.of(slope)
