import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rntk_bench.networks.accelerator.model import logits
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
        found = logits(
            classifier, float64(parameters), jnp.asarray(filled(series, 8)), jnp.array(LENGTHS)
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
            return (logits(classifier, parameters, X, lengths) ** 2).sum()

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
            outputs = logits(classifier, parameters, X, lengths)
            return (outputs**2).sum(), outputs

        gradient = jax.jit(jax.grad(loss, has_aux=True))
        slope, outputs = gradient(parameters, jnp.asarray(filled(series, 9)), jnp.array(LENGTHS))
        alone = jax.tree.map(
            np.asarray,
            [gradient(parameters, jnp.asarray(x)[None], jnp.array([len(x)])) for x in series],
        )
    np.testing.assert_allclose(outputs, np.concatenate([out for _, out in alone]), rtol=1e-12)
    summed = jax.tree.map(lambda *leaves: sum(leaves), *(found for found, _ in alone))
    jax.tree.map(
        lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12),
        slope,
        summed,
    )


def test_packing_and_masking_go_together():
    classifier = CLASSIFIERS[0]
    series, parameters = random_series(), random_parameters(classifier)
    packed = pad_series(series, np.array([0, 1, 0]), 2)
    found = logits(
        classifier,
        jax.tree.map(jnp.float32, parameters),
        jnp.asarray(packed.X),
        jnp.asarray(packed.lengths),
    )
    expected = [naive_networks.logits(classifier, parameters, x) for x in series]
    np.testing.assert_allclose(found[:3], expected, rtol=1e-4, atol=1e-5)
