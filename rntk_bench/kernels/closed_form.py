"""RNTK of the activations whose Gaussian operators are closed forms: ReLU, leaky ReLU and erf."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np

from rntk_bench.kernels.activations import Erf, LeakyReLU
from rntk_bench.kernels.base import Array
from rntk_bench.kernels.layout import Pairs, Readouts, Sigmas, TimeMajor
from rntk_bench.kernels.loops.operators import Curves
from rntk_bench.kernels.loops.rntk import rntk_gram
from rntk_bench.kernels.loops.walk import Walk, walk_erf, walk_relu

LARGEST_VARIANCE = 2.0**20
"""Of erf's pre-activations: beyond, 1 - c^2 in (162) keeps fewer than ten digits, and the result
is infinite."""


def grams(pairs: Pairs, sigmas: Sigmas, phi: LeakyReLU | Erf, readouts: Readouts) -> Array:
    """Readouts (k, n_x, n_y) of all pairs; infinite where float64 does not suffice."""
    unit = _unit(pairs.sets, sigmas) if isinstance(phi, LeakyReLU) else 1.0
    walks = [_walk(series, sigmas, phi, unit)[0] for series in pairs.sets]
    out = np.empty((len(readouts.average), *pairs.shape))
    if not all(np.isfinite(walk.scale).all() for walk in walks):
        out[:] = np.inf
        return out
    rntk_gram(
        walks[0],
        walks[-1],
        pairs.y is None,
        isinstance(phi, Erf),
        _curves(phi.slope if isinstance(phi, LeakyReLU) else 0.0),
        readouts.average,
        readouts.tangent,
        out,
    )
    if readouts.average.any():
        lengths = np.multiply.outer(pairs.x.lengths, pairs.sets[-1].lengths)
        out[readouts.average] /= np.sqrt(lengths)
    return out


def diagonals(series: TimeMajor, sigmas: Sigmas, phi: LeakyReLU | Erf, readouts: Readouts) -> Array:
    """Readouts (k, n) of every series with itself."""
    unit = _unit((series,), sigmas) if isinstance(phi, LeakyReLU) else 1.0
    walk, steps = _walk(series, sigmas, phi, unit)
    with np.errstate(over="ignore", invalid="ignore"):
        return readouts.of_one(walk.scale**2 * steps, series)


def _walk(
    series: TimeMajor, sigmas: Sigmas, phi: LeakyReLU | Erf, unit: float
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
    weights, more, found, steps = follow(
        series.steps, series.active, np.ascontiguousarray(sigmas.w), u, sigmas.b, sigmas.h
    )
    if isinstance(phi, LeakyReLU):
        scale = sigmas.v * found
    else:
        begun = np.arange(found.shape[1]) < series.active[:, None]
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
