"""Slow, obvious oracles of the finite classifiers: one series, one layer, one step at a time."""

import numpy as np

from rntk_bench.networks.models import CELLS


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def logits(classifier, parameters, x):
    """Logits (C,) of one series x (T, m), from its true first step."""
    n, scale = classifier.width, CELLS[classifier.cell].scale
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


def stopped_epochs(curve, n_held_out, patience):
    """How many epochs of a validation curve are trained, and the first best one."""
    for epoch in range(1, len(curve) + 1):
        seen = curve[:epoch]
        best = seen.index(max(seen)) + 1
        if max(seen) == n_held_out or epoch - best == patience:
            break
    return epoch, best
