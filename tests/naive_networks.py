"""Slow, obvious oracles of the finite classifiers: one series, one layer, one step at a time."""

import numpy as np

from rntk_bench.networks.models import RNN_CELLS


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def logits(classifier, parameters, x):
    """Logits (C,) of one series x (T, m), from its true first step."""
    n, scale = classifier.width, RNN_CELLS[classifier.cell].scale
    below = list(np.asarray(x, dtype=float))
    for layer in parameters["layers"]:
        W, U, b = (np.asarray(layer[name], dtype=float) for name in ("W", "U", "b"))
        c = np.asarray(layer.get("c", 0.0 * b), dtype=float)
        W, U = W * scale("recurrent", n), U * scale("input", len(U))
        b, c = b * scale("bias", 1), c * scale("bias", 1)
        h, states = np.zeros(n), []
        for entering in below:
            recurrent, fresh = h @ W + c, entering @ U + b
            if classifier.cell == "gru":
                reset = sigmoid(recurrent[:n] + fresh[:n])
                update = sigmoid(recurrent[n : 2 * n] + fresh[n : 2 * n])
                candidate = np.tanh(fresh[2 * n :] + reset * recurrent[2 * n :])
                h = (1.0 - update) * candidate + update * h
            else:
                h = np.maximum(recurrent + fresh, 0.0)
            states.append(h)
        below = states
    V, d = (np.asarray(parameters[name], dtype=float) for name in ("V", "d"))
    return below[-1] @ V * scale("readout", n) + d * scale("bias", 1)


def loss(classifier, parameters, series, labels, n_classes):
    """The mean cross-entropy of series, over the first classes."""
    total = 0.0
    for x, label in zip(series, labels, strict=True):
        z = logits(classifier, parameters, x)[:n_classes]
        total += np.log(np.exp(z - z.max()).sum()) + z.max() - z[label]
    return total / len(labels)


def stopped_epochs(n_correct, losses, n_held_out, patience, criterion):
    """How many epochs of a run are trained, and its best one, by looking back from each epoch."""

    def best_of(n):
        epochs = range(1, n + 1)
        if criterion == "loss":
            return min(epochs, key=lambda e: (losses[e - 1], e))
        if criterion == "strict-accuracy":
            return min(epochs, key=lambda e: (-n_correct[e - 1], e))
        return min(epochs, key=lambda e: (-n_correct[e - 1], losses[e - 1], e))

    def is_setback(n):
        if n == 1:
            return False
        if criterion == "accuracy":
            return n_correct[n - 1] < max(n_correct[: n - 1])
        return best_of(n) != n

    for epoch in range(1, len(n_correct) + 1):
        last = range(epoch, max(epoch - patience, 0), -1)
        if len(last) == patience and all(map(is_setback, last)):
            break
        if criterion == "strict-accuracy" and max(n_correct[:epoch]) == n_held_out:
            break
    return epoch, best_of(epoch)
