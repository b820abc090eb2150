"""The finite classifiers in JAX, with the gradient of a layer written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import jax
import jax.numpy as jnp

from rntk_bench.networks.models import RNN_CELLS, Classifier, Parameters

STEPS_PER_ITERATION: Final = 8
"""The number of steps in one iteration of a compiled loop: iterations take a GPU time to start."""

_Advance = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]
"""Computes the next state (B, n) from the state, W h + c (B, g n) and U x + b (B, g n)."""


def logits(
    network: Classifier, parameters: Parameters, X: jax.Array, lengths: jax.Array
) -> jax.Array:
    """Logits (B, C) of series X (B, T, m), padded before their last `lengths` (B,) steps."""
    cell, n = RNN_CELLS[network.cell], network.width
    steps, bias = X.shape[1], cell.scale("bias", 1)
    started = jnp.arange(steps)[:, None, None] >= steps - lengths[:, None]  # (T, B, 1)
    below = jnp.swapaxes(X, 0, 1)  # (T, B, m)
    recur = _recurrence(_ADVANCE[cell.gates])
    for layer in parameters["layers"]:
        W = cell.scale("recurrent", n) * layer["W"]
        U = cell.scale("input", below.shape[-1]) * layer["U"]
        c = bias * layer["c"] if cell.two_biases else jnp.zeros(W.shape[1], W.dtype)
        below = recur(W, c, below @ U + bias * layer["b"], started)
    V = cell.scale("readout", n) * parameters["V"]
    out: jax.Array = below[-1] @ V + bias * parameters["d"]
    return out


def _relu(_: jax.Array, recurrent: jax.Array, inputs: jax.Array) -> jax.Array:
    return jax.nn.relu(recurrent + inputs)


def _gru(h: jax.Array, recurrent: jax.Array, inputs: jax.Array) -> jax.Array:
    n = h.shape[1]
    # The gradient of a split is a concatenation. That of slices is paddings, which are slower.
    recurrent_gates, recurrent_candidate = jax.lax.split(recurrent, (2 * n, n), 1)
    input_gates, input_candidate = jax.lax.split(inputs, (2 * n, n), 1)
    gates = jax.nn.sigmoid(recurrent_gates + input_gates)
    reset, update = jax.lax.split(gates, (n, n), 1)
    candidate = jnp.tanh(input_candidate + reset * recurrent_candidate)
    return candidate + update * (h - candidate)


_ADVANCE: Final = {1: _relu, 3: _gru}
"""By the number of gates."""


def _recurrence(advance: _Advance) -> Callable[..., jax.Array]:
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
        h, recurrent = jax.lax.scan(step, h_0, (inputs, started), unroll=STEPS_PER_ITERATION)[1]
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
            unroll=STEPS_PER_ITERATION,
        )[1]
        n, width = W.shape
        grad_W = previous.reshape(-1, n).T @ grad_recurrent.reshape(-1, width)
        return grad_W, grad_recurrent.sum((0, 1)), grad_inputs, None

    def states(*arguments: jax.Array) -> jax.Array:
        return forward(*arguments)[0]

    recur = jax.custom_vjp(states)
    recur.defvjp(forward, backward)
    return recur
