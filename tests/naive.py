"""Slow reference implementations: the paper's definitions as loops over pairs and steps.

The RNTK follows (13) with the backward recursion (19)-(21) of Pi, not the forward-only form that
the package computes. Arithmetic is mpmath's with 40 digits, because 1 - c loses digits in float64
for near-identical series.
"""

from collections.abc import Callable, Sequence

import mpmath
import numpy as np
from mpmath import mpf

mpmath.mp.dps = 40


def v_relu(K1, K2, K3):
    """E[relu(z1) relu(z2)] for variances K1, K2 and covariance K3, (159)."""
    if K1 == 0 or K2 == 0:
        return mpf(0)
    root = mpmath.sqrt(K1 * K2)
    c = min(max(K3 / root, mpf(-1)), mpf(1))
    return root / (2 * mpmath.pi) * (c * (mpmath.pi - mpmath.acos(c)) + mpmath.sqrt(1 - c * c))


def v_slope(K1, K2, K3):
    """E[relu'(z1) relu'(z2)], (160) with the factor 1/(2 pi)."""
    if K1 == 0 or K2 == 0:
        return mpf(0)
    c = min(max(K3 / mpmath.sqrt(K1 * K2), mpf(-1)), mpf(1))
    return (mpmath.pi - mpmath.acos(c)) / (2 * mpmath.pi)


def v_erf(K1, K2, K3):
    """E[erf(z1) erf(z2)], (161) with the variances of both."""
    return 2 / mpmath.pi * mpmath.asin(2 * K3 / mpmath.sqrt((1 + 2 * K1) * (1 + 2 * K2)))


def erf_slope(K1, K2, K3):
    """E[erf'(z1) erf'(z2)], (162)."""
    return 4 / (mpmath.pi * mpmath.sqrt((1 + 2 * K1) * (1 + 2 * K2) - 4 * K3 * K3))


def leaky(slope):
    """The operators of max(z, slope z) = slope z + (1 - slope) relu(z), by linearity."""
    a = mpf(slope)

    def value(K1, K2, K3):
        # E[z1 relu(z2)] = K3 / 2 by Stein's lemma.
        return a * a * K3 + 2 * a * (1 - a) * K3 / 2 + (1 - a) ** 2 * v_relu(K1, K2, K3)

    def derivative(K1, K2, K3):
        return a * a + 2 * a * (1 - a) / 2 + (1 - a) ** 2 * v_slope(K1, K2, K3)

    return value, derivative


def by_quadrature(phi, derivative, degree=120):
    """The operators of any phi by Gauss-Hermite quadrature over the plane."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(degree)
    weights = np.outer(weights, weights) / (2 * np.pi)

    def expectation(function):
        def value(K1, K2, K3):
            K1, K2, K3 = float(K1), float(K2), float(K3)
            c = K3 / np.sqrt(K1 * K2) if K1 * K2 > 0 else 0.0
            mixed = c * nodes[:, None] + np.sqrt(max(1 - c * c, 0.0)) * nodes
            left = function(np.sqrt(K1) * nodes)[:, None]
            return mpf(float((weights * left * function(np.sqrt(K2) * mixed)).sum()))

        return value

    return expectation(phi), expectation(derivative)


def lag_weight(lag, T, T_y, bandwidth, lag_step):
    """Weight of two steps `lag` apart, of series of T and T_y steps, with a shared readout."""
    if lag % lag_step:
        return mpf(0)
    if bandwidth == "all":
        return mpf(1)
    k = mpf(abs(lag) // lag_step)
    B, B_y = (
        1 + mpf(0 if bandwidth == 0 else max(1, round(bandwidth * steps / lag_step)))
        for steps in (T, T_y)
    )
    return max(mpf(0), min(B, B_y, (B + B_y) / 2 - k)) / mpmath.sqrt(B * B_y)


RELU = v_relu, v_slope
ERF = v_erf, erf_slope


def rntk(
    x,
    y,
    same,
    sigma_w,
    sigma_u=1.0,
    sigma_b=0.0,
    sigma_h=0.0,
    sigma_v=1.0,
    n_layers=1,
    operators=RELU,
    pooling="last",
    direction="forward",
    tangent=True,
    bandwidth=0.5,
    lag_step=1,
    readout="state",
):
    """Theta(x, y), or K(x, y) without `tangent`, by (141) with the backward recursion of Pi.

    x and y are (T,) or (T, m); the sigmas are numbers or one per layer. With `readout="step"` it is
    sigma_v^2 (1 - arccos(c) / pi) of the last pre-activations.
    """
    options = {
        "sigma_w": sigma_w,
        "sigma_u": sigma_u,
        "sigma_b": sigma_b,
        "sigma_h": sigma_h,
        "sigma_v": sigma_v,
        "n_layers": n_layers,
        "operators": operators,
        "tangent": tangent,
        "readout": readout,
    }
    pooled = {"pooling": pooling, "bandwidth": bandwidth, "lag_step": lag_step, **options}
    if direction == "both":
        forward = rntk(x, y, same, **pooled)
        return forward + rntk(x, y, same, direction="backward", **pooled)
    if direction == "backward":
        return rntk(x[::-1], y[::-1], same, **pooled)
    if pooling == "shared":
        total = mpf(0)
        for before_end in range(len(x)):
            for before_end_y in range(len(y)):
                lag = before_end - before_end_y
                if weight := lag_weight(lag, len(x), len(y), bandwidth, lag_step):
                    prefixes = x[: len(x) - before_end], y[: len(y) - before_end_y]
                    total += weight * rntk(*prefixes, same and lag == 0, **options)
        return total / mpmath.sqrt(len(x) * len(y))
    if pooling == "average":
        shorter = min(len(x), len(y))
        prefixes = [rntk(x[: len(x) - k], y[: len(y) - k], same, **options) for k in range(shorter)]
        return sum(prefixes) / mpmath.sqrt(len(x) * len(y))
    x, y = (np.asarray(a, dtype=float).reshape(len(a), -1) for a in (x, y))
    w, u, b = (
        [mpf(float(s)) ** 2 for s in np.broadcast_to(sigma, n_layers)]
        for sigma in (sigma_w, sigma_u, sigma_b)
    )
    h, v = mpf(float(sigma_h)) ** 2, mpf(float(sigma_v)) ** 2
    V, slope = operators

    def forward(inner, first, variances):
        """Sigma[l][t] for inner products `inner` of the inputs; variances of both at l, t."""
        sigma = [[None] * len(inner) for _ in range(n_layers)]
        for t in range(len(inner)):
            for layer in range(n_layers):
                past = first
                if t > 0:
                    past = V(*variances(sigma, layer, t - 1), sigma[layer][t - 1])
                below = inner[t]
                if layer > 0:
                    below = V(*variances(sigma, layer - 1, t), sigma[layer - 1][t])
                sigma[layer][t] = w[layer] * past + u[layer] * below + b[layer]
        return sigma

    def product(a, c):
        return sum(mpf(float(p)) * mpf(float(q)) for p, q in zip(a, c, strict=True)) / len(a)

    def alone(a):
        inner = [product(step, step) for step in a]
        return forward(inner, h, lambda sigma, layer, t: (sigma[layer][t], sigma[layer][t]))

    own_x, own_y = alone(x), alone(y)
    T = min(len(x), len(y))
    ahead_x, ahead_y = len(x) - T, len(y) - T

    def both(layer, t):
        return own_x[layer][ahead_x + t], own_y[layer][ahead_y + t]

    sigma = forward(
        [product(a, c) for a, c in zip(x[ahead_x:], y[ahead_y:], strict=True)],
        h if same else mpf(0),
        lambda _, layer, t: both(layer, t),
    )
    last = *both(n_layers - 1, T - 1), sigma[-1][-1]
    if readout == "step":
        return v * 2 * v_slope(*last)
    K = v * V(*last)
    if not tangent:
        return K
    total = K
    pi = [[mpf(0)] * T for _ in range(n_layers)]
    for layer in reversed(range(n_layers)):
        for t in reversed(range(T)):
            back = v if (layer, t) == (n_layers - 1, T - 1) else mpf(0)
            if t + 1 < T:
                back += w[layer] * pi[layer][t + 1]
            if layer + 1 < n_layers:
                back += u[layer + 1] * pi[layer + 1][t]
            pi[layer][t] = slope(*both(layer, t), sigma[layer][t]) * back
            total += pi[layer][t] * sigma[layer][t]
    return total


def ntk(x, y, same, sigma_w, sigma_b=0.0, sigma_v=1.0, n_layers=1):
    """The MLP's kernel by (30)-(35), the top factor with sigma_v^2."""
    del same
    x, y = [mpf(float(v)) for v in x], [mpf(float(v)) for v in y]
    w, b, readout = (mpf(float(s)) ** 2 for s in (sigma_w, sigma_b, sigma_v))

    def first(a, c):
        return w / len(a) * sum(p * q for p, q in zip(a, c, strict=True)) + b

    A, C, S = [first(x, x)], [first(y, y)], [first(x, y)]
    for _ in range(1, n_layers):
        S.append(w * v_relu(A[-1], C[-1], S[-1]) + b)
        A.append(w * A[-1] / 2 + b)
        C.append(w * C[-1] / 2 + b)
    slopes = [w * v_slope(*pair) for pair in zip(A[:-1], C[:-1], S[:-1], strict=True)]
    slopes.append(readout * v_slope(A[-1], C[-1], S[-1]))
    total = readout * v_relu(A[-1], C[-1], S[-1])
    for layer in range(n_layers):
        term = S[layer]
        for above in slopes[layer:]:
            term *= above
        total += term
    return total


def rbf(x, y, same, alpha):
    """(39)."""
    del same
    return np.exp(-alpha * sum((a - b) ** 2 for a, b in zip(x, y, strict=True)))


def polynomial(x, y, same, degree, r):
    """(41)."""
    del same
    return (r + sum(a * b for a, b in zip(x, y, strict=True))) ** degree


def gram(
    kernel: Callable, X: Sequence, Y: Sequence | None = None, **parameters: object
) -> np.ndarray:
    """The kernel of every pair; without Y a series meets itself on the diagonal."""
    return np.array(
        [
            [
                float(kernel(x, y, Y is None and i == j, **parameters))
                for j, y in enumerate(X if Y is None else Y)
            ]
            for i, x in enumerate(X)
        ]
    )
