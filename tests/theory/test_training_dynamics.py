import numpy as np
import pytest

from rntk_bench import RNTK
from rntk_bench.networks.tangent_kernel.gradient_descent import train
from rntk_bench.networks.tangent_kernel.recurrent_network import RecurrentNetwork
from rntk_bench.theory.training_dynamics import SIGMAS, compute_training_dynamics, linear_dynamics


def test_linear_dynamics_are_gradient_descent_step_by_step():
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((3, 3))
    theta, y, f = factor @ factor.T, rng.standard_normal(3), rng.standard_normal((2, 3))
    path = linear_dynamics(theta, y, 0.05, f, 4)
    for s in range(5):
        np.testing.assert_allclose(path[:, s], f, rtol=1e-12)
        f = f - 0.05 * (f - y) @ theta


def test_a_step_of_training_moves_outputs_by_the_empirical_kernel():
    """(5) to first order in the rate: f_1 - f_0 = -rate Theta_hat (f_0 - y) + O(rate^2)."""
    X, y = np.random.default_rng(1).standard_normal((3, 4, 1)), np.array([1.0, -1.0, 0.5])
    network = RecurrentNetwork(30, **SIGMAS)
    errors = []
    for rate in (1e-3, 1e-4):
        f, kernels = train(network, X, y, rate, steps=1, n_kernels=1, draws=2, seed=0)
        assert f.shape == (2, 2, 3)
        assert kernels.shape == (2, 2, 3, 3)
        step = -rate * np.einsum("dij,dj->di", kernels[:, 0], f[:, 0] - y)
        errors.append(np.abs(f[:, 1] - f[:, 0] - step).max() / rate)
    assert errors[1] < 0.2 * errors[0]


@pytest.fixture(scope="module")
def dynamics():
    return compute_training_dynamics([16, 128], 6, 40, seed=0)


def test_wider_networks_change_less_and_train_more_linearly(dynamics):
    assert dynamics.rate == 0.5 * dynamics.largest_rate
    means = dynamics.distances.groupby(["distance", "width"])["log_error"].mean()
    for name in ("kernel", "outputs"):
        assert means[name, 128] < means[name, 16]
        assert dynamics.slopes[name][0] < 0


def test_the_rate_is_stable_for_the_limit(dynamics):
    losses = dynamics.losses[dynamics.losses["width"] == 128]
    assert (np.diff(losses["linear"]) < 0).all()
    assert losses["network"].iloc[-1] < 0.1 * losses["network"].iloc[0]
    assert len(dynamics.to_frame()) == 2 * 2 * 41 + 2 * 2


def test_the_limit_is_the_package_s_kernel(dynamics):
    X = np.random.default_rng(0).standard_normal((4, 5))
    eigenvalues = np.linalg.eigvalsh(RNTK(**SIGMAS)(X))
    assert dynamics.largest_rate == pytest.approx(2 / (eigenvalues[0] + eigenvalues[-1]))
