"""The RNTK for activations with closed-form Gaussian operators: ReLU, leaky ReLU and erf."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np

from rntk_bench.deadline import current_deadline
from rntk_bench.kernels.activations import Erf, LeakyReLU
from rntk_bench.kernels.recursion.layers import layered_grams
from rntk_bench.kernels.recursion.layout import Pairs, Readouts, Sigmas, TimeMajor
from rntk_bench.kernels.recursion.operators import Curves
from rntk_bench.kernels.recursion.rntk import rntk_grams
from rntk_bench.kernels.recursion.self_kernel import (
    SetWeights,
    self_recursion_erf,
    self_recursion_relu,
)
from rntk_bench.kernels.recursion.shared import shared_diagonals, shared_grams
from rntk_bench.kernels.recursion.shared_readouts import SharedReadouts
from rntk_bench.kernels.recursion.tile import ERF, STATE, STEP, Readout
from rntk_bench.types import FloatArray

LARGEST_VARIANCE = 2.0**20
"""Largest variance of erf's pre-activations. Beyond it, 1 - c^2 in (162) has fewer than ten correct
digits, and the result is set to infinity."""

ERF_ROUNDING = 100 * float(np.finfo(np.float64).eps)
"""Relative rounding error of a kernel of erf whose Theta(x, x) is sigma_v^2, about and at most."""
_LAST_STEP = Readouts(average=np.array([False]), tangent=np.array([True]))


@np.errstate(all="ignore")  # what overflows is infinite in the results
def grams(
    pairs: Pairs, sigmas: Sigmas, phi: LeakyReLU | Erf, readouts: Readouts | SharedReadouts
) -> tuple[FloatArray, FloatArray]:
    """Grams (S, k, n_x, n_y) of all pairs and diagonals (S, k, n_x), for S settings and k readouts.

    The diagonals of the Grams of one set are zero. Both results are infinite for settings that
    leave the range of float64.
    """
    unit = _unit(pairs.sets, sigmas)
    results = [_self_recursion(series, sigmas, phi, unit, readouts) for series in pairs.sets]
    weights = [set_weights for set_weights, _ in results]
    finite = np.all(
        [np.isfinite(set_weights.scale).all(axis=(1, 2)) for set_weights in weights],
        axis=0,
    )
    shape = len(sigmas.h), len(readouts.tangent)
    out, diagonal = np.zeros((*shape, *pairs.shape)), np.empty((*shape, pairs.x.n))
    if not finite.all():
        out[:], diagonal[:] = np.inf, np.inf
        if finite.any():
            out[finite], diagonal[finite] = grams(pairs, sigmas[finite], phi, readouts)
        return out, diagonal
    if isinstance(readouts, SharedReadouts):
        _fill_shared(pairs, weights, phi, readouts, out)
    else:
        _fill(pairs, weights, phi, readouts, out)
    return out, _diagonals(*results[0], pairs.x, phi, readouts)


def rounding_errors(pairs: Pairs, sigmas: Sigmas) -> FloatArray:
    """About the largest relative rounding errors (S,) of entries of erf's kernels.

    The recursion is one of correlations, where that of ReLU is one of distances, which keeps their
    digits. Where the network is chaotic, the difference between nearly equal series grows by each
    step and layer as Theta does, and so does its error.
    """
    plain = replace(sigmas, v=np.ones_like(sigmas.v))
    largest = [
        diagonals(series, plain, Erf(), _LAST_STEP).max(axis=(1, 2)) for series in pairs.sets
    ]
    relative: FloatArray = np.minimum(ERF_ROUNDING * np.max(largest, axis=0), 1.0)
    return relative


def _fill(
    pairs: Pairs,
    weights: list[SetWeights],
    phi: LeakyReLU | Erf,
    readouts: Readouts,
    out: FloatArray,
) -> None:
    """Fill out (S, k, n_x, n_y) for readouts of the last step or of equal steps."""
    curves, symmetric, limit = _curves(phi, readouts), pairs.y is None, current_deadline()
    average, tangent, erf = readouts.average, readouts.tangent, isinstance(phi, Erf)
    layers, m = weights[0].weights.shape[1], pairs.x.steps.shape[1]
    if layers == m == len(tangent) == 1 and not (erf or average[0]):
        rntk_grams(
            weights[0],
            weights[-1],
            symmetric,
            curves,
            bool(tangent[0]),
            limit.stop,
            out[:, 0],
        )
    else:
        layered_grams(
            weights[0],
            weights[-1],
            symmetric,
            erf,
            curves,
            average,
            tangent,
            limit.stop,
            out,
        )
    limit.check()
    if average.any():
        out[:, average] /= pairs.root_of_lengths


def _fill_shared(
    pairs: Pairs,
    weights: list[SetWeights],
    phi: LeakyReLU | Erf,
    readouts: SharedReadouts,
    out: FloatArray,
) -> None:
    """Fill out (S, k, n_x, n_y) for a readout that is shared between steps."""
    limit = current_deadline()
    shared_grams(
        weights[0],
        weights[-1],
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
    out /= pairs.root_of_lengths


@np.errstate(all="ignore")
def diagonals(
    series: TimeMajor,
    sigmas: Sigmas,
    phi: LeakyReLU | Erf,
    readouts: Readouts | SharedReadouts,
) -> FloatArray:
    """Diagonals (S, k, n): the kernel of each series with itself."""
    set_weights, steps = _self_recursion(series, sigmas, phi, _unit((series,), sigmas), readouts)
    return _diagonals(set_weights, steps, series, phi, readouts)


def _diagonals(
    set_weights: SetWeights,
    steps: FloatArray,
    series: TimeMajor,
    phi: LeakyReLU | Erf,
    readouts: Readouts | SharedReadouts,
) -> FloatArray:
    limit = current_deadline()
    with np.errstate(over="ignore", invalid="ignore"):
        equal_steps = set_weights.scale[:, None] ** 2 * steps
        if not isinstance(readouts, SharedReadouts):
            return readouts.of_one(equal_steps, series)
        diagonals = readouts.of_equal_steps(equal_steps, series)
        shared_diagonals(
            set_weights,
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
    """How the compiled loops compute a readout."""
    if isinstance(phi, Erf):
        return ERF
    return STEP if readouts.step else STATE


def _self_recursion(
    series: TimeMajor,
    sigmas: Sigmas,
    phi: LeakyReLU | Erf,
    unit: FloatArray,
    readouts: Readouts | SharedReadouts,
) -> tuple[SetWeights, FloatArray]:
    """The weights of one set for the recursion over pairs, and f and f + h theta of each series."""
    w, u, b, h, v = sigmas.w, sigmas.u.copy(), sigmas.b, sigmas.h, sigmas.v
    if isinstance(phi, LeakyReLU):
        # V[K] = (1 + slope^2) times that of an activation with f(1) = 1/2.
        gain = math.sqrt(1.0 + phi.slope**2)
        w, b, h, v = gain * w, b / unit[:, None], h / (gain * unit), v * gain * unit
        u[:, 0] /= unit
        u[:, 1:] *= gain
    u[:, 0] /= math.sqrt(series.steps.shape[1])
    recursion = self_recursion_relu if isinstance(phi, LeakyReLU) else self_recursion_erf
    arguments = series.steps, series.active, w, u, b, h, readouts.all_steps
    weights, more, values, steps = recursion(*arguments)
    factor = v[:, None, None]
    if readouts.step:
        # A pre-activation without variance is never above 0.
        scale = np.where(values > 0.0, sigmas.v[:, None, None], 0.0)
        scale[~np.isfinite(values)] = np.inf
        steps = np.ones_like(steps)
    elif isinstance(phi, LeakyReLU):
        scale = factor * values
    else:
        started = np.arange(values.shape[2]) < series.active[-values.shape[1] :, None]
        limit = np.where(values <= LARGEST_VARIANCE, 1.0, np.inf)
        scale = np.where(started, factor * math.sqrt(2.0 / math.pi) * limit, 0.0)
    return SetWeights(weights, more, scale, series.active), steps


def _unit(sets: tuple[TimeMajor, ...], sigmas: Sigmas) -> FloatArray:
    """Powers of two (S,) near the largest term of (16); with them no square overflows."""
    drive = max(series.largest for series in sets) * sigmas.u[:, 0]
    recurrent = sigmas.h * sigmas.w.max(axis=1)
    largest = np.max([drive, sigmas.b.max(axis=1), recurrent], axis=0)
    exponent = np.frexp(largest)[1]
    return np.where(np.isfinite(largest), np.ldexp(1.0, exponent), 1.0)


def _curves(phi: LeakyReLU | Erf, readouts: Readouts | SharedReadouts) -> Curves:
    curves = _curves_of_slope(phi.slope if isinstance(phi, LeakyReLU) else 0.0)
    return curves.of_step_units() if readouts.step else curves


@cache
def _curves_of_slope(slope: float) -> Curves:
    return Curves.of(slope)
