"""Finite recurrent classifiers: Gaussian RNN, identity RNN and GRU (A.1).

Each layer computes its next state from its previous state and from the states of the layer below
(or the series), through one linear map per gate. A linear readout of the last state of the last
layer gives one logit per class. Series are aligned at their ends, and states are zero before a
series starts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from rntk_bench.networks.series import Float32Array

Parameters = dict[str, Any]
"""V (n, C), d (C,) and `layers`, which has one dict per layer: W (n, g n), U (d, g n), b (g n,) and
also c (g n,) if the cell has two biases."""
Advance = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


@dataclass(frozen=True)
class RNNCell:
    """A recurrent unit: its gates, its initialisation and its parametrisation.

    Attributes
    ----------
    gates : int
        The number g of linear maps of a layer.
    two_biases : bool
        Whether the recurrent map has a bias c of its own.
    advance : callable
        Computes the next state (B, n) from the state, W h + c (B, g n) and U x + b (B, g n).
    draw : callable
        Draws a parameter, given a generator, its role, its shape and the width n.
    scale : callable
        The factor of a parameter, given its role and its number of inputs.

    The roles are "recurrent" (W), "input" (U), "bias" (b, c, d) and "readout" (V).
    """

    gates: int
    two_biases: bool
    advance: Advance
    draw: Callable[[np.random.Generator, str, tuple[int, ...], int], Float32Array]
    scale: Callable[[str, int], float]


def _relu(_: jax.Array, recurrent: jax.Array, inputs: jax.Array) -> jax.Array:
    return jax.nn.relu(recurrent + inputs)


def _gru(h: jax.Array, recurrent: jax.Array, inputs: jax.Array) -> jax.Array:
    """Cho et al. (2014), with the reset gate after the linear map as in cuDNN."""
    n = h.shape[1]
    # The gradient of a split is a concatenation. That of slices is paddings, which are slower.
    recurrent_gates, recurrent_candidate = jax.lax.split(recurrent, (2 * n, n), 1)
    input_gates, input_candidate = jax.lax.split(inputs, (2 * n, n), 1)
    gates = jax.nn.sigmoid(recurrent_gates + input_gates)
    reset, update = jax.lax.split(gates, (n, n), 1)
    candidate = jnp.tanh(input_candidate + reset * recurrent_candidate)
    return candidate + update * (h - candidate)


def _normal(rng: np.random.Generator, role: str, shape: tuple[int, ...], _: int) -> Float32Array:
    if role == "bias":
        return np.zeros(shape, dtype=np.float32)
    return rng.standard_normal(shape, dtype=np.float32)


def _identity(
    rng: np.random.Generator, role: str, shape: tuple[int, ...], width: int
) -> Float32Array:
    """Le, Jaitly and Hinton (2015): W = I, no biases, other standard deviations 0.001."""
    if role == "recurrent":
        return np.eye(width, dtype=np.float32)
    return np.float32(1e-3) * _normal(rng, role, shape, width)


def _uniform(rng: np.random.Generator, _: str, shape: tuple[int, ...], width: int) -> Float32Array:
    bound = 1.0 / math.sqrt(width)
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def _ntk_scale(role: str, inputs: int) -> float:
    """(7) with sigma_w = sigma_v = sqrt 2, sigma_u = 1, sigma_b = 0."""
    variance = {"recurrent": 2.0, "input": 1.0, "readout": 2.0, "bias": 0.0}[role]
    return math.sqrt(variance / inputs)


def _unscaled(_: str, __: int) -> float:
    return 1.0


RNN_CELLS: Final = {
    "rnn-gaussian": RNNCell(1, False, _relu, _normal, _ntk_scale),
    "rnn-identity": RNNCell(1, False, _relu, _identity, _unscaled),
    "gru": RNNCell(3, True, _gru, _uniform, _unscaled),
}


@dataclass(frozen=True)
class Classifier:
    """The shape of a network. It is hashable, so that JAX compiles each shape once.

    Parameters
    ----------
    cell : str
        A key of `RNN_CELLS`.
    width, n_layers : int
        The number of units n of a layer, and the number of layers L.
    n_dimensions : int
        The number of dimensions m of the series.
    n_classes : int
        The number of logits C.
    """

    cell: str
    width: int
    n_layers: int
    n_dimensions: int
    n_classes: int

    @property
    def size(self) -> int:
        """The number of entries of the square matrices of one gate, a measure of the cost."""
        return (2 * self.n_layers - 1) * self.width**2

    def initial(self, rng: np.random.Generator) -> Parameters:
        """Draw float32 parameters, by NumPy, so that they are the same on every device."""
        cell, n = RNN_CELLS[self.cell], self.width
        width = cell.gates * n

        def draw(role: str, *shape: int) -> Float32Array:
            return cell.draw(rng, role, shape, n)

        def layer(n_inputs: int) -> dict[str, Float32Array]:
            parameters = {
                "W": draw("recurrent", n, width),
                "U": draw("input", n_inputs, width),
                "b": draw("bias", width),
            }
            return parameters | ({"c": draw("bias", width)} if cell.two_biases else {})

        return {
            "layers": [layer(n if k else self.n_dimensions) for k in range(self.n_layers)],
            "V": draw("readout", n, self.n_classes),
            "d": draw("bias", self.n_classes),
        }

    def logits(self, parameters: Parameters, X: jax.Array, lengths: jax.Array) -> jax.Array:
        """Logits (B, C) of series X (B, T, m), padded before their last `lengths` (B,) steps."""
        cell, n = RNN_CELLS[self.cell], self.width
        steps, bias = X.shape[1], cell.scale("bias", 1)
        started = jnp.arange(steps)[:, None, None] >= steps - lengths[:, None]  # (T, B, 1)
        below = jnp.swapaxes(X, 0, 1)  # (T, B, m)
        recur = _recurrence(cell.advance)
        for layer in parameters["layers"]:
            W = cell.scale("recurrent", n) * layer["W"]
            U = cell.scale("input", below.shape[-1]) * layer["U"]
            c = bias * layer["c"] if cell.two_biases else jnp.zeros(W.shape[1], W.dtype)
            below = recur(W, c, below @ U + bias * layer["b"], started)
        V = cell.scale("readout", n) * parameters["V"]
        out: jax.Array = below[-1] @ V + bias * parameters["d"]
        return out


def _recurrence(advance: Advance) -> Callable[..., jax.Array]:
    """The function that computes the states (T, B, n) of a layer.

    Its arguments are W, c, the inputs U x + b (T, B, g n), and whether each series has started
    (T, B, 1).

    The gradient is written out because JAX's takes longer (20 % for a GRU): it stores all
    intermediate values of all steps, and reading them takes longer than computing them again. It
    also adds up the gradient of W step by step, while here it is one product over all steps.
    """

    def forward(
        W: jax.Array, c: jax.Array, inputs: jax.Array, started: jax.Array
    ) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        def step(h: jax.Array, at_step: tuple[jax.Array, ...]) -> tuple[jax.Array, Any]:
            inputs_t, started_t = at_step
            recurrent_t = h @ W + c
            h = jnp.where(started_t, advance(h, recurrent_t, inputs_t), 0.0)
            return h, (h, recurrent_t)

        h_0 = jnp.zeros((inputs.shape[1], len(W)), inputs.dtype)
        h, recurrent = jax.lax.scan(step, h_0, (inputs, started))[1]
        return h, (W, h, recurrent, inputs, started)

    def backward(
        residuals: tuple[jax.Array, ...], grad_h: jax.Array
    ) -> tuple[jax.Array | None, ...]:
        W, h, recurrent, inputs, started = residuals
        previous = jnp.concatenate([jnp.zeros_like(h[:1]), h[:-1]])
        # The barrier makes XLA transpose W once, and not in the product of every step.
        W_transposed = jax.lax.optimization_barrier(W.T)  # type: ignore[no-untyped-call]

        def step(grad_next: jax.Array, at_step: tuple[jax.Array, ...]) -> tuple[jax.Array, Any]:
            grad_t, started_t, *arguments = at_step
            pull_back = jax.vjp(advance, *arguments)[1]
            grad_previous, grad_recurrent_t, grad_inputs_t = pull_back(
                jnp.where(started_t, grad_t + grad_next, 0.0)
            )
            grad_previous = grad_previous + grad_recurrent_t @ W_transposed
            return grad_previous, (grad_recurrent_t, grad_inputs_t)

        grad_recurrent, grad_inputs = jax.lax.scan(
            step,
            jnp.zeros_like(h[0]),
            (grad_h, started, previous, recurrent, inputs),
            reverse=True,
        )[1]
        n, width = W.shape
        grad_W = previous.reshape(-1, n).T @ grad_recurrent.reshape(-1, width)
        return grad_W, grad_recurrent.sum((0, 1)), grad_inputs, None

    def states(*arguments: jax.Array) -> jax.Array:
        return forward(*arguments)[0]

    recur = jax.custom_vjp(states)
    recur.defvjp(forward, backward)
    return recur
