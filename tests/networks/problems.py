"""A training of three folds and its course by plain loops, for the tests of both trainers."""

import jax
import jax.numpy as jnp
import numpy as np

from rntk_bench.networks.accelerator.training import class_logits
from rntk_bench.networks.cross_validation import Training, TrainingOptions
from rntk_bench.networks.models import Classifier
from rntk_bench.networks.series import pad_series

CRITERIA = ("accuracy", "strict-accuracy", "loss")
OPTIONS = TrainingOptions(0.9, 1e-8, 3)
NETWORK = Classifier("rnn-gaussian", 8, 1, 1, 2)


def problem(n=23, seed=0, options=OPTIONS, max_epochs=12, m=1, n_classes=2):
    """Lines that rise by class, of different lengths, in noise; three folds, batches up to 8."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    X = [
        rng.standard_normal((T, m)) + (2 * c - 1) * np.linspace(-1, 1, T)[:, None]
        for c, T in zip(y, rng.integers(4, 8, n), strict=True)
    ]
    return Training(pad_series(X, y, n_classes), np.arange(n) % 3, options, 8, max_epochs, 0)


def leaves(parameters):
    """All arrays of a network's parameters."""
    layers = [layer[name] for layer in parameters["layers"] for name in sorted(layer)]
    return [*layers, parameters["V"], parameters["d"]]


def by_loops(training, network, run, fold):
    """RMSProp on the mean cross-entropy of each mini-batch, written out; right predictions, loss
    and parameters after each epoch."""
    options, rate = training.options, run.rate
    parameters = jax.tree.map(jnp.asarray, training.initial(network, fold))
    square = jax.tree.map(jnp.zeros_like, parameters)
    held_out = np.flatnonzero(training.fold == fold)

    @jax.jit
    def logits_of(parameters, rows):
        return class_logits(network, parameters, training.series, rows)

    @jax.jit
    def loss_of(parameters, rows):
        logits = logits_of(parameters, rows)
        right = logits[np.arange(len(rows)), jnp.asarray(training.series.y)[rows]]
        return (jax.nn.logsumexp(logits, axis=1) - right).mean()

    gradient_of = jax.jit(jax.grad(loss_of))
    epochs = []
    for epoch in np.asarray(run.batches):
        for batch in epoch:
            rows = batch[batch >= 0]
            if not len(rows):
                continue
            gradient = gradient_of(parameters, rows)
            if options.clip is not None:
                norm = np.sqrt(sum(float((g**2).sum()) for g in jax.tree.leaves(gradient)))
                shorter = min(1.0, options.clip / norm)
                gradient = jax.tree.map(lambda g, s=shorter: g * s, gradient)
            square = jax.tree.map(
                lambda s, g: options.decay * s + (1 - options.decay) * g**2, square, gradient
            )
            parameters = jax.tree.map(
                lambda p, g, s: p - rate * g / (jnp.sqrt(s) + options.epsilon),
                parameters,
                gradient,
                square,
            )
        right = logits_of(parameters, held_out).argmax(axis=1) == training.series.y[held_out]
        epochs.append((int(right.sum()), float(loss_of(parameters, held_out)), parameters))
    return tuple(map(list, zip(*epochs, strict=True)))


def assert_close(one, other):
    for a, b in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_allclose(a, np.asarray(b), rtol=1e-3, atol=1e-3)
