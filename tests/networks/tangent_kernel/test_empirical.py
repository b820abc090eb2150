"""Empirical kernels against explicit Jacobians, and their means against the limit."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rntk_bench import RNTK
from rntk_bench.networks.tangent_kernel.empirical import empirical_ntk, kernel_matrix
from rntk_bench.networks.tangent_kernel.recurrent_network import RecurrentNetwork

SIGMAS = {"sigma_w": 1.3, "sigma_u": 0.9, "sigma_b": 0.4, "sigma_h": 0.3, "sigma_v": 1.1}
RNG = np.random.default_rng(0)
SERIES = [RNG.standard_normal((T, 2)) for T in (4, 3, 4)]


@partial(jax.jit, static_argnums=0)
def by_jacobian(network, sequences, parameters, first):
    """The definition (3): the gradients of every output, flattened and multiplied."""
    gradients = [
        jax.grad(lambda p, x=x, h=h: network.run(p, x, h)[0])(parameters)
        for x, h in zip(sequences, first, strict=True)
    ]
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


@pytest.mark.parametrize(
    ("n_layers", "activation", "tied"), [(1, "relu", True), (2, "erf", True), (2, "relu", False)]
)
def test_the_mean_is_the_limit_within_its_error(n_layers, activation, tied):
    series = SERIES if tied else SERIES[::2]
    network = RecurrentNetwork(
        width=200,
        n_dimensions=2,
        n_steps=4,
        n_layers=n_layers,
        activation=activation,
        tied=tied,
        **SIGMAS,
    )
    draws = empirical_ntk(network, series, draws=60, seed=3)
    limit = RNTK(n_layers=n_layers, activation=activation, **SIGMAS)(series)
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    # A width of 200 has a bias of its own order, 1 / 200.
    assert (np.abs(draws.mean(axis=0) - limit) < 4 * error + 0.01 * np.abs(limit)).all()


def test_draws_are_reproducible_and_do_not_depend_on_how_many():
    network = RecurrentNetwork(width=20, n_dimensions=2)
    first = empirical_ntk(network, SERIES, draws=2, seed=5)
    np.testing.assert_array_equal(first, empirical_ntk(network, SERIES, draws=2, seed=5))
    assert not np.array_equal(first[0], first[1])
    assert first.shape == (2, 3, 3)
    assert not np.array_equal(first, empirical_ntk(network, SERIES, draws=2, seed=6))


def test_single_precision_on_request_and_jax_left_as_it_was():
    network = RecurrentNetwork(width=50, n_dimensions=2)
    before = jnp.zeros(1).dtype
    kernel = empirical_ntk(network, SERIES[:1], SERIES, float64=False)
    assert kernel.shape == (1, 1, 3)
    assert (kernel == kernel.astype(np.float32)).all()
    assert jnp.zeros(1).dtype == before == jnp.float32
