import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rntk_bench.networks.models import RNN_CELLS, Classifier
from rntk_bench.networks.series import pad_series
from tests import naive_networks

CLASSIFIERS = [Classifier(cell, 3, n_layers, 2, 2) for cell in RNN_CELLS for n_layers in (1, 2)]
LENGTHS = (6, 4, 1)


def float64(tree):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), tree)


def random_parameters(classifier, seed=0):
    """Every parameter away from zero, so that each matters."""
    rng = np.random.default_rng(seed)
    initial = classifier.initial(rng)
    return jax.tree.map(lambda leaf: leaf + 0.5 * rng.standard_normal(leaf.shape), initial)


def random_series(seed=1):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((T, 2)) for T in LENGTHS]


def filled(series, steps):
    """(n, steps, m), each series at the end, with nonsense before it."""
    X = np.full((len(series), steps, series[0].shape[1]), 7.0)
    for row, x in zip(X, series, strict=True):
        row[steps - len(x) :] = x
    return X


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
def test_logits_are_those_of_plain_loops(classifier):
    series, parameters = random_series(), random_parameters(classifier)
    with jax.enable_x64(True):
        found = classifier.logits(
            float64(parameters), jnp.asarray(filled(series, 8)), jnp.array(LENGTHS)
        )
    expected = [naive_networks.logits(classifier, parameters, x) for x in series]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
def test_gradients_are_those_of_finite_differences(classifier):
    with jax.enable_x64(True):
        parameters = float64(random_parameters(classifier))
        X, lengths = jnp.asarray(filled(random_series(), 6)), jnp.array(LENGTHS)

        @jax.jit
        def loss(parameters):
            return (classifier.logits(parameters, X, lengths) ** 2).sum()

        rng = np.random.default_rng(2)
        slope = jax.grad(loss)(parameters)
        for _ in range(5):
            direction = jax.tree.map(lambda leaf: rng.standard_normal(leaf.shape), parameters)
            moved = [
                loss(jax.tree.map(lambda p, d, s=step: p + s * d, parameters, direction))
                for step in (1e-6, -1e-6)
            ]
            along = jax.tree.map(lambda g, d: (g * d).sum(), slope, direction)
            expected = (moved[0] - moved[1]) / 2e-6
            assert float(sum(jax.tree.leaves(along))) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
def test_padding_changes_neither_outputs_nor_gradients(classifier):
    series = random_series()
    with jax.enable_x64(True):
        parameters = float64(random_parameters(classifier))

        def loss(parameters, X, lengths):
            logits = classifier.logits(parameters, X, lengths)
            return (logits**2).sum(), logits

        gradient = jax.jit(jax.grad(loss, has_aux=True))
        slope, logits = gradient(parameters, jnp.asarray(filled(series, 9)), jnp.array(LENGTHS))
        alone = jax.tree.map(
            np.asarray,
            [gradient(parameters, jnp.asarray(x)[None], jnp.array([len(x)])) for x in series],
        )
    np.testing.assert_allclose(logits, np.concatenate([out for _, out in alone]), rtol=1e-12)
    summed = jax.tree.map(lambda *leaves: sum(leaves), *(found for found, _ in alone))
    jax.tree.map(
        lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12),
        slope,
        summed,
    )


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
    for leaf in jax.tree.leaves(parameters):
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


def test_packing_and_masking_go_together():
    classifier = CLASSIFIERS[0]
    series, parameters = random_series(), random_parameters(classifier)
    packed = pad_series(series, np.array([0, 1, 0]), 2)
    found = classifier.logits(
        jax.tree.map(jnp.float32, parameters), jnp.asarray(packed.X), jnp.asarray(packed.lengths)
    )
    expected = [naive_networks.logits(classifier, parameters, x) for x in series]
    np.testing.assert_allclose(found[:3], expected, rtol=1e-4, atol=1e-5)
