"""The multiscale RNTK by its definition: loops over summands, pairs and steps, in NumPy alone."""

import math

import numpy as np


def z_normalise(x):
    columns = []
    for column in x.T:
        deviation = np.sqrt(np.mean((column - np.mean(column)) ** 2))
        constant = np.ptp(column) == 0
        columns.append(0 * column if constant else (column - np.mean(column)) / deviation)
    return np.array(columns).T


def block_means(x, q):
    return np.array([x[k * q : k * q + q].mean(axis=0) for k in range(len(x) // q)])


def rms_1(x):
    rms = np.sqrt(np.mean(x**2))
    return x / rms if rms > 1e-13 else 0 * x


def represent(X, name, q=1, rms=1.0):
    X = [np.asarray(x, dtype=float).reshape(len(x), -1) for x in X]
    if name == "z":
        return [rms_1(block_means(z_normalise(x), q)) for x in X]
    if name == "difference":
        return [rms_1(np.diff(block_means(z_normalise(x), q), axis=0)) for x in X]
    if name == "unit":
        return [rms_1(block_means(x, q)) for x in X]
    return [block_means(x, q) / rms for x in X]


def is_z_normalised(X):
    X = [np.asarray(x, dtype=float).reshape(len(x), -1) for x in X]
    means = np.array([column.mean() for x in X for column in x.T])
    deviations = np.array([column.std() for x in X for column in x.T])
    limit = 0.02 * deviations.mean()
    return np.abs(means).max() < limit and deviations.std() < limit


def v_relu(a, b, cross):
    root = math.sqrt(a * b)
    if root == 0:
        return 0.0
    c = min(max(cross / root, -1.0), 1.0)
    return root / (2 * math.pi) * (c * (math.pi - math.acos(c)) + math.sqrt(1 - c * c))


def variances(inner, sigma_w, sigma_b):
    sigma = []
    for t in range(len(inner)):
        recurrent = sigma_w**2 * sigma[t - 1] / 2 if t else 0.0
        sigma.append(recurrent + inner[t][t] + sigma_b**2)
    return sigma


def step_units(x, y, sigma_w, sigma_b):
    """1 - arccos(c) / pi of the last pre-activations of all pairs of prefixes, by (16) for ReLU."""
    inner = [[[float(a @ b) / len(a) for b in v] for a in u] for u, v in ((x, y), (x, x), (y, y))]
    own_x, own_y = (variances(each, sigma_w, sigma_b) for each in inner[1:])
    sigma = np.empty((len(x), len(y)))
    kappa = np.empty((len(x), len(y)))
    for t in range(len(x)):
        for s in range(len(y)):
            recurrent = 0.0
            if t and s:
                recurrent = sigma_w**2 * v_relu(own_x[t - 1], own_y[s - 1], sigma[t - 1, s - 1])
            sigma[t, s] = recurrent + inner[0][t][s] + sigma_b**2
            c = sigma[t, s] / math.sqrt(own_x[t] * own_y[s])
            kappa[t, s] = 1 - math.acos(min(max(c, -1.0), 1.0)) / math.pi
    return kappa


def summands(X, Y, lag_step, bandwidths):
    """The shared readouts of step units (n_x, n_y) for some bandwidths."""
    sums = [np.zeros((len(X), len(Y))) for _ in bandwidths]
    for i, x in enumerate(X):
        for j, y in enumerate(Y):
            kappa = step_units(x, y, math.sqrt(2 * math.exp(-1 / 5)), 0.5)
            # Counted from the ends, where the series are aligned.
            for t in range(len(x)):
                for s in range(len(y)):
                    lag = abs((len(x) - t) - (len(y) - s))
                    if lag % lag_step:
                        continue
                    for K, bandwidth in zip(sums, bandwidths, strict=True):
                        w = weight(lag // lag_step, len(x), len(y), lag_step, bandwidth)
                        K[i, j] += w * kappa[t, s] / math.sqrt(len(x) * len(y))
    return sums


def weight(k, T, T_y, lag_step, bandwidth):
    if bandwidth == "all":
        return 1.0
    B, B_y = (max(1, round(bandwidth * length / lag_step)) + 1 for length in (T, T_y))
    return max(0.0, min(B, B_y, (B + B_y) / 2 - k)) / math.sqrt(B * B_y)


def multiscale(X, X_test):
    """The normalised Grams (n, n) and (n, n_test) of a training set, and with a test set."""
    lengths = [len(x) for x in X]
    names = ["z", "difference"] + ([] if is_z_normalised(X) else ["raw"])
    rms = np.sqrt(np.mean(np.concatenate([np.ravel(x) for x in X]) ** 2))
    total, total_test = 0.0, 0.0
    for name in names:
        for q in (1, 2, 4, 8, 16):
            if q > 1 and min(lengths) // q < 12:
                continue
            train, test = (represent(Z, name, q, rms) for Z in (X, X_test))
            lag_step = -(-(max(lengths) // q) // (96 if q == 1 else 144))
            for backward in (False, True):
                turned = [[x[::-1] if backward else x for x in Z] for Z in (train, test)]
                sums = (summands(turned[0], Z, lag_step, (0.5, "all")) for Z in turned)
                for K, K_test in zip(*sums, strict=True):
                    size = np.trace(K) / len(K) - K.mean()
                    if size > 1e-12 * np.trace(K) / len(K):
                        total += K / size
                        total_test += K_test / size
    size = np.trace(total) / len(total) - total.mean()
    return total / size, total_test / size
