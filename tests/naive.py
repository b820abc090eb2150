"""Slow, obvious oracles: the paper's definitions in loops over pairs and steps.

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


def rntk(x, y, same, sigma_w, sigma_u=1.0, sigma_b=0.0, sigma_h=0.0, sigma_v=1.0):
    """Theta(x, y) by (13), (15)-(21) for one layer, one dimension and one length."""
    x, y = [mpf(float(v)) for v in x], [mpf(float(v)) for v in y]
    w, u, b, h, readout = (
        mpf(float(s)) ** 2 for s in (sigma_w, sigma_u, sigma_b, sigma_h, sigma_v)
    )
    T = len(x)

    def forward(a, c, same):
        sigma = [w * h * same + u * a[0] * c[0] + b]
        variances = [(w * h + u * a[0] ** 2 + b, w * h + u * c[0] ** 2 + b)]
        for t in range(1, T):
            (A, C), S = variances[-1], sigma[-1]
            variances.append((w * A / 2 + u * a[t] ** 2 + b, w * C / 2 + u * c[t] ** 2 + b))
            sigma.append(w * v_relu(A, C, S) + u * a[t] * c[t] + b)
        return sigma, variances

    sigma, variances = forward(x, y, 1 if same else 0)
    pi = [mpf(0)] * T
    pi[T - 1] = readout * v_slope(*variances[T - 1], sigma[T - 1])
    for t in range(T - 2, -1, -1):
        pi[t] = w * v_slope(*variances[t], sigma[t]) * pi[t + 1]
    K = readout * v_relu(*variances[T - 1], sigma[T - 1])
    return sum(p * s for p, s in zip(pi, sigma, strict=True)) + K


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
    kernel: Callable, X: Sequence, Y: Sequence | None = None, **parameters: float
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
