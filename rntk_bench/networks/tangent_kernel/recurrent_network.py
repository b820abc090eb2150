"""The simple recurrent network (1), (2) under NTK initialisation (7), (8)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jax
import jax.numpy as jnp

from rntk_bench.errors import KernelError
from rntk_bench.networks.tangent_kernel.readouts import check_readout, readout_matrix
from rntk_bench.types import FloatArray

Parameters = Mapping[str, jax.Array]
"""W (S, L, n, n), U1 (S, n, m), U (S, L - 1, n, n), b (S, L, n) and v (J, n), all standard normal
at initialisation. S is 1 for tied weights, otherwise the number of steps. J is the number of
independent readouts, 1 if only the last step is read."""

ACTIVATIONS: Final[dict[str, Callable[[jax.Array], jax.Array]]] = {
    "relu": jax.nn.relu,
    "erf": jax.scipy.special.erf,
    "tanh": jnp.tanh,
}


@dataclass(frozen=True)
class RecurrentNetwork:
    """The shape and the standard deviations of a network.

    It is hashable, so that JAX compiles each network once.

    Parameters
    ----------
    width : int
        The number of units n of each layer.
    n_dimensions : int
        The number of dimensions m of the input.
    n_steps : int
        The largest length of a sequence, if the weights are untied or all steps are read.
    sigma_w, sigma_u, sigma_b, sigma_h, sigma_v, n_layers : float, int
        As for the kernel `RNTK`.
    activation : str
        "relu", "erf" or "tanh".
    tied : bool
        Whether all steps have the same weights. If not, each step has its own, (143)-(145), and
        only the readouts v are common to all.
    pooling, bandwidth, lag_step, readout : str, float, int, str
        As for the kernel `RNTK`: which steps are read, how correlated their readouts are, and
        whether their states are read, or sqrt(2) 1[h > 0].

    Raises
    ------
    KernelError
        If the activation is not one of these, or a parameter of the readout is invalid.
    """

    width: int
    n_dimensions: int = 1
    n_steps: int = 1
    sigma_w: float = math.sqrt(2.0)
    sigma_u: float = 1.0
    sigma_b: float = 0.0
    sigma_h: float = 0.0
    sigma_v: float = 1.0
    n_layers: int = 1
    activation: str = "relu"
    tied: bool = True
    pooling: str = "last"
    bandwidth: float | str = 0.5
    lag_step: int = 1
    readout: str = "state"

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise KernelError(
                f"A finite network's activation is {self.activation!r}, but must be one of "
                f"{', '.join(ACTIVATIONS)}."
            )
        check_readout(self.pooling, self.bandwidth, self.lag_step, self.readout, self.activation)

    def initial(self, key: jax.Array) -> Parameters:
        """Draw the parameters, all standard normal, (8)."""
        S, L, n, m = 1 if self.tied else self.n_steps, self.n_layers, self.width, self.n_dimensions
        shapes = {
            "W": (S, L, n, n),
            "U1": (S, n, m),
            "U": (S, L - 1, n, n),
            "b": (S, L, n),
            "v": (self.read_by(1).shape[1], n),
        }
        keys = jax.random.split(key, len(shapes))
        return {
            name: jax.random.normal(key, shape)
            for key, (name, shape) in zip(keys, shapes.items(), strict=True)
        }

    def initial_states(self, key: jax.Array, n_sequences: int) -> jax.Array:
        """Draw h(l, 0) of each sequence, (n_sequences, L, n); they are not trained."""
        shape = n_sequences, self.n_layers, self.width
        if self.sigma_h == 0.0:
            return jnp.zeros(shape)
        return self.sigma_h * jax.random.normal(key, shape)

    def run(
        self, parameters: Parameters, x: jax.Array, h_0: jax.Array, added: jax.Array | None = None
    ) -> tuple[jax.Array, jax.Array]:
        """Compute the output f(x), (), and the states h (T, L, n) of one sequence x (T, m).

        `h_0` (L, n) are the initial states. `added` (T, L, n) is added to the pre-activations, so
        that the derivative with respect to it is the backpropagated signal.
        """
        n, m = self.width, self.n_dimensions
        phi = ACTIVATIONS[self.activation]
        w, u, u1 = self.sigma_w / n**0.5, self.sigma_u / n**0.5, self.sigma_u / m**0.5
        weights = {name: parameters[name] for name in ("W", "U1", "U", "b")}
        added = jnp.zeros((len(x), self.n_layers, n), x.dtype) if added is None else added

        def step(h: jax.Array, at_step: Any) -> tuple[jax.Array, jax.Array]:
            x_t, added_t, weights_t = at_step
            if self.tied:
                weights_t = jax.tree.map(lambda value: value[0], weights)
            below = u1 * weights_t["U1"] @ x_t
            states: list[jax.Array] = []
            for layer in range(self.n_layers):
                if layer:
                    below = u * weights_t["U"][layer - 1] @ states[-1]
                g = (
                    w * weights_t["W"][layer] @ h[layer]
                    + below
                    + self.sigma_b * weights_t["b"][layer]
                )
                states.append(phi(g + added_t[layer]))
            h = jnp.stack(states)
            return h, h

        step_weights = None if self.tied else jax.tree.map(lambda value: value[: len(x)], weights)
        _, states = jax.lax.scan(step, h_0, (x, added, step_weights))
        return self.sigma_v / n**0.5 * jnp.vdot(parameters["v"], self.pool(states)), states

    def pool(self, states: jax.Array) -> jax.Array:
        """What each independent readout reads of the states (T, L, n) of a sequence, (J, n)."""
        h = states[:, -1]
        if self.readout == "step":
            h = jnp.sqrt(2.0) * (h > 0.0)
        return jnp.asarray(self.read_by(len(h)), h.dtype).T @ h

    def read_by(self, length: int) -> FloatArray:
        """The matrix (T, J) that composes the steps' readouts of independent ones."""
        return readout_matrix(length, self.n_steps, self.pooling, self.bandwidth, self.lag_step)
