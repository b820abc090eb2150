"""RNTK of the activations whose Gaussian operators are closed forms: ReLU, leaky ReLU and erf."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from rntk_bench.deadline import deadline
from rntk_bench.kernels.activations import Erf, LeakyReLU
from rntk_bench.kernels.base import Array
from rntk_bench.kernels.recursion.layers import layered_grams
from rntk_bench.kernels.recursion.layout import Pairs, Readouts, Sigmas, TimeMajor
from rntk_bench.kernels.recursion.operators import Curves
from rntk_bench.kernels.recursion.rntk import rntk_grams
from rntk_bench.kernels.recursion.self_kernel import Walk, walk_erf, walk_relu
from rntk_bench.kernels.recursion.shared import shared_diagonals, shared_grams
from rntk_bench.kernels.recursion.shared_readouts import SharedReadouts
from rntk_bench.kernels.recursion.tile import ERF, STATE, STEP, Readout

LARGEST_VARIANCE = 2.0**20
"""Of erf's pre-activations: beyond, 1 - c^2 in (162) keeps fewer than ten digits, and the result
is infinite."""


def grams(
    pairs: Pairs, sigmas: Sigmas, phi: LeakyReLU | Erf, readouts: Readouts | SharedReadouts
) -> tuple[Array, Array]:
    """Readouts (S, k, n_x, n_y) of all pairs and (S, k, n_x) of every x with itself.

    The first leaves its diagonals undefined; both are infinite for the settings for which float64
    does not suffice.
    """
    unit = _unit(pairs.sets, sigmas)
    found = [_walk(series, sigmas, phi, unit, readouts) for series in pairs.sets]
    walks = [walk for walk, _ in found]
    finite = np.all([np.isfinite(walk.scale).all(axis=(1, 2)) for walk in walks], axis=0)
    shape = len(sigmas.h), len(readouts.tangent)
    out, own = np.empty((*shape, *pairs.shape)), np.empty((*shape, pairs.x.n))
    if not finite.all():
        out[:], own[:] = np.inf, np.inf
        if finite.any():
            out[finite], own[finite] = grams(pairs, sigmas[finite], phi, readouts)
        return out, own
    if isinstance(readouts, SharedReadouts):
        _fill_shared(pairs, walks, phi, readouts, out)
    else:
        _fill(pairs, walks, phi, readouts, out)
    return out, _diagonals(*found[0], pairs.x, phi, readouts)


def _fill(
    pairs: Pairs, walks: list[Walk], phi: LeakyReLU | Erf, readouts: Readouts, out: Array
) -> None:
    """The readouts of the last step, or of equal steps, into out (S, k, n_x, n_y)."""
    curves, symmetric, limit = _curves(phi, readouts), pairs.y is None, deadline()
    average, tangent, erf = readouts.average, readouts.tangent, isinstance(phi, Erf)
    layers, m = walks[0].weights.shape[1], pairs.x.steps.shape[1]
    if layers == m == len(tangent) == 1 and not (erf or average[0]):
        rntk_grams(walks[0], walks[-1], symmetric, curves, bool(tangent[0]), limit.stop, out[:, 0])
    else:
        layered_grams(
            walks[0], walks[-1], symmetric, erf, curves, average, tangent, limit.stop, out
        )
    limit.check()
    out[:, average] /= _root_of_lengths(pairs)


def _fill_shared(
    pairs: Pairs, walks: list[Walk], phi: LeakyReLU | Erf, readouts: SharedReadouts, out: Array
) -> None:
    """The readouts of all pairs of steps into out (S, k, n_x, n_y)."""
    limit = deadline()
    shared_grams(
        walks[0],
        walks[-1],
        pairs.y is None,
        _curves(phi, readouts),
        _readout(phi, readouts),
        readouts.lag_step,
        (readouts.widths(pairs.x), readouts.widths(pairs.sets[-1])),
        readouts.tangent,
        limit.stop,
        out,
    )
    limit.check()
    out /= _root_of_lengths(pairs)


def _root_of_lengths(pairs: Pairs) -> Array:
    """sqrt(T T') of every pair."""
    return np.sqrt(np.multiply.outer(pairs.x.lengths, pairs.sets[-1].lengths))


def diagonals(
    series: TimeMajor,
    sigmas: Sigmas,
    phi: LeakyReLU | Erf,
    readouts: Readouts | SharedReadouts,
) -> Array:
    """Readouts (S, k, n) of every series with itself."""
    walk, steps = _walk(series, sigmas, phi, _unit((series,), sigmas), readouts)
    return _diagonals(walk, steps, series, phi, readouts)


def _diagonals(
    walk: Walk,
    steps: Array,
    series: TimeMajor,
    phi: LeakyReLU | Erf,
    readouts: Readouts | SharedReadouts,
) -> Array:
    limit = deadline()
    with np.errstate(over="ignore", invalid="ignore"):
        equal_steps = walk.scale[:, None] ** 2 * steps
        if not isinstance(readouts, SharedReadouts):
            return readouts.of_one(equal_steps, series)
        diagonals = readouts.of_equal_steps(equal_steps, series)
        shared_diagonals(
            walk,
            _curves(phi, readouts),
            _readout(phi, readouts),
            readouts.lag_step,
            readouts.widths(series),
            readouts.tangent,
            limit.stop,
            diagonals,
        )
        limit.check()
        return np.asarray(diagonals / series.lengths)


def _readout(phi: LeakyReLU | Erf, readouts: SharedReadouts) -> Readout:
    """What the loops read at every step."""
    if isinstance(phi, Erf):
        return ERF
    return STEP if readouts.step else STATE


def _walk(
    series: TimeMajor,
    sigmas: Sigmas,
    phi: LeakyReLU | Erf,
    unit: Array,
    readouts: Readouts | SharedReadouts,
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
    weights, more, found, steps = follow(series.steps, series.active, w, u, b, h, readouts.every)
    factor = v[:, None, None]
    if readouts.step:
        # A unit without variance is never above 0.
        scale = np.where(found > 0.0, sigmas.v[:, None, None], 0.0)
        scale[~np.isfinite(found)] = np.inf
        steps = np.ones_like(steps)
    elif isinstance(phi, LeakyReLU):
        scale = factor * found
    else:
        begun = np.arange(found.shape[2]) < series.active[-found.shape[1] :, None]
        limit = np.where(found <= LARGEST_VARIANCE, 1.0, np.inf)
        scale = np.where(begun, factor * math.sqrt(2.0 / math.pi) * limit, 0.0)
    return Walk(weights, more, scale, series.active), steps


def _unit(sets: tuple[TimeMajor, ...], sigmas: Sigmas) -> Array:
    """Powers of two (S,) near the largest term of (16): no square leaves float64's range."""
    drive = max(series.largest for series in sets) * sigmas.u[:, 0]
    memory = sigmas.h * sigmas.w.max(axis=1)
    largest = np.max([drive, sigmas.b.max(axis=1), memory], axis=0)
    exponent = np.frexp(largest)[1]
    return np.where(np.isfinite(largest), np.ldexp(1.0, exponent), 1.0)


def _curves(phi: LeakyReLU | Erf, readouts: Readouts | SharedReadouts) -> Curves:
    curves = _curves_of_slope(phi.slope if isinstance(phi, LeakyReLU) else 0.0)
    return curves.of_step_units() if readouts.step else curves


@cache
def _curves_of_slope(slope: float) -> Curves:
    return Curves.of(slope)
