"""The empirical tangent kernel (3) of a finite network, computed without its Jacobian.

The gradient with respect to a weight matrix is a sum over steps of outer products of a
backpropagated signal delta(l,t) = df / dg(l,t) and the previous state, so with tied weights

    <grad_W f(x), grad_W f(x')> = sigma_w^2 / n
        sum_(t,t') <delta(l,t), delta'(l,t')> <h(l,t-1), h'(l,t'-1)>

and likewise for U and b: two T x T' matrices per layer replace n^2 derivatives. With untied
weights only the terms with t = t' remain. The gradients with respect to the readouts are the pooled
states, see `RecurrentNetwork.pool`.
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

from rntk_bench.errors import KernelError
from rntk_bench.networks.tangent_kernel.recurrent_network import Parameters, RecurrentNetwork
from rntk_bench.types import FloatArray

CHUNK_BYTES = 1 << 30
"""The memory of the weights of those draws that an accelerator computes together. A processor
computes one after the other, which is faster to compile, and to run for wide networks."""


class Trace(NamedTuple):
    """The states and backpropagated signals of k sequences of one length.

    Attributes
    ----------
    x : (k, T, m)
        The inputs.
    before : (k, T, L, n)
        The states of all layers before each step.
    below : (k, T, L - 1, n)
        The states of the layers below all layers but the first.
    pooled : (k, J, n)
        What each readout reads of the states of the last layer.
    signal : (k, T, L, n)
        The backpropagated signals.
    """

    x: jax.Array
    before: jax.Array
    below: jax.Array
    pooled: jax.Array
    signal: jax.Array


def empirical_ntk(
    network: RecurrentNetwork,
    X: Sequence[FloatArray],
    Y: Sequence[FloatArray] | None = None,
    *,
    draws: int = 1,
    seed: int = 0,
    float64: bool = True,
) -> FloatArray:
    """Compute the empirical tangent kernels of random networks.

    Parameters
    ----------
    network : RecurrentNetwork
    X, Y : sequence of arrays (T_i, m) or (T_i,)
        Sequences of any lengths. Without Y, the kernel is that of X with itself, and each sequence
        has the same initial state on both sides. Otherwise all sequences have different ones.
    draws : int
        The number of networks, each with its own parameters and initial states.
    seed : int
    float64 : bool
        Whether to compute in double precision, whatever the configuration of JAX.

    Returns
    -------
    ndarray (draws, n_x, n_y)

    Raises
    ------
    KernelError
        If a sequence and the network have different numbers of dimensions, or a sequence has more
        steps than a network with untied weights or with readouts of all steps.
    """
    sequences = [np.asarray(x, dtype=float).reshape(len(x), -1) for x in (*X, *(Y or ()))]
    for i, x in enumerate(sequences):
        if x.shape[1] != network.n_dimensions:
            raise KernelError(
                f"Sequence {i} has {x.shape[1]} dimensions, but the network has "
                f"{network.n_dimensions}; the numbers must be equal."
            )
        for name, needed in (
            ("weights", not network.tied),
            ("readouts", network.pooling != "last"),
        ):
            if needed and len(x) > network.n_steps:
                raise KernelError(
                    f"Sequence {i} has {len(x)} steps, but the network has {name} for "
                    f"n_steps={network.n_steps}; give it shorter series, or more steps."
                )
    with jax.enable_x64(float64):
        dtype = jnp.float64 if float64 else jnp.float32
        inputs = tuple(jnp.asarray(x, dtype) for x in sequences)
        keys = jax.random.split(jax.random.key(seed), draws)
        n_copies = 1 if network.tied else network.n_steps
        n_bytes = n_copies * (2 * network.n_layers - 1) * network.width**2 * (8 if float64 else 4)
        batch = int(min(max(CHUNK_BYTES // n_bytes, 1), draws))
        together = batch if jax.default_backend() != "cpu" else None
        kernels = _draws(network, inputs, len(X), Y is None, together, keys)
        return np.asarray(kernels, dtype=np.float64)


@partial(jax.jit, static_argnames=("network", "n_x", "symmetric", "batch"))
def _draws(
    network: RecurrentNetwork,
    sequences: tuple[jax.Array, ...],
    n_x: int,
    symmetric: bool,
    batch: int | None,
    keys: jax.Array,
) -> jax.Array:
    def draw(key: jax.Array) -> jax.Array:
        weights_key, states_key = jax.random.split(key)
        parameters = network.initial(weights_key)
        h_0 = network.initial_states(states_key, len(sequences))
        return kernel_matrix(network, parameters, sequences, h_0, n_x, symmetric)

    kernels: jax.Array = jax.lax.map(draw, keys, batch_size=batch)
    return kernels


def kernel_matrix(
    network: RecurrentNetwork,
    parameters: Parameters,
    sequences: Sequence[jax.Array],
    h_0: jax.Array,
    n_x: int,
    symmetric: bool,
) -> jax.Array:
    """The kernel of the first n_x sequences with themselves, or with the other sequences.

    `h_0` (n_sequences, L, n) are the initial states. JAX can trace this function.
    """
    lengths: dict[int, list[int]] = defaultdict(list)
    for i, x in enumerate(sequences):
        lengths[len(x)].append(i)
    groups = {T: jnp.array(members) for T, members in lengths.items()}
    traces = {
        T: trace(network, parameters, jnp.stack([sequences[i] for i in lengths[T]]), h_0[group])
        for T, group in groups.items()
    }
    columns = range(n_x) if symmetric else range(n_x, len(sequences))
    out = jnp.zeros((len(sequences), len(sequences)), h_0.dtype)
    for T, T_other in product(groups, groups):
        if min(lengths[T]) < n_x and max(lengths[T_other]) >= columns.start:
            block = _products(network, traces[T], traces[T_other])
            out = out.at[groups[T][:, None], groups[T_other]].set(block)
    return out[:n_x, columns.start :][:, : len(columns)]


def trace(network: RecurrentNetwork, parameters: Parameters, X: jax.Array, h_0: jax.Array) -> Trace:
    """The states and signals of sequences X (k, T, m) of one length, with initial states h_0."""

    def trace_one(x: jax.Array, h_0: jax.Array) -> tuple[jax.Array, jax.Array]:
        added = jnp.zeros((len(x), network.n_layers, network.width), x.dtype)
        f = partial(network.run, parameters, x, h_0)
        _, pull_back, states = jax.vjp(f, added, has_aux=True)
        return states, pull_back(jnp.ones((), x.dtype))[0]

    states, signal = jax.vmap(trace_one)(X, h_0)
    pooled = jax.vmap(network.pool)(states)
    before = jnp.concatenate([h_0[:, None], states[:, :-1]], axis=1)
    return Trace(X, before, states[:, :, :-1], pooled, signal)


def _products(network: RecurrentNetwork, a: Trace, b: Trace) -> jax.Array:
    """The inner products of the gradients, (k, k')."""
    n, m = network.width, network.n_dimensions
    products = partial(jnp.einsum, "itln,jsln->lijts")
    signals = products(a.signal, b.signal)
    states = network.sigma_w**2 / n * products(a.before, b.before) + network.sigma_b**2
    states = states.at[0].add(network.sigma_u**2 / m * jnp.einsum("itm,jsm->ijts", a.x, b.x))
    if network.n_layers > 1:
        states = states.at[1:].add(network.sigma_u**2 / n * products(a.below, b.below))
    if network.tied:
        weights = jnp.einsum("lijts,lijts->ij", signals, states)
    else:
        weights = jnp.einsum("lijtt->ij", _square(signals * states))
    readouts = jnp.einsum("ivn,jvn->ij", a.pooled, b.pooled)
    return weights + network.sigma_v**2 / n * readouts


def _square(pairs: jax.Array) -> jax.Array:
    """Cut matrices (.., T, T') to the steps that both sequences have."""
    T = min(pairs.shape[-2:])
    return pairs[..., :T, :T]
