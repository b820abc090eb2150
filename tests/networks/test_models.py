import numpy as np
import pytest

from rntk_bench.networks.models import RNN_CELLS, Classifier
from tests.networks.problems import leaves


def drawn(cell, n=400):
    classifier = Classifier(cell, n, 2, 3, 4)
    return classifier, classifier.initial(np.random.default_rng(0))


def spread(values, expected):
    error = 5 * expected / np.sqrt(2 * values.size)
    assert float(values.std()) == pytest.approx(expected, abs=error)
    assert abs(float(values.mean())) < 5 * expected / np.sqrt(values.size)


def test_the_gaussian_networks_weights_have_the_papers_variances():
    classifier, parameters = drawn("rnn-gaussian")
    scale = RNN_CELLS["rnn-gaussian"].scale
    for layer, inputs in zip(parameters["layers"], (3, 400), strict=True):
        spread(layer["W"] * scale("recurrent", 400), np.sqrt(2.0 / 400))
        spread(layer["U"] * scale("input", inputs), np.sqrt(1.0 / inputs))
        assert not layer["b"].any()
        assert "c" not in layer
    spread(parameters["V"] * scale("readout", 400), np.sqrt(2.0 / 400))
    assert scale("bias", 1) == 0.0
    assert classifier.size == 3 * 400**2


def test_the_identity_network_begins_as_le_jaitly_and_hinton_say():
    _, parameters = drawn("rnn-identity")
    for layer in parameters["layers"]:
        np.testing.assert_array_equal(layer["W"], np.eye(400))
        spread(layer["U"], 1e-3)
        assert not layer["b"].any()
    spread(parameters["V"], 1e-3)
    assert all(RNN_CELLS["rnn-identity"].scale(role, 9) == 1.0 for role in ("recurrent", "bias"))


def test_the_grus_parameters_are_uniform():
    _, parameters = drawn("gru")
    for leaf in leaves(parameters):
        assert leaf.dtype == np.float32
        assert np.abs(leaf).max() <= 1.0 / 20.0
    for layer, inputs in zip(parameters["layers"], (3, 400), strict=True):
        assert {name: leaf.shape for name, leaf in layer.items()} == {
            "W": (400, 1200),
            "U": (inputs, 1200),
            "b": (1200,),
            "c": (1200,),
        }
        assert float(layer["W"].std()) == pytest.approx(1 / (20 * np.sqrt(3)), rel=0.01)
