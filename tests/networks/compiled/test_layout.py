import numpy as np
import pytest

from rntk_bench.networks.compiled.layout import Shape, pack, scales, unpack
from rntk_bench.networks.models import RNN_CELLS, Classifier
from tests.networks.problems import leaves

NETWORKS = [
    Classifier(cell, width, n_layers, m, 4)
    for cell in RNN_CELLS
    for width, n_layers, m in [(5, 1, 1), (16, 2, 3), (18, 3, 2)]
]


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_packed_parameters_are_unpacked_and_the_rest_is_zero(network):
    rng = np.random.default_rng(0)
    parameters = network.initial(rng)
    for array in leaves(parameters):
        array[:] = rng.permutation(array.size).reshape(array.shape) + 1
    packed = pack(network, parameters)
    assert len(packed) == Shape.of(network).n_weights
    again = unpack(network, packed)
    for one, other in zip(leaves(parameters), leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)
    packed_sum = packed.sum()
    for array in leaves(again):  # a copy
        array[:] = 0
    assert packed.sum() == packed_sum
    assert (packed != 0).sum() == sum(array.size for array in leaves(parameters))


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_every_parameter_has_its_scale(network):
    scale, n = RNN_CELLS[network.cell].scale, network.width
    factors = unpack(network, scales(network))
    for k, layer in enumerate(factors["layers"]):
        inputs = n if k else network.n_dimensions
        assert (layer["W"] == np.float32(scale("recurrent", n))).all()
        assert (layer["U"] == np.float32(scale("input", inputs))).all()
        assert (layer["b"] == scale("bias", 1)).all()
    assert (factors["V"] == np.float32(scale("readout", n))).all()
    assert (factors["d"] == scale("bias", 1)).all()
