"""Full-batch gradient descent on finite networks, with their tangent kernels during training."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rntk_bench.networks.tangent_kernel.empirical import kernel_matrix
from rntk_bench.networks.tangent_kernel.recurrent_network import Parameters, RecurrentNetwork
from rntk_bench.types import FloatArray


class TrainingHistory(NamedTuple):
    """The course of the training of several networks.

    Attributes
    ----------
    outputs : (draws, steps + 1, n) ndarray
        The outputs at the start and after each step.
    kernels : (draws, n_kernels + 1, n, n) ndarray
        The empirical kernels at the start and n_kernels times during training.
    """

    outputs: FloatArray
    kernels: FloatArray


def train(
    network: RecurrentNetwork,
    X: FloatArray,
    y: FloatArray,
    rate: float,
    steps: int,
    n_kernels: int,
    draws: int,
    seed: int,
) -> TrainingHistory:
    """Minimise sum (f(x) - y)^2 / 2 over series X (n, T, m) by gradient descent.

    The networks have NTK initialisation and parametrisation, and are trained in double precision.
    The kernel is computed at regular intervals; `n_kernels` must divide `steps`. The initial states
    are drawn once for each network and series.
    """
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(seed), draws)
        result = _train(
            network, jnp.asarray(X), jnp.asarray(y), jnp.asarray(rate), steps, n_kernels, keys
        )
        return TrainingHistory(*(np.asarray(array, dtype=np.float64) for array in result))


@partial(jax.jit, static_argnames=("network", "steps", "n_kernels"))
def _train(
    network: RecurrentNetwork,
    X: jax.Array,
    y: jax.Array,
    rate: jax.Array,
    steps: int,
    n_kernels: int,
    keys: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    def train_one(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        weights_key, states_key = jax.random.split(key)
        h_0 = network.initial_states(states_key, len(X))

        def outputs(parameters: Parameters) -> jax.Array:
            return jax.vmap(lambda x, h: network.run(parameters, x, h)[0])(X, h_0)

        def loss(parameters: Parameters) -> tuple[jax.Array, jax.Array]:
            f = outputs(parameters)
            return 0.5 * ((f - y) ** 2).sum(), f

        def step(parameters: Parameters, _: None) -> tuple[Parameters, jax.Array]:
            gradient, f = jax.grad(loss, has_aux=True)(parameters)
            return jax.tree.map(lambda p, g: p - rate * g, parameters, gradient), f

        def interval(
            parameters: Parameters, _: None
        ) -> tuple[Parameters, tuple[jax.Array, jax.Array]]:
            parameters, f = jax.lax.scan(step, parameters, None, length=steps // n_kernels)
            return parameters, (f, kernel(parameters))

        def kernel(parameters: Parameters) -> jax.Array:
            return kernel_matrix(network, parameters, list(X), h_0, len(X), True)

        initial = network.initial(weights_key)
        final, (f, kernels) = jax.lax.scan(interval, initial, None, length=n_kernels)
        all_outputs = jnp.concatenate([f.reshape(-1, len(y)), outputs(final)[None]])
        return all_outputs, jnp.concatenate([kernel(initial)[None], kernels])

    results: tuple[jax.Array, jax.Array] = jax.lax.map(train_one, keys)
    return results
