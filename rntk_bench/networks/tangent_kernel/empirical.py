"""The empirical tangent kernel (3) of a finite network, without its Jacobian.

The gradient with respect to a weight matrix is a sum over steps of outer products of a
backpropagated signal delta(l,t) = df / dg(l,t) and the state that entered, so with tied weights

    <grad_W f(x), grad_W f(x')> = sigma_w^2 / n
        sum_(t,t') <delta(l,t), delta'(l,t')> <h(l,t-1), h'(l,t'-1)>

and likewise for U and b: two T x T' matrices a layer stand for n^2 derivatives. With untied
weights only t = t' meet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rntk_bench.errors import KernelError
from rntk_bench.networks.tangent_kernel.recurrent_network import Parameters, RecurrentNetwork

Array = NDArray[np.float64]

CHUNK_BYTES = 1 << 30
"""Weights of draws that are computed side by side."""


class Trace(NamedTuple):
    """Sequences of one length: inputs (k, T, m), states before each step (k, T, L, n), states
    below each layer but the first (k, T, L - 1, n), last states (k, n), signals (k, T, L, n)."""

    x: jax.Array
    before: jax.Array
    below: jax.Array
    last: jax.Array
    signal: jax.Array


def empirical_ntk(
    network: RecurrentNetwork,
    X: Sequence[Array],
    Y: Sequence[Array] | None = None,
    *,
    draws: int = 1,
    seed: int = 0,
    float64: bool = True,
) -> Array:
    """Empirical tangent kernels of random networks.

    Parameters
    ----------
    network : RecurrentNetwork
    X, Y : sequence of arrays (T_i, m) or (T_i,)
        Of any lengths. Without Y, X meets itself; a sequence then shares its first state with
        itself, else each sequence has its own.
    draws : int
        Networks, each with its own parameters and first states.
    seed : int
    float64 : bool
        Whether to compute in double precision, whatever JAX is set to otherwise.

    Returns
    -------
    ndarray (draws, n_x, n_y)

    Raises
    ------
    KernelError
        If a sequence has another dimension than the network, or more steps than it has weights.
    """
    sequences = [np.asarray(x, dtype=float).reshape(len(x), -1) for x in (*X, *(Y or ()))]
    for i, x in enumerate(sequences):
        if x.shape[1] != network.n_dimensions:
            raise KernelError(
                f"Sequence {i} has {x.shape[1]} dimensions, but the network {network.n_dimensions}."
            )
        if not network.tied and len(x) > network.n_steps:
            raise KernelError(
                f"Sequence {i} has {len(x)} steps, but the untied network only {network.n_steps}."
            )
    with jax.enable_x64(float64):
        dtype = jnp.float64 if float64 else jnp.float32
        inputs = tuple(jnp.asarray(x, dtype) for x in sequences)
        keys = jax.random.split(jax.random.key(seed), draws)
        copies = 1 if network.tied else network.n_steps
        size = copies * (2 * network.n_layers - 1) * network.width**2 * (8 if float64 else 4)
        batch = int(min(max(CHUNK_BYTES // size, 1), draws))
        kernels = _draws(network, inputs, len(X), Y is None, batch, keys)
        return np.asarray(kernels, dtype=np.float64)


@partial(jax.jit, static_argnames=("network", "n_x", "symmetric", "batch"))
def _draws(
    network: RecurrentNetwork,
    sequences: tuple[jax.Array, ...],
    n_x: int,
    symmetric: bool,
    batch: int,
    keys: jax.Array,
) -> jax.Array:
    def one(key: jax.Array) -> jax.Array:
        weights, states = jax.random.split(key)
        first = network.first_states(states, len(sequences))
        return kernel_matrix(network, network.initial(weights), sequences, first, n_x, symmetric)

    kernels: jax.Array = jax.lax.map(one, keys, batch_size=batch)
    return kernels


def kernel_matrix(
    network: RecurrentNetwork,
    parameters: Parameters,
    sequences: Sequence[jax.Array],
    first: jax.Array,
    n_x: int,
    symmetric: bool,
) -> jax.Array:
    """Theta of the first n_x sequences with themselves, or with the rest, for given parameters.

    `first` (n_sequences, L, n) are the first states. Traceable by JAX.
    """
    lengths: dict[int, list[int]] = defaultdict(list)
    for i, x in enumerate(sequences):
        lengths[len(x)].append(i)
    groups = {T: jnp.array(members) for T, members in lengths.items()}
    traces = {
        T: trace(network, parameters, jnp.stack([sequences[i] for i in lengths[T]]), first[group])
        for T, group in groups.items()
    }
    columns = range(n_x) if symmetric else range(n_x, len(sequences))
    out = jnp.zeros((len(sequences), len(sequences)), first.dtype)
    for T, T_other in product(groups, groups):
        if min(lengths[T]) < n_x and max(lengths[T_other]) >= columns.start:
            block = _products(network, traces[T], traces[T_other])
            out = out.at[groups[T][:, None], groups[T_other]].set(block)
    return out[:n_x, columns.start :][:, : len(columns)]


def trace(
    network: RecurrentNetwork, parameters: Parameters, X: jax.Array, first: jax.Array
) -> Trace:
    """States and signals of sequences X (k, T, m) of one length."""

    def one(x: jax.Array, start: jax.Array) -> tuple[jax.Array, jax.Array]:
        added = jnp.zeros((len(x), network.n_layers, network.width), x.dtype)
        f = partial(network.run, parameters, x, start)
        _, pull_back, states = jax.vjp(f, added, has_aux=True)
        return states, pull_back(jnp.ones((), x.dtype))[0]

    states, signal = jax.vmap(one)(X, first)
    before = jnp.concatenate([first[:, None], states[:, :-1]], axis=1)
    return Trace(X, before, states[:, :, :-1], states[:, -1, -1], signal)


def _products(network: RecurrentNetwork, a: Trace, b: Trace) -> jax.Array:
    """Inner products of gradients, (k, k')."""
    n, m = network.width, network.n_dimensions
    both = partial(jnp.einsum, "itln,jsln->lijts")
    signals = both(a.signal, b.signal)
    entering = network.sigma_w**2 / n * both(a.before, b.before) + network.sigma_b**2
    inputs = network.sigma_u**2 / m * jnp.einsum("itm,jsm->ijts", a.x, b.x)
    entering = entering.at[0].add(inputs)
    if network.n_layers > 1:
        entering = entering.at[1:].add(network.sigma_u**2 / n * both(a.below, b.below))
    if network.tied:
        weights = jnp.einsum("lijts,lijts->ij", signals, entering)
    else:
        weights = jnp.einsum("lijtt->ij", _square(signals * entering))
    return weights + network.sigma_v**2 / n * a.last @ b.last.T


def _square(pairs: jax.Array) -> jax.Array:
    """Cut (.., T, T') to the steps that both have."""
    T = min(pairs.shape[-2:])
    return pairs[..., :T, :T]
