import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rntk_bench.errors import KernelError
from rntk_bench.networks.tangent_kernel.empirical import empirical_ntk
from rntk_bench.networks.tangent_kernel.recurrent_network import RecurrentNetwork

PHI = {
    "relu": lambda z: np.maximum(z, 0.0),
    "tanh": np.tanh,
    "erf": np.vectorize(math.erf),
}


def by_loops(network, parameters, x, first):
    """(1), (2) and (7) one step, one layer at a time; each step is read by its own v(t)."""
    n, m = network.width, x.shape[1]
    h = [np.asarray(state) for state in first]
    R = network.read_by(len(x))
    f = 0.0
    for t, x_t in enumerate(x):
        W, U1, U, b = (
            np.asarray(parameters[name][0 if network.tied else t]) for name in ("W", "U1", "U", "b")
        )
        below = network.sigma_u / math.sqrt(m) * U1 @ x_t
        for layer in range(network.n_layers):
            if layer:
                below = network.sigma_u / math.sqrt(n) * U[layer - 1] @ h[layer - 1]
            g = network.sigma_w / math.sqrt(n) * W[layer] @ h[layer]
            g = g + below + network.sigma_b * b[layer]
            h[layer] = PHI[network.activation](g)
        v_t = sum(r * np.asarray(v) for r, v in zip(R[t], parameters["v"], strict=True))
        f += v_t @ (math.sqrt(2.0) * (g > 0) if network.readout == "step" else h[-1])
    return network.sigma_v / math.sqrt(n) * f


BANDED = {"pooling": "shared", "bandwidth": 0.25}


@pytest.mark.parametrize(
    ("tied", "n_layers", "activation", "readout"),
    [
        (True, 1, "relu", {}),
        (True, 3, "erf", {"pooling": "average"}),
        (True, 2, "relu", {"readout": "step", "lag_step": 2, **BANDED}),
        (False, 1, "tanh", BANDED),
        (False, 2, "relu", {}),
    ],
)
def test_the_output_is_that_of_plain_loops(tied, n_layers, activation, readout):
    network = RecurrentNetwork(
        width=9,
        n_dimensions=2,
        n_steps=5,
        sigma_w=1.2,
        sigma_u=0.8,
        sigma_b=0.3,
        sigma_h=0.5,
        sigma_v=1.5,
        n_layers=n_layers,
        activation=activation,
        tied=tied,
        **readout,
    )
    with jax.enable_x64(True):
        parameters = network.initial(jax.random.key(0))
        first = network.initial_states(jax.random.key(1), 3)
        for T, start in zip((5, 3, 1), first, strict=True):
            x = np.random.default_rng(T).standard_normal((T, 2))
            f, states = network.run(parameters, jnp.asarray(x), start)
            assert states.shape == (T, n_layers, 9)
            assert float(f) == pytest.approx(by_loops(network, parameters, x, start), rel=1e-12)


def test_parameters_are_standard_normal_and_initial_states_have_their_deviation():
    network = RecurrentNetwork(
        width=200, n_dimensions=3, n_steps=2, n_layers=2, sigma_h=0.5, tied=False
    )
    parameters = network.initial(jax.random.key(0))
    shapes = {name: value.shape for name, value in parameters.items()}
    assert shapes == {
        "W": (2, 2, 200, 200),
        "U1": (2, 200, 3),
        "U": (2, 1, 200, 200),
        "b": (2, 2, 200),
        "v": (1, 200),
    }
    for value in parameters.values():
        error = 4 / math.sqrt(2 * value.size)
        assert float(value.std()) == pytest.approx(1.0, abs=error)
        assert abs(float(value.mean())) < 2 * error
    first = network.initial_states(jax.random.key(1), 50)
    assert first.shape == (50, 2, 200)
    assert float(first.std()) == pytest.approx(0.5, rel=0.03)


def test_what_a_network_cannot_read_is_one_sentence():
    with pytest.raises(KernelError, match="'gelu'"):
        RecurrentNetwork(width=3, activation="gelu")
    with pytest.raises(KernelError, match="Sequence 1 has 2 dimensions"):
        empirical_ntk(RecurrentNetwork(width=3), [np.ones(3), np.ones((3, 2))])
    with pytest.raises(KernelError, match="Sequence 0 has 3 steps, but the network has weights"):
        empirical_ntk(RecurrentNetwork(width=3, n_steps=2, tied=False), [np.ones(3)])
    pooled = RecurrentNetwork(width=3, n_steps=2, pooling="average")
    with pytest.raises(KernelError, match="Sequence 1 has 3 steps, but the network has readouts"):
        empirical_ntk(pooled, [np.ones(2), np.ones(3)])
