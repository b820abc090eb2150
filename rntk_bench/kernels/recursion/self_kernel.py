"""The recursion of each series with itself: its variances and the weights for pairs.

With s = sqrt(Sigma(l,t,t)(x, x)) of each series, layer and step, a step of the recursion on the
correlation c and on theta / (s s') reads

    c      <-  A A' f(c) + B B' + D D',        theta  <-  c + A A' h(c) theta,
    A = sigma_w s(l,t-1) / s,   B = sigma_u x_t / (sqrt(m) s),   D = sigma_b / s,

and in layers l >= 2, where c- and theta- are those of the layer below at the same step,

    c      <-  A A' f(c) + E E' f(c-) + D D',  theta  <-  c + A A' h(c) theta + E E' h(c-) theta-,
    E = sigma_u s(l-1,t) / s.

For ReLU, A^2 / 2 + B^2 + D^2 = 1 (with E^2 / 2 for B^2), so u = 1 - c obeys a recursion without
cancellation,

    u  <-  A A' (1/2 - f(1 - u)) + (A - A')^2 / 4 + (B - B')^2 / 2 + (D - D')^2 / 2,

and nothing overflows before the kernel itself does. The weights are alpha = A / 2,
epsilon = E / 2, beta = B / sqrt(2) and delta = D / sqrt(2).

For erf, s is sqrt(1 + 2 Sigma(x, x)) and c = 2 Sigma / (s s'), theta stands for 2 theta / (s s'),
f = arcsin, h = 1 / sqrt(1 - c^2), and the weights are A = 2 sigma_w / (sqrt(pi) s),
E = 2 sigma_u / (sqrt(pi) s), B = sqrt(2 / m) sigma_u x_t / s and D = sqrt(2) sigma_b / s.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.types import FloatArray, IntArray


class SetWeights(NamedTuple):
    """The weights of one set of n series of at most T steps, for S settings.

    `weights` (S, L, 3, T, n) holds alpha, beta or epsilon, and delta of each layer; `more`
    (S, m - 1, T, n) the further dimensions' beta; `scale` (S, T, n) the factor of the readout of
    each step, or (S, 1, n) of the last; `active` (T,) the number of series that have
    started, which are the first ones. The result of `setting` has no first axis.
    """

    weights: FloatArray
    more: FloatArray
    scale: FloatArray
    active: IntArray


@compiled
def setting(weights: SetWeights, s: int) -> SetWeights:
    """The weights for one of the settings."""
    return SetWeights(
        weights.weights[s],
        weights.more[s],
        weights.scale[s],
        weights.active,
    )


@compiled
def self_recursion_relu(
    steps: FloatArray,
    active: IntArray,
    sigma_w: FloatArray,
    sigma_u: FloatArray,
    sigma_b: FloatArray,
    sigma_h: FloatArray,
    all_steps: bool,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """The recursion of each series with itself, (15), (16), (115)-(117), with f(1) = h(1) = 1/2.

    `steps` is (T, m, n), ends aligned; the sigmas are (S, L), sigma_h (S,), and sigma_u[:, 0]
    divided by sqrt(m). Returns `weights`, `more`, s of the last layer (S, T, n), and f and
    f + h theta of a readout at each step (S, 2, T, n), in closed form (c = 1); the last two of
    the last step alone, (S, 1, n) and (S, 2, 1, n), if not `all_steps`.
    """
    T, m, n = steps.shape
    S, L = sigma_w.shape
    n_read = T if all_steps else 1
    weights, more = np.zeros((S, L, 3, T, n)), np.zeros((S, m - 1, T, n))
    deviations, readouts = np.zeros((S, n_read, n)), np.zeros((S, 2, n_read, n))
    for k in range(S):
        sigmas = sigma_w[k], sigma_u[k], sigma_b[k]
        out = weights[k], more[k], deviations[k], readouts[k]
        _self_recursion_relu(steps, active, sigmas, sigma_h[k], out)
    return weights, more, deviations, readouts


@compiled
def _self_recursion_relu(
    steps: FloatArray,
    active: IntArray,
    sigmas: tuple[FloatArray, FloatArray, FloatArray],
    sigma_h: float,
    out: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
) -> None:
    """`self_recursion_relu` for one setting; `out` are arrays of zeros."""
    T, m, n = steps.shape
    sigma_w, sigma_u, sigma_b = sigmas
    weights, more, deviations, readouts = out
    L, n_read = len(sigma_w), len(deviations)
    s, theta = np.full((L, n), math.sqrt(2.0) * sigma_h), np.zeros((L, n))
    half = math.sqrt(0.5)
    divisor, square = np.ones(n), np.zeros(n)
    for t in range(T):
        for layer in range(L):
            w, u, b = sigma_w[layer], sigma_u[layer], sigma_b[layer]
            for j in range(active[t]):
                below = half * u * s[layer - 1, j] if layer > 0 else u * steps[t, 0, j]
                square[j] = below * below
            if layer == 0:
                for k in range(1, m):
                    for j in range(active[t]):
                        square[j] += (u * steps[t, k, j]) ** 2
            for j in range(active[t]):
                recurrent = w * s[layer, j]
                new = math.sqrt(0.5 * recurrent * recurrent + square[j] + b * b)
                s[layer, j] = new
                # Divided, not multiplied by an inverse: if the input is the only term, the result
                # must be exactly +-1, so that opposite series have c = -1.
                divisor[j] = new if new > 0.0 else 1.0
                ratio = recurrent / divisor[j]
                weights[layer, 0, t, j] = 0.5 * ratio
                weights[layer, 2, t, j] = half * (b / divisor[j])
                theta[layer, j] = 1.0 + 0.5 * ratio * ratio * theta[layer, j]
            if layer == 0:
                for j in range(active[t]):
                    weights[0, 1, t, j] = half * (u * steps[t, 0, j] / divisor[j])
                for k in range(1, m):
                    for j in range(active[t]):
                        more[k - 1, t, j] = half * (u * steps[t, k, j] / divisor[j])
            else:
                for j in range(active[t]):
                    ratio = half * u * s[layer - 1, j] / divisor[j]
                    weights[layer, 1, t, j] = half * ratio
                    theta[layer, j] += ratio * ratio * theta[layer - 1, j]
        at = t - T + n_read
        if at >= 0:
            for j in range(active[t]):
                deviations[at, j] = s[L - 1, j]
                readouts[0, at, j] = 0.5
                readouts[1, at, j] = 0.5 + 0.5 * theta[L - 1, j]


@compiled
def self_recursion_erf(
    steps: FloatArray,
    active: IntArray,
    sigma_w: FloatArray,
    sigma_u: FloatArray,
    sigma_b: FloatArray,
    sigma_h: FloatArray,
    all_steps: bool,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """The recursion of each series with itself for erf's operators (161), (162).

    As `self_recursion_relu`, but the third result is the largest Sigma(x, x) so far of any layer.
    """
    T, m, n = steps.shape
    S, L = sigma_w.shape
    n_read = T if all_steps else 1
    weights, more = np.zeros((S, L, 3, T, n)), np.zeros((S, m - 1, T, n))
    variances, readouts = np.zeros((S, n_read, n)), np.zeros((S, 2, n_read, n))
    for k in range(S):
        sigmas = sigma_w[k], sigma_u[k], sigma_b[k]
        out = weights[k], more[k], variances[k], readouts[k]
        _self_recursion_erf(steps, active, sigmas, sigma_h[k], out)
    return weights, more, variances, readouts


@compiled
def _self_recursion_erf(
    steps: FloatArray,
    active: IntArray,
    sigmas: tuple[FloatArray, FloatArray, FloatArray],
    sigma_h: float,
    out: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
) -> None:
    """`self_recursion_erf` for one setting; `out` are arrays of zeros."""
    T, m, n = steps.shape
    sigma_w, sigma_u, sigma_b = sigmas
    weights, more, variances, readouts = out
    L, n_read = len(sigma_w), len(variances)
    memory = np.full((L, n), 0.5 * math.pi * sigma_h * sigma_h)
    tangent = np.zeros((L, n))
    largest = np.zeros(n)
    gain = 2.0 / math.sqrt(math.pi)
    for t in range(T):
        for layer in range(L):
            for j in range(active[t]):
                drive = 0.0
                if layer > 0:
                    drive = 2.0 / math.pi * sigma_u[layer] ** 2 * memory[layer - 1, j]
                else:
                    for k in range(m):
                        drive += (sigma_u[0] * steps[t, k, j]) ** 2
                w, bias = sigma_w[layer], sigma_b[layer]
                variance = 2.0 / math.pi * w * w * memory[layer, j] + drive + bias * bias
                square = 1.0 + 2.0 * variance
                s = math.sqrt(square)
                largest[j] = max(largest[j], variance)
                weights[layer, 0, t, j] = gain * w / s
                weights[layer, 2, t, j] = math.sqrt(2.0) * bias / s
                c = 2.0 * variance / square
                theta = c + weights[layer, 0, t, j] ** 2 * tangent[layer, j]
                if layer > 0:
                    epsilon = gain * sigma_u[layer] / s
                    weights[layer, 1, t, j] = epsilon
                    theta += epsilon * epsilon * tangent[layer - 1, j]
                else:
                    weights[0, 1, t, j] = math.sqrt(2.0) * sigma_u[0] * steps[t, 0, j] / s
                    for k in range(1, m):
                        more[k - 1, t, j] = math.sqrt(2.0) * sigma_u[0] * steps[t, k, j] / s
                memory[layer, j] = math.asin(c)
                # 1 - c^2 = (1 + 4 Sigma) / (1 + 2 Sigma)^2, without cancellation.
                tangent[layer, j] = theta * square / math.sqrt(1.0 + 4.0 * variance)
                at = t - T + n_read
                if layer == L - 1 and at >= 0:
                    variances[at, j] = largest[j]
                    readouts[0, at, j] = memory[layer, j]
                    readouts[1, at, j] = memory[layer, j] + tangent[layer, j]
