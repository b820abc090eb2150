"""Training by RMSProp, and evaluation, of one network on one thread."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.networks.compiled import layers
from rntk_bench.networks.compiled.layers import Layer
from rntk_bench.networks.compiled.layout import Shape, layer_weights, readout_weights
from rntk_bench.networks.compiled.products import add_product
from rntk_bench.networks.series import Float32Array, Int32Array, PaddedSeries
from rntk_bench.types import BoolArray

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
ABSENT: Final = np.float32(-1e30)
"""The logit of a class that does not occur."""
_FLOOR: Final = np.float32(1e-36)
"""Added to the mean squares of gradients, which would otherwise decay to numbers with which many
processors compute very slowly. It changes no other number."""


class Buffers(NamedTuple):
    """Memory for mini-batches of at most B series.

    Attributes
    ----------
    inputs : (T, B, m)
    starts : (B,)
        The first step of each row, T for a row without a series.
    labels : (B,)
        The class of each row, -1 for a row without a series.
    logits : (B, C)
        Logits, and then their gradients.
    losses : (B,)
        Cross-entropies.
    flow : (B, P)
        The gradient of a state.
    states, gates, recurrent, gradients : (L, ...)
        The arrays of each `Layer`.
    """

    inputs: Float32Array
    starts: Int32Array
    labels: Int32Array
    logits: Float32Array
    losses: Float32Array
    flow: Float32Array
    states: Float32Array
    gates: Float32Array
    recurrent: Float32Array
    gradients: Float32Array


def new_buffers(shape: Shape, n_steps: int, n_rows: int) -> Buffers:
    """Allocate the memory for series of at most `n_steps` steps."""
    n, width = shape.n_layers, shape.gates * shape.units

    def floats(*size: int) -> Float32Array:
        return np.zeros(size, dtype=np.float32)

    return Buffers(
        floats(n_steps, n_rows, shape.n_dimensions),
        np.zeros(n_rows, dtype=np.int32),
        np.zeros(n_rows, dtype=np.int32),
        floats(n_rows, shape.n_classes),
        floats(n_rows),
        floats(n_rows, shape.units),
        floats(n, n_steps + 1, n_rows, shape.units),
        floats(n, n_steps, n_rows, width),
        floats(n, n_steps if shape.gates > 1 else 0, n_rows, width),
        floats(n, n_steps if n > 1 else 0, n_rows, shape.units),
    )


def buffer_values(shape: Shape, n_steps: int, n_rows: int) -> int:
    """The number of values in the large arrays of `Buffers`."""
    width = shape.gates * shape.units
    per_layer = shape.units + width * (2 if shape.gates > 1 else 1)
    if shape.n_layers > 1:
        per_layer += shape.units
    return n_steps * n_rows * (shape.n_layers * per_layer + shape.n_dimensions)


class Optimizer(NamedTuple):
    """The parameters of RMSProp; no clipping is an infinite `clip`."""

    rate: np.float32
    decay: np.float32
    epsilon: np.float32
    clip: float


class Weights(NamedTuple):
    """The state of training, vectors as in `layout`.

    Attributes
    ----------
    parameters : (n,)
    scales : (n,)
        The factor of each parameter in the network's function.
    scaled : (n,)
        Their products.
    gradient : (n,)
        With respect to `scaled`.
    mean_square : (n,)
        The moving mean of the squared gradients.
    """

    parameters: Float32Array
    scales: Float32Array
    scaled: Float32Array
    gradient: Float32Array
    mean_square: Float32Array


@compiled
def train_epoch(
    shape: Shape,
    optimizer: Optimizer,
    weights: Weights,
    series: PaddedSeries,
    batches: Int32Array,
    buffers: Buffers,
    stop: BoolArray,
) -> bool:
    """Take one step for each of the mini-batches (K, B), in their order.

    Returns
    -------
    bool
        Whether all losses were finite. If not, or if `stop` is set, the epoch ends early.
    """
    n_classes = int(series.n_classes[()])
    for rows in batches:
        if stop[0]:
            return False
        first = _load(series, rows, 0, buffers)
        _forward(shape, weights.scaled, first, buffers)
        _to_gradients(n_classes, buffers)
        n_rows = 0
        for label in buffers.labels:
            n_rows += label >= 0
        loss = buffers.losses.sum() / np.float32(n_rows)
        if not math.isfinite(loss):
            return False
        _scale(buffers.logits, _ONE / np.float32(n_rows))
        _backward(shape, weights, first, buffers)
        _update(optimizer, weights)
    return True


@compiled
def validate(
    shape: Shape,
    scaled: Float32Array,
    series: PaddedSeries,
    rows: Int32Array,
    buffers: Buffers,
    stop: BoolArray,
) -> tuple[int, float, bool]:
    """Number of right predictions, sum of the cross-entropies, and whether all logits are finite.

    Parameters
    ----------
    rows : (n,)
        The series.
    """
    n_correct, loss, finite = 0, 0.0, True
    n_classes = int(series.n_classes[()])
    for offset in range(0, len(rows), len(buffers.labels)):
        if stop[0]:
            return 0, 0.0, False
        first = _load(series, rows, offset, buffers)
        _forward(shape, scaled, first, buffers)
        finite &= bool(np.isfinite(buffers.logits).all())
        n_correct += _to_gradients(n_classes, buffers)
        for value in buffers.losses:
            loss += value
    return n_correct, loss, finite


@compiled
def compute_logits(
    shape: Shape,
    scaled: Float32Array,
    series: PaddedSeries,
    rows: Int32Array,
    buffers: Buffers,
    result: Float32Array,
    stop: BoolArray,
) -> None:
    """Compute the logits (n, C) of some series; those of absent classes mean nothing."""
    for offset in range(0, len(rows), len(buffers.labels)):
        if stop[0]:
            return
        first = _load(series, rows, offset, buffers)
        _forward(shape, scaled, first, buffers)
        # An assignment of an array takes Numba seconds to compile.
        for i in range(min(len(buffers.labels), len(rows) - offset)):
            for j in range(result.shape[1]):
                result[offset + i, j] = buffers.logits[i, j]


@compiled
def _load(series: PaddedSeries, rows: Int32Array, offset: int, buffers: Buffers) -> int:
    """Copy the series of rows[offset : offset + B] (-1 for none), and return their first step."""
    n_steps: int = series.X.shape[1]
    first = n_steps
    for i in range(len(buffers.labels)):
        row = rows[offset + i] if offset + i < len(rows) else -1
        buffers.labels[i], buffers.starts[i] = -1, n_steps
        if row >= 0:
            buffers.labels[i], buffers.starts[i] = series.y[row], n_steps - series.lengths[row]
            first = min(first, int(buffers.starts[i]))
            for t in range(n_steps):
                for j in range(series.X.shape[2]):
                    buffers.inputs[t, i, j] = series.X[row, t, j]
        else:
            for t in range(n_steps):
                buffers.inputs[t, i] = _ZERO
    return first


@compiled
def _forward(shape: Shape, scaled: Float32Array, first: int, buffers: Buffers) -> None:
    """Compute the logits."""
    below = buffers.inputs
    for k in range(shape.n_layers):
        parameters = layer_weights(scaled, shape, k)
        layers.forward(shape, parameters, below, buffers.starts, first, _layer(buffers, k))
        below = buffers.states[k, 1:]
    V, d = readout_weights(scaled, shape)
    layers.fill(buffers.logits, d)
    add_product(below[-1], V[: shape.used], buffers.logits)


@compiled
def _backward(shape: Shape, weights: Weights, first: int, buffers: Buffers) -> None:
    """Compute the gradient, given that of the logits."""
    weights.gradient[:] = _ZERO
    last, flow = buffers.states[shape.n_layers - 1, -1], buffers.flow
    V, _ = readout_weights(weights.scaled, shape)
    V_gradient, d_gradient = readout_weights(weights.gradient, shape)
    add_product(last.T, buffers.logits, V_gradient[: shape.used])
    layers.add_rows(buffers.logits, d_gradient)
    flow[:] = _ZERO
    add_product(buffers.logits, np.ascontiguousarray(V.T), flow)
    for k in range(shape.n_layers - 1, -1, -1):
        layer, below = _layer(buffers, k), buffers.states[k - 1, 1:] if k > 0 else buffers.inputs
        U, W, _, _ = layer_weights(weights.scaled, shape, k)
        layers.backward(shape, W, buffers.starts, first, layer, flow)
        gradients = layer_weights(weights.gradient, shape, k)
        layers.add_gradients(shape, below, first, layer, gradients)
        if k > 0:
            layers.pass_below(shape, U, first, layer, _layer(buffers, k - 1))
            flow[:] = _ZERO


@compiled
def _layer(buffers: Buffers, k: int) -> Layer:
    n_steps = buffers.gates.shape[1] if k + 1 < len(buffers.gates) else 0
    return Layer(
        buffers.states[k], buffers.gates[k], buffers.recurrent[k], buffers.gradients[k, :n_steps]
    )


@compiled
def _to_gradients(n_classes: int, buffers: Buffers) -> int:
    """Compute the cross-entropies, replace the logits by their gradients, and count the rows in
    which the first of the largest logits is the label's."""
    n_correct = 0
    for i in range(len(buffers.labels)):
        label, z = buffers.labels[i], buffers.logits[i]
        buffers.losses[i] = _ZERO
        if label < 0:
            z[:] = _ZERO
            continue
        z[n_classes:] = _ZERO
        best = 0
        for j in range(1, n_classes):
            if z[j] > z[best]:
                best = j
        n_correct += best == label
        highest, own, total = z[best], z[label], _ZERO
        for j in range(n_classes):
            z[j] = math.exp(z[j] - highest)
            total += z[j]
        buffers.losses[i] = math.log(total) + highest - own
        for j in range(n_classes):
            z[j] /= total
        z[label] -= _ONE
    return n_correct


@compiled
def _scale(array: Float32Array, factor: np.float32) -> None:
    for i in range(len(array)):
        for j in range(array.shape[1]):
            array[i, j] *= factor


@compiled
def _update(optimizer: Optimizer, weights: Weights) -> None:
    """A step of RMSProp; the gradient is first shortened to at most `clip`."""
    rate, decay, epsilon, clip = optimizer
    parameters, scales, scaled, gradient, mean_square = weights
    factor = _ONE
    if clip < math.inf:
        total = 0.0
        for k in range(len(gradient)):
            total += (scales[k] * gradient[k]) ** 2
        if total > clip * clip:
            factor = np.float32(clip / math.sqrt(total))
    for k in range(len(parameters)):
        g = factor * scales[k] * gradient[k]
        mean_square[k] = decay * mean_square[k] + (_ONE - decay) * (g * g) + _FLOOR
        parameters[k] -= rate * g / (np.sqrt(mean_square[k]) + epsilon)
    for k in range(len(parameters)):
        scaled[k] = scales[k] * parameters[k]
