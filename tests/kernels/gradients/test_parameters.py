"""Derivatives by the parameters against central differences of the kernels."""

from dataclasses import replace

import numpy as np
import pytest

from rntk_bench import NNGP, NTK, RBF, RNTK, Polynomial
from rntk_bench.errors import KernelError
from rntk_bench.kernels.gradients.parameters import parameter_gradient

SIGMAS = ["sigma_w", "sigma_u", "sigma_b", "sigma_h", "sigma_v"]
STEP = 1e-5


def differences(kernel, X, names):
    """Central differences (n, n, p), a layer's after the other."""
    actual = []
    for name in names:
        value = getattr(kernel, name)
        moves = np.eye(np.size(value)) * STEP
        for move in moves:
            ends = [
                tuple(value + s * move) if np.ndim(value) else value + s * STEP for s in (1, -1)
            ]
            up, down = (replace(kernel, **{name: end})(X) for end in ends)
            actual.append((up - down) / (2 * STEP))
    return np.stack(actual, axis=-1)


def assert_right(kernel, X, names):
    actual, expected = parameter_gradient(kernel, X, names), differences(kernel, X, names)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, atol=1e-8 * np.abs(expected).max())


RECURRENT = {
    "the paper's": RNTK(1.3, sigma_b=0.2, sigma_h=0.4),
    "one value per layer": RNTK((1.3, 0.9), (1.0, 0.7), (0.3, 0.1), 0.5, 0.8, 2, "erf"),
    "nngp": NNGP(1.2, sigma_b=0.1, sigma_h=0.3, n_layers=3),
    "average, both": RNTK(
        1.1, 1.0, 0.3, 0.2, 1.0, 2, "leaky_relu", pooling="average", direction="both"
    ),
    "backward": RNTK(1.1, 0.9, 0.3, 0.2, 1.2, activation="erf", direction="backward"),
}


@pytest.mark.parametrize("kernel", RECURRENT.values(), ids=RECURRENT)
def test_derivatives_of_the_rntk(kernel):
    rng = np.random.default_rng(0)
    assert_right(kernel, rng.standard_normal((6, 5)), SIGMAS)
    assert_right(kernel, [rng.standard_normal((T, 2)) for T in (3, 5, 4, 5, 1, 2)], SIGMAS[::-1])


def test_blocks_of_pairs_change_nothing(monkeypatch):
    X = np.random.default_rng(0).standard_normal((7, 6))
    whole = parameter_gradient(RECURRENT["the paper's"], X, SIGMAS)
    monkeypatch.setattr("rntk_bench.kernels.gradients.parameters.BLOCK", 100)
    blocks = parameter_gradient(RECURRENT["the paper's"], X, SIGMAS)
    np.testing.assert_array_equal(blocks, whole)


def test_equal_series_have_the_limit_of_near_ones():
    x = np.random.default_rng(0).standard_normal(5)
    near = x + 1e-5 * np.arange(5)
    kernel = RNTK(1.3, sigma_b=0.2)
    equal = parameter_gradient(kernel, np.stack([x, x]), SIGMAS)[0, 1]
    close = parameter_gradient(kernel, np.stack([x, near]), SIGMAS)[0, 1]
    # A kink of V': the derivative approaches its value as the angle does.
    np.testing.assert_allclose(equal, close, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("kernel", "names"),
    [
        (NTK(1.2, 0.3, 0.9, 3), ["sigma_v", "sigma_w", "sigma_b"]),
        (NTK(1.2, 0.3, 0.9, 1), ["sigma_b"]),
        (RBF(0.3), ["alpha"]),
        (Polynomial(3, 0.4), ["r"]),
    ],
)
def test_derivatives_of_kernels_of_vectors(kernel, names):
    rng = np.random.default_rng(1)
    assert_right(kernel, rng.standard_normal((5, 6)), names)
    assert_right(kernel, [rng.standard_normal((T, 2)) for T in (3, 1, 2)], names)


@pytest.mark.parametrize(
    ("kernel", "name", "message"),
    [
        (RNTK(), "n_layers", "n_layers"),
        (RNTK(activation="tanh"), "sigma_w", "relu"),
        (Polynomial(), "degree", "only for r"),
    ],
)
def test_parameters_without_derivatives_are_refused(kernel, name, message):
    with pytest.raises(KernelError, match=message):
        parameter_gradient(kernel, np.ones((2, 3)), [name])
