import math

import jax
import numpy as np
import pytest

from rntk_bench.networks.accelerator.training import class_logits
from rntk_bench.networks.compiled import training as loops
from rntk_bench.networks.compiled.layout import Shape, pack, scales, unpack
from rntk_bench.networks.compiled.training import Optimizer, Weights, new_buffers
from rntk_bench.networks.models import RNN_CELLS, Classifier
from rntk_bench.networks.series import pad_series
from tests import naive_networks
from tests.networks.problems import leaves

NETWORKS = [
    Classifier(cell, width, n_layers, m, 4)
    for cell in RNN_CELLS
    for width, n_layers, m in [(5, 1, 2), (16, 2, 1), (3, 3, 3)]
]
ROWS = np.array([3, 0, 6, 1, 5, -1, -1, -1], dtype=np.int32)
NEVER = np.zeros(1, dtype=bool)


def made_up(network):
    """Seven series of different lengths with three of four classes, and parameters that matter."""
    rng = np.random.default_rng(1)
    X = [rng.standard_normal((T, network.n_dimensions)) for T in (6, 4, 1, 9, 3, 9, 2)]
    y = np.array([0, 1, 2, 0, 1, 2, 0])
    parameters = network.initial(rng)
    for array in leaves(parameters):
        array += 0.4 * rng.standard_normal(array.shape).astype(np.float32)
    return X, y, parameters


def after_a_step(network, rate=0.0, clip=math.inf):
    """The weights, and the gradient, after one mini-batch."""
    X, y, parameters = made_up(network)
    shape, factors, packed = Shape.of(network), scales(network), pack(network, parameters)
    zeros = np.zeros_like(packed)
    weights = Weights(packed, factors, factors * packed, zeros, zeros.copy())
    optimizer = Optimizer(np.float32(rate), np.float32(0.9), np.float32(1e-8), clip)
    series = pad_series(X, y, 3)
    buffers = new_buffers(shape, series.X.shape[1], len(ROWS))
    for array in buffers:  # what was there before must not matter
        array[:] = 7
    batch = ROWS[None]
    assert loops.train_epoch(shape, optimizer, weights, series, batch, buffers, NEVER)
    return weights


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_the_gradient_is_that_of_finite_differences_of_plain_loops(network):
    X, y, parameters = made_up(network)
    weights = after_a_step(network)
    gradient = leaves(unpack(network, weights.gradient * weights.scales))
    rows, rng = ROWS[ROWS >= 0], np.random.default_rng(2)

    def loss(step, directions):
        arrays = iter(
            array.astype(float) + step * direction
            for array, direction in zip(leaves(parameters), directions, strict=True)
        )
        layers = [{name: next(arrays) for name in sorted(layer)} for layer in parameters["layers"]]
        moved = {"layers": layers, "V": next(arrays), "d": next(arrays)}
        return naive_networks.loss(network, moved, [X[i] for i in rows], y[rows], 3)

    for k in range(len(gradient)):  # each parameter alone, in two directions
        for _ in range(2):
            directions = [np.zeros(array.shape) for array in gradient]
            directions[k] = rng.standard_normal(gradient[k].shape)
            slope = (loss(1e-5, directions) - loss(-1e-5, directions)) / 2e-5
            along = float((gradient[k] * directions[k]).sum())
            size = np.linalg.norm(gradient[k]) * np.linalg.norm(directions[k])
            assert along == pytest.approx(slope, abs=1e-5 * (1 + size))


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_the_gradient_is_that_of_jax(network):
    X, y, parameters = made_up(network)
    weights = after_a_step(network)
    series, rows = pad_series(X, y, 3), ROWS[ROWS >= 0]

    def loss(parameters):
        logits = class_logits(network, parameters, series, rows)
        return -jax.nn.log_softmax(logits)[np.arange(len(rows)), y[rows]].mean()

    expected = jax.jit(jax.grad(loss))(parameters)
    found = unpack(network, weights.gradient * weights.scales)
    for one, other in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_padded_weights_stay_zero(network):
    weights = after_a_step(network, rate=0.1)
    packed = pack(network, unpack(network, weights.parameters))
    np.testing.assert_array_equal(packed, weights.parameters)


@pytest.mark.parametrize("clip", [math.inf, 0.01])
def test_a_step_is_rmsprops(clip):
    network = NETWORKS[1]
    before = pack(network, made_up(network)[2])
    weights = after_a_step(network, 0.01, clip)
    gradient = (weights.scales * weights.gradient).astype(float)
    gradient *= min(1.0, clip / np.linalg.norm(gradient))
    mean_square = 0.1 * gradient**2
    expected = before - 0.01 * gradient / (np.sqrt(mean_square) + 1e-8)
    np.testing.assert_allclose(weights.mean_square, mean_square, rtol=1e-4, atol=1e-30)
    np.testing.assert_allclose(weights.parameters, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(weights.scaled, weights.scales * weights.parameters)


def test_an_overflow_and_a_stop_end_the_epoch():
    network = NETWORKS[0]
    X, y, parameters = made_up(network)
    parameters["V"][:] = 1e38
    packed, factors = pack(network, parameters), scales(network)
    zeros = np.zeros_like(packed)
    weights = Weights(packed, factors, factors * packed, zeros, zeros.copy())
    optimizer = Optimizer(np.float32(0.1), np.float32(0.9), np.float32(1e-8), math.inf)
    series, shape = pad_series(X, y, 3), Shape.of(network)
    buffers = new_buffers(shape, series.X.shape[1], len(ROWS))
    for stop in (NEVER, np.ones(1, dtype=bool)):
        assert not loops.train_epoch(shape, optimizer, weights, series, ROWS[None], buffers, stop)
        np.testing.assert_array_equal(weights.parameters, packed)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_the_size_of_the_buffers_is_known_before(network):
    shape = Shape.of(network)
    values = sum(array.size for array in new_buffers(shape, 200, 8))
    assert 0.98 * values < loops.buffer_values(shape, 200, 8) <= values
