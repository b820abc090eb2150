"""Finite recurrent classifiers: Gaussian RNN, identity RNN and GRU (A.1).

Layer l reads the states of the layer below (or the series) and its own previous state through
linear maps, one for each gate; the last layer's last state is read out linearly into one logit a
class. Series are aligned at their ends, and a state is zero until its series begins.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Parameters = dict[str, Any]
"""`layers`, one dict a layer of W (n, g n), U (d, g n), b (g n,) and, where the gates need a bias
of their own beside the recurrent map, c (g n,); V (n, C), d (C,)."""
Advance = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


@dataclass(frozen=True)
class RNNCell:
    """What tells one kind of network from another.

    Attributes
    ----------
    gates : int
        Linear maps g of a layer.
    two_biases : bool
        Whether c is a parameter, or nothing.
    advance : callable
        Next state (B, n) from the state, W h + c (B, g n) and U x + b (B, g n).
    draw : callable
        Initial values of a parameter, from a generator, its role, its shape and the width n.
    scale : callable
        What multiplies a parameter in use, from its role and its number of inputs.

    Roles are "recurrent" (W), "input" (U), "bias" (b, c, d) and "readout" (V).
    """

    gates: int
    two_biases: bool
    advance: Advance
    draw: Callable[[np.random.Generator, str, tuple[int, ...], int], Array]
    scale: Callable[[str, int], float]


def _relu(_: jax.Array, recurrent: jax.Array, entering: jax.Array) -> jax.Array:
    return jax.nn.relu(recurrent + entering)


def _gru(h: jax.Array, recurrent: jax.Array, entering: jax.Array) -> jax.Array:
    """Cho et al. (2014), with the reset gate after the linear map as in cuDNN."""
    n = h.shape[1]
    # A split's gradient is one concatenation, a slice's a padding that XLA compiles badly.
    recurrent_gates, recurrent_candidate = jax.lax.split(recurrent, (2 * n, n), 1)
    entering_gates, entering_candidate = jax.lax.split(entering, (2 * n, n), 1)
    gates = jax.nn.sigmoid(recurrent_gates + entering_gates)
    reset, update = jax.lax.split(gates, (n, n), 1)
    candidate = jnp.tanh(entering_candidate + reset * recurrent_candidate)
    return candidate + update * (h - candidate)


def _normal(rng: np.random.Generator, role: str, shape: tuple[int, ...], _: int) -> Array:
    if role == "bias":
        return np.zeros(shape, dtype=np.float32)
    return rng.standard_normal(shape, dtype=np.float32)


def _identity(rng: np.random.Generator, role: str, shape: tuple[int, ...], width: int) -> Array:
    """Le, Jaitly and Hinton (2015): W = I, no bias, the rest of deviation 0.001."""
    if role == "recurrent":
        return np.eye(width, dtype=np.float32)
    return np.float32(1e-3) * _normal(rng, role, shape, width)


def _uniform(rng: np.random.Generator, _: str, shape: tuple[int, ...], width: int) -> Array:
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
    """A network's shape; hashable, so that JAX compiles once for each.

    Parameters
    ----------
    cell : str
        A name of `RNN_CELLS`.
    width, n_layers : int
        Units n of a layer, and layers L.
    n_dimensions : int
        Values m of an input at a step.
    n_classes : int
        Logits C.
    """

    cell: str
    width: int
    n_layers: int
    n_dimensions: int
    n_classes: int

    @property
    def size(self) -> int:
        """Entries of the square matrices of one gate; orders networks by their cost."""
        return (2 * self.n_layers - 1) * self.width**2

    def initial(self, rng: np.random.Generator) -> Parameters:
        """Draw parameters, float32; on the host, whose draws are the same for every device."""
        cell, n = RNN_CELLS[self.cell], self.width
        width = cell.gates * n

        def draw(role: str, *shape: int) -> Array:
            return cell.draw(rng, role, shape, n)

        def layer(entering: int) -> dict[str, Array]:
            drawn = {
                "W": draw("recurrent", n, width),
                "U": draw("input", entering, width),
                "b": draw("bias", width),
            }
            return drawn | ({"c": draw("bias", width)} if cell.two_biases else {})

        return {
            "layers": [layer(n if k else self.n_dimensions) for k in range(self.n_layers)],
            "V": draw("readout", n, self.n_classes),
            "d": draw("bias", self.n_classes),
        }

    def logits(self, parameters: Parameters, X: jax.Array, lengths: jax.Array) -> jax.Array:
        """Logits (B, C) of series X (B, T, m), of which the last `lengths` (B,) steps are real."""
        cell, n = RNN_CELLS[self.cell], self.width
        steps, bias = X.shape[1], cell.scale("bias", 1)
        begun = jnp.arange(steps)[:, None, None] >= steps - lengths[:, None]  # (T, B, 1)
        below = jnp.swapaxes(X, 0, 1)  # (T, B, m)
        recur = _recurrence(cell.advance)
        for layer in parameters["layers"]:
            W = cell.scale("recurrent", n) * layer["W"]
            U = cell.scale("input", below.shape[-1]) * layer["U"]
            c = bias * layer["c"] if cell.two_biases else jnp.zeros(W.shape[1], W.dtype)
            below = recur(W, c, below @ U + bias * layer["b"], begun)
        V = cell.scale("readout", n) * parameters["V"]
        out: jax.Array = below[-1] @ V + bias * parameters["d"]
        return out


def _recurrence(advance: Advance) -> Callable[..., jax.Array]:
    """States (T, B, n) of a layer from W, c, U x + b (T, B, g n) and which have begun (T, B, 1).

    The gradient is written out, for JAX's own takes longer, a GRU's by a fifth: it keeps every
    intermediate value of every step, which is read back more slowly than computed again. Nor is
    the gradient of W summed step by step, where one product over all steps gives the same.
    """

    def forward(
        W: jax.Array, c: jax.Array, entering: jax.Array, begun: jax.Array
    ) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        def step(h: jax.Array, at: tuple[jax.Array, ...]) -> tuple[jax.Array, Any]:
            inputs, real = at
            recurrent = h @ W + c
            h = jnp.where(real, advance(h, recurrent, inputs), 0.0)
            return h, (h, recurrent)

        start = jnp.zeros((entering.shape[1], len(W)), entering.dtype)
        h, recurrent = jax.lax.scan(step, start, (entering, begun))[1]
        return h, (W, h, recurrent, entering, begun)

    def backward(kept: tuple[jax.Array, ...], slope: jax.Array) -> tuple[jax.Array | None, ...]:
        W, h, recurrent, entering, begun = kept
        before = jnp.concatenate([jnp.zeros_like(h[:1]), h[:-1]])
        # Transposed once, and not in every step's product.
        transposed = jax.lax.optimization_barrier(W.T)  # type: ignore[no-untyped-call]

        def step(later: jax.Array, at: tuple[jax.Array, ...]) -> tuple[jax.Array, Any]:
            own, real, *values = at
            pull = jax.vjp(advance, *values)[1]
            to_h, to_recurrent, to_entering = pull(jnp.where(real, own + later, 0.0))
            return to_h + to_recurrent @ transposed, (to_recurrent, to_entering)

        to_recurrent, to_entering = jax.lax.scan(
            step, jnp.zeros_like(h[0]), (slope, begun, before, recurrent, entering), reverse=True
        )[1]
        n, width = W.shape
        to_W = before.reshape(-1, n).T @ to_recurrent.reshape(-1, width)
        return to_W, to_recurrent.sum((0, 1)), to_entering, None

    def states(*arguments: jax.Array) -> jax.Array:
        return forward(*arguments)[0]

    recur = jax.custom_vjp(states)
    recur.defvjp(forward, backward)
    return recur
