"""Full-batch gradient descent on a finite network, with its tangent kernel on the way."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rntk_bench.networks.tangent_kernel.empirical import kernel_matrix
from rntk_bench.networks.tangent_kernel.recurrent_network import Parameters, RecurrentNetwork

Array = NDArray[np.float64]


class TrainingHistory(NamedTuple):
    """What happened to each of several networks: outputs (draws, steps + 1, n) before and after
    each step, and empirical kernels (draws, checks + 1, n, n) at the start and after every
    steps / checks of them."""

    outputs: Array
    kernels: Array


def train(
    network: RecurrentNetwork,
    X: Array,
    y: Array,
    rate: float,
    steps: int,
    checks: int,
    draws: int,
    seed: int,
) -> TrainingHistory:
    """Minimise sum (f(x) - y)^2 / 2 over series X (n, T, m) by gradient descent, from NTK
    initialisation and in its parametrisation, in double precision.

    `checks` divides `steps`. The first states are drawn once for each network and series.
    """
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(seed), draws)
        result = _train(
            network, jnp.asarray(X), jnp.asarray(y), jnp.asarray(rate), steps, checks, keys
        )
        return TrainingHistory(*(np.asarray(part, dtype=np.float64) for part in result))


@partial(jax.jit, static_argnames=("network", "steps", "checks"))
def _train(
    network: RecurrentNetwork,
    X: jax.Array,
    y: jax.Array,
    rate: jax.Array,
    steps: int,
    checks: int,
    keys: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    def one(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        weights, states = jax.random.split(key)
        first = network.first_states(states, len(X))

        def outputs(parameters: Parameters) -> jax.Array:
            return jax.vmap(lambda x, h: network.run(parameters, x, h)[0])(X, first)

        def loss(parameters: Parameters) -> tuple[jax.Array, jax.Array]:
            f = outputs(parameters)
            return 0.5 * ((f - y) ** 2).sum(), f

        def step(parameters: Parameters, _: None) -> tuple[Parameters, jax.Array]:
            slope, f = jax.grad(loss, has_aux=True)(parameters)
            return jax.tree.map(lambda p, g: p - rate * g, parameters, slope), f

        def leg(parameters: Parameters, _: None) -> tuple[Parameters, tuple[jax.Array, jax.Array]]:
            parameters, f = jax.lax.scan(step, parameters, None, length=steps // checks)
            return parameters, (f, kernel(parameters))

        def kernel(parameters: Parameters) -> jax.Array:
            return kernel_matrix(network, parameters, list(X), first, len(X), True)

        initial = network.initial(weights)
        final, (f, kernels) = jax.lax.scan(leg, initial, None, length=checks)
        before_and_after = jnp.concatenate([f.reshape(-1, len(y)), outputs(final)[None]])
        return before_and_after, jnp.concatenate([kernel(initial)[None], kernels])

    found: tuple[jax.Array, jax.Array] = jax.lax.map(one, keys)
    return found
