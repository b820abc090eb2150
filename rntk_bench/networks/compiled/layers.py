"""Forward and backward pass of a layer, for a mini-batch of series aligned at their ends.

Arrays are ordered by step, row (series) and unit. The units of a row are padded to P, and the gates
of a row lie one after the other, each with P entries. States are zero before a series starts.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.networks.compiled.activations import ONE, sigmoid, tanh
from rntk_bench.networks.compiled.layout import Shape
from rntk_bench.networks.compiled.products import add_product, add_product_of_panels, to_panels
from rntk_bench.networks.series import Float32Array, Int32Array

_ZERO = np.float32(0.0)
_TINY: Final = np.float32(1e-30)
"""Smaller gradients are zero. Many processors compute very slowly with numbers below 1e-38."""
_STEPS: Final = 32
"""The number of steps whose arrays are handled together, while they are in the second cache."""


class Layer(NamedTuple):
    """The buffers of a layer for T steps and B rows.

    Attributes
    ----------
    states : (T + 1, B, P)
        The states before each step, and after the last.
    gates : (T, B, g P)
        Gates after their activation. The backward pass puts the gradients of U x + b there.
    recurrent : (T, B, g P) of a GRU, else empty
        W h + c, and then its gradients.
    gradient : (T, B, P) of a layer below another, else empty
        The gradients of the states with respect to what the layer above does with them.
    """

    states: Float32Array
    gates: Float32Array
    recurrent: Float32Array
    gradient: Float32Array


@compiled
def forward(
    shape: Shape,
    weights: tuple[Float32Array, Float32Array, Float32Array, Float32Array],
    below: Float32Array,
    starts: Int32Array,
    first: int,
    layer: Layer,
) -> None:
    """Compute the states of a layer.

    Parameters
    ----------
    weights : U, W, b, c
        As they multiply.
    below : (T, B, m)
        The states of the layer below, or the series.
    starts : (B,)
        The first step of each row.
    first : int
        The smallest of them; nothing is computed before.
    """
    U, W, b, c = weights
    n_steps, n_rows, width = layer.gates.shape
    n_inputs = shape.n_dimensions if len(U) == shape.n_dimensions else shape.used
    layer.states[first] = _ZERO
    W_panels = to_panels(W[: shape.used])
    for start in range(first, n_steps, _STEPS):
        end = min(start + _STEPS, n_steps)
        n = (end - start) * n_rows
        from_below = layer.gates[start:end].reshape((n, width))
        fill(from_below, b)
        add_product(below[start:end].reshape((n, below.shape[2])), U[:n_inputs], from_below)
        for t in range(start, end):
            h, next_h, gates = layer.states[t], layer.states[t + 1], layer.gates[t]
            if shape.gates == 1:
                add_product_of_panels(h, W_panels, gates)
                _relu(gates, next_h)
            else:
                recurrent = layer.recurrent[t]
                fill(recurrent, c)
                add_product_of_panels(h, W_panels, recurrent)
                _gru(shape.units, gates, recurrent, h, next_h)
            for row in range(n_rows):
                if t < starts[row]:
                    next_h[row] = _ZERO


@compiled
def backward(
    shape: Shape,
    W: Float32Array,
    starts: Int32Array,
    first: int,
    layer: Layer,
    flow: Float32Array,
) -> None:
    """Compute the gradients of U x + b and of W h + c of all steps, in the layer's buffers.

    Parameters
    ----------
    flow : (B, P)
        The gradient of the last state; it is overwritten.
    """
    W_transposed = to_panels(W.T)
    n_steps, n_rows = layer.gates.shape[:2]
    for t in range(n_steps - 1, first - 1, -1):
        if len(layer.gradient):
            _add(layer.gradient[t], flow)
        _flush(flow)
        for row in range(n_rows):
            if t < starts[row]:
                flow[row] = _ZERO
        gates = layer.gates[t]
        if shape.gates == 1:
            _relu_gradient(layer.states[t + 1], flow, gates)
            add_product_of_panels(gates, W_transposed, flow)
        else:
            recurrent = layer.recurrent[t]
            _gru_gradient(shape.units, layer.states[t], gates, recurrent, flow)
            add_product_of_panels(recurrent, W_transposed, flow)


@compiled
def add_gradients(
    shape: Shape,
    below: Float32Array,
    first: int,
    layer: Layer,
    gradients: tuple[Float32Array, Float32Array, Float32Array, Float32Array],
) -> None:
    """Add the gradients of U, W, b and c, given those of U x + b and of W h + c."""
    U, W, b, c = gradients
    n_steps, n_rows, width = layer.gates.shape
    n_inputs = shape.n_dimensions if len(U) == shape.n_dimensions else shape.used
    for start in range(first, n_steps, _STEPS):
        end = min(start + _STEPS, n_steps)
        n = (end - start) * n_rows
        inputs = below[start:end].reshape((n, below.shape[2]))
        states = layer.states[start:end].reshape((n, shape.units))
        of_inputs = layer.gates[start:end].reshape((n, width))
        add_product(inputs.T, of_inputs, U[:n_inputs])
        add_rows(of_inputs, b)
        if shape.gates == 1:
            add_product(states.T, of_inputs, W[: shape.used])
        else:
            of_recurrent = layer.recurrent[start:end].reshape((n, width))
            add_product(states.T, of_recurrent, W[: shape.used])
            add_rows(of_recurrent, c)


@compiled
def pass_below(shape: Shape, U: Float32Array, first: int, layer: Layer, below: Layer) -> None:
    """Compute the gradients of the states of the layer below."""
    n_steps, n_rows, width = layer.gates.shape
    n = (n_steps - first) * n_rows
    below.gradient[first:] = _ZERO
    add_product(
        layer.gates[first:].reshape((n, width)),
        np.ascontiguousarray(U.T),
        below.gradient[first:].reshape((n, shape.units)),
    )


@compiled
def fill(rows: Float32Array, values: Float32Array) -> None:
    """Set each row to the values; an assignment to a slice is not vectorised."""
    for i in range(len(rows)):
        for j in range(len(values)):
            rows[i, j] = values[j]


@compiled
def _relu(gates: Float32Array, next_h: Float32Array) -> None:
    z, h = _flat(gates), _flat(next_h)
    for k in range(len(z)):
        h[k] = _ZERO if z[k] < _ZERO else z[k]


@compiled
def _relu_gradient(next_h: Float32Array, flow: Float32Array, gates: Float32Array) -> None:
    """Move the gradient of the next state to that of the pre-activation."""
    h, gradient, z = _flat(next_h), _flat(flow), _flat(gates)
    for k in range(len(z)):
        z[k] = gradient[k] if h[k] > _ZERO else _ZERO
    flow[:] = _ZERO


@compiled
def _gru(
    n: int, gates: Float32Array, recurrent: Float32Array, h: Float32Array, next_h: Float32Array
) -> None:
    """The next state; `gates` becomes reset gate, update gate and candidate.

    There are several loops because a compiler vectorises only loops with few arrays.
    """
    for i in range(len(h)):
        reset, candidate = gates[i, :n], gates[i, 2 * n :]
        both, both_recurrent = gates[i, : 2 * n], recurrent[i, : 2 * n]
        for j in range(2 * n):
            both[j] = sigmoid(both[j] + both_recurrent[j])
        recurrent_candidate = recurrent[i, 2 * n :]
        for j in range(n):
            candidate[j] = tanh(candidate[j] + reset[j] * recurrent_candidate[j])
        update, h_i, next_h_i = gates[i, n : 2 * n], h[i], next_h[i]
        for j in range(n):
            next_h_i[j] = candidate[j] + update[j] * (h_i[j] - candidate[j])


@compiled
def _gru_gradient(
    n: int, h: Float32Array, gates: Float32Array, recurrent: Float32Array, flow: Float32Array
) -> None:
    """Replace gates by the gradients of U x + b, W h + c by its gradient, and the gradient of the
    next state by that part of the previous one's that does not pass through W."""
    for i in range(len(h)):
        update, candidate = gates[i, n : 2 * n], gates[i, 2 * n :]
        h_i, flow_i = h[i], flow[i]
        for j in range(n):
            u, k, gradient = update[j], candidate[j], flow_i[j]
            update[j] = gradient * (h_i[j] - k) * u * (ONE - u)
            candidate[j] = gradient * (ONE - u) * (ONE - k * k)
            flow_i[j] = gradient * u
        reset, recurrent_candidate = gates[i, :n], recurrent[i, 2 * n :]
        for j in range(n):
            r, gradient = reset[j], candidate[j]
            reset[j] = gradient * recurrent_candidate[j] * r * (ONE - r)
            recurrent_candidate[j] = gradient * r
        both, both_recurrent = gates[i, : 2 * n], recurrent[i, : 2 * n]
        for j in range(2 * n):
            both_recurrent[j] = both[j]


@compiled
def add_rows(rows: Float32Array, total: Float32Array) -> None:
    """Add the sum of the rows to the total."""
    for i in range(len(rows)):
        for j in range(len(total)):
            total[j] += rows[i, j]


@compiled
def _add(term: Float32Array, total: Float32Array) -> None:
    x, sums = _flat(term), _flat(total)
    for k in range(len(sums)):
        sums[k] += x[k]


@compiled
def _flush(values: Float32Array) -> None:
    x = _flat(values)
    for k in range(len(x)):
        x[k] = _ZERO if abs(x[k]) < _TINY else x[k]


@compiled
def _flat(array: Float32Array) -> Float32Array:
    """A contiguous array as a vector, of which a loop is long enough to be fast."""
    return array.reshape(array.size)
