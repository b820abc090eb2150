"""Empirical kernels against explicit Jacobians, and their means against the limit."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rntk_bench import RNTK
from rntk_bench.networks.tangent_kernel.empirical import empirical_ntk, kernel_matrix
from rntk_bench.networks.tangent_kernel.recurrent_network import ACTIVATIONS, RecurrentNetwork
from tests import naive

SIGMAS = {"sigma_w": 1.3, "sigma_u": 0.9, "sigma_b": 0.4, "sigma_h": 0.3, "sigma_v": 1.1}
RNG = np.random.default_rng(0)
SERIES = [RNG.standard_normal((T, 2)) for T in (4, 3, 4)]


@partial(jax.jit, static_argnums=0)
def gradient(network, parameters, x, h):
    return jax.grad(lambda p: network.run(p, x, h)[0])(parameters)


def by_jacobian(network, sequences, parameters, first):
    """The definition (3): the gradients of every output, flattened and multiplied."""
    gradients = [gradient(network, parameters, x, h) for x, h in zip(sequences, first, strict=True)]
    flat = jnp.stack(
        [jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(g)]) for g in gradients]
    )
    return flat @ flat.T


@pytest.mark.parametrize(
    ("tied", "n_layers", "activation"),
    [
        (True, 1, "relu"),
        (True, 2, "tanh"),
        (True, 3, "erf"),
        (False, 1, "erf"),
        (False, 2, "relu"),
        (False, 3, "tanh"),
    ],
)
def test_equals_the_product_of_explicit_jacobians(tied, n_layers, activation):
    network = RecurrentNetwork(
        width=7,
        n_dimensions=2,
        n_steps=4,
        n_layers=n_layers,
        activation=activation,
        tied=tied,
        **SIGMAS,
    )
    matrix = jax.jit(kernel_matrix, static_argnums=(0, 4, 5))
    with jax.enable_x64(True):
        sequences = [jnp.asarray(x) for x in SERIES]
        parameters = network.initial(jax.random.key(1))
        first = network.initial_states(jax.random.key(2), len(sequences))
        expected = by_jacobian(network, sequences, parameters, first)
        actual = matrix(network, parameters, sequences, first, 3, True)
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-13)
        across = matrix(network, parameters, sequences, first, 1, False)
        np.testing.assert_allclose(across, expected[:1, 1:], rtol=1e-12, atol=1e-13)


def covariance_of_readouts(bandwidth, lag_step):
    """E[v(t) v'(t')] of the steps of all of `SERIES`, one after the other, (11, 11)."""
    steps = [(len(x), t) for x in SERIES for t in reversed(range(len(x)))]
    return np.array(
        [
            [float(naive.lag_weight(t - s, T, T_y, bandwidth, lag_step)) for T_y, s in steps]
            for T, t in steps
        ]
    )


@partial(jax.jit, static_argnums=0)
def outputs_by_loops(network, weights, readouts, sequences, first):
    """f(x) = sum over t of v(t) h(t) / sqrt(T) for each sequence, with `readouts` v (11, n)."""
    n, m = network.width, network.n_dimensions
    outputs, v = [], list(readouts)
    for x, h_0 in zip(sequences, first, strict=True):
        h, total = list(h_0), 0.0
        for x_t in x:
            below = network.sigma_u / m**0.5 * weights["U1"][0] @ x_t
            for layer in range(network.n_layers):
                if layer:
                    below = network.sigma_u / n**0.5 * weights["U"][0, layer - 1] @ h[layer - 1]
                g = network.sigma_w / n**0.5 * weights["W"][0, layer] @ h[layer] + below
                g = g + network.sigma_b * weights["b"][0, layer]
                h[layer] = ACTIVATIONS[network.activation](g)
            read = jnp.sqrt(2.0) * jnp.heaviside(g, 0.0) if network.readout == "step" else h[-1]
            total += v.pop(0) @ read
        outputs.append(network.sigma_v / n**0.5 * total / len(x) ** 0.5)
    return jnp.stack(outputs)


@pytest.mark.parametrize(
    ("bandwidth", "lag_step", "n_layers", "activation", "readout"),
    [
        ("all", 1, 1, "relu", "state"),
        (0.25, 1, 2, "tanh", "state"),
        (0.5, 2, 1, "erf", "state"),
        (0.5, 1, 2, "relu", "step"),
    ],
)
def test_correlated_readouts_are_a_root_of_their_covariance(
    bandwidth, lag_step, n_layers, activation, readout
):
    """The kernel is the same for any root: here v = A u with A the symmetric one."""
    network = RecurrentNetwork(
        width=5,
        n_dimensions=2,
        n_steps=4,
        n_layers=n_layers,
        activation=activation,
        pooling="shared",
        bandwidth=bandwidth,
        lag_step=lag_step,
        readout=readout,
        **SIGMAS,
    )
    eigenvalues, vectors = np.linalg.eigh(covariance_of_readouts(bandwidth, lag_step))
    A = vectors * np.sqrt(np.maximum(eigenvalues, 0.0)) @ vectors.T
    with jax.enable_x64(True):
        sequences = [jnp.asarray(x) for x in SERIES]
        parameters = network.initial(jax.random.key(1))
        first = network.initial_states(jax.random.key(2), len(sequences))
        v = jnp.concatenate(
            [len(x) ** 0.5 * network.read_by(len(x)) @ parameters["v"] for x in sequences]
        )
        u = np.linalg.lstsq(A, v, rcond=1e-10)[0]
        np.testing.assert_allclose(A @ u, v, atol=1e-12)
        gradients = jax.jacobian(
            lambda weights, u: outputs_by_loops(network, weights, A @ u, sequences, first), (0, 1)
        )(parameters, jnp.asarray(u))
        flat = jnp.concatenate([g.reshape(3, -1) for g in jax.tree.leaves(gradients)], axis=1)
        actual = jax.jit(kernel_matrix, static_argnums=(0, 4, 5))(
            network, parameters, sequences, first, 3, True
        )
        np.testing.assert_allclose(actual, flat @ flat.T, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("n_layers", "activation", "tied", "readout"),
    [
        (1, "relu", True, {}),
        (2, "erf", True, {}),
        (2, "relu", False, {}),
        (1, "relu", True, {"pooling": "shared", "bandwidth": "all"}),
        (2, "erf", True, {"pooling": "shared", "bandwidth": 0.25}),
        (2, "relu", True, {"pooling": "shared", "lag_step": 2, "readout": "step"}),
    ],
)
def test_the_mean_is_the_limit_within_its_error(n_layers, activation, tied, readout):
    series = SERIES if tied else SERIES[::2]
    network = RecurrentNetwork(
        width=200,
        n_dimensions=2,
        n_steps=4,
        n_layers=n_layers,
        activation=activation,
        tied=tied,
        **SIGMAS,
        **readout,
    )
    draws = empirical_ntk(network, series, draws=60, seed=3)
    limit = RNTK(n_layers=n_layers, activation=activation, **SIGMAS, **readout)(series)
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    # A width of 200 has a bias of its own order, 1 / 200.
    assert (np.abs(draws.mean(axis=0) - limit) < 4 * error + 0.01 * np.abs(limit)).all()


def test_draws_are_reproducible_and_differ():
    # A network of the test above, so that it is compiled once for both.
    network = RecurrentNetwork(width=200, n_dimensions=2, n_steps=4, **SIGMAS)
    first = empirical_ntk(network, SERIES, draws=60, seed=5)
    np.testing.assert_array_equal(first, empirical_ntk(network, SERIES, draws=60, seed=5))
    assert first.shape == (60, 3, 3)
    assert len(np.unique(first[:, 0, 0])) == 60
    assert not np.array_equal(first, empirical_ntk(network, SERIES, draws=60, seed=6))


def test_single_precision_on_request_and_jax_left_as_it_was():
    network = RecurrentNetwork(width=50, n_dimensions=2)
    before = jnp.zeros(1).dtype
    kernel = empirical_ntk(network, SERIES[:1], SERIES, float64=False)
    assert kernel.shape == (1, 1, 3)
    assert (kernel == kernel.astype(np.float32)).all()
    assert jnp.zeros(1).dtype == before == jnp.float32
