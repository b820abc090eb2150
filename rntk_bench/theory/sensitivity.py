"""The sensitivity of Theta(x, x') to each step of x: s(t) = |grad_{x_t} Theta(x, x')|_2, (23).

If s(t) is far larger at early steps than at late ones, gradients explode. If it is far smaller,
gradients vanish, and the kernel hardly depends on the start of the series. Ideally s(t) is level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rntk_bench.datasets import Dataset, InputScaling
from rntk_bench.errors import DataError, KernelError
from rntk_bench.kernels import RNTK
from rntk_bench.kernels.gradients.inputs import input_gradient
from rntk_bench.kernels.series import Sequences
from rntk_bench.types import FloatArray, IntArray

REFERENCE_KERNELS = {
    "relu": RNTK(math.sqrt(2.0), 1.0, 0.0, 0.0),
    "erf": RNTK(1.0, 0.01, 0.05, 0.0, activation="erf"),
}
"""S_ReLU and S_erf, the settings around which Figure 3 varies one parameter at a time."""

FIGURE_3_VALUES: dict[str, dict[str, tuple[float, ...]]] = {
    "relu": {
        "sigma_w": (1.35, 1.39, math.sqrt(2.0), 1.43, 1.47),
        "sigma_u": (0.25, 0.5, 1.0, 2.0, 4.0),
        "sigma_b": (0.0, 0.3, 1.0, 2.0, 4.0),
        "sigma_h": (0.0, 2.0, 5.0, 10.0, 20.0),
    },
    "erf": {
        "sigma_w": (0.9, 0.95, 1.0, 1.05, 1.1),
        "sigma_u": (0.001, 0.01, 0.03, 0.05, 0.1),
        "sigma_b": (0.0, 0.03, 0.05, 0.07, 0.1),
        "sigma_h": (0.0, 0.05, 0.1, 0.2, 0.5),
    },
}
"""The values of each parameter in Figure 3. They are ours, as the paper does not print its own."""

LEVEL_FACTOR = 10.0
"""The sensitivity is level if its sums over the first and the last third differ by less."""


def step_sensitivity(kernel: RNTK, X: Sequences, Y: Sequences) -> FloatArray:
    """The sensitivity s(t) of P pairs (x, x') of different series, (23).

    Parameters
    ----------
    kernel : RNTK
    X : array of shape (P, T) or (P, T, m)
        The series x.
    Y : array of shape (P, T') or (P, T', m)
        The series x', which may have another length.

    Returns
    -------
    ndarray of shape (P, T)

    Raises
    ------
    KernelError
        As `input_gradient`.
    """
    gradient = input_gradient(kernel, X, Y)
    return np.abs(gradient) if gradient.ndim == 2 else np.linalg.norm(gradient, axis=2)


def figure_3_curves(seed: int, n_pairs: int = 1000, n_steps: int = 100) -> pd.DataFrame:
    """Compute the curves of Figure 3: s(t) averaged over pairs with x_t, x'_t ~ N(0, 1).

    The curve of a single pair follows its values x'_t and is too rough to show the trend.

    Returns
    -------
    DataFrame
        Columns activation, parameter, value, centre (whether it is the value of S_ReLU or
        S_erf), step, sensitivity and normalised (the sensitivity divided by its maximum). All
        curves are computed from the same pairs.
    """
    X, Y = np.random.default_rng(seed).standard_normal((2, n_pairs, n_steps))
    curves = []
    for activation, parameters in FIGURE_3_VALUES.items():
        for parameter, values in parameters.items():
            for value in values:
                kernel = replace(REFERENCE_KERNELS[activation], **{parameter: value})  # type: ignore[arg-type]
                s = step_sensitivity(kernel, X, Y).mean(axis=0)
                curves.append(
                    pd.DataFrame(
                        {
                            "activation": activation,
                            "parameter": parameter,
                            "value": value,
                            "centre": kernel == REFERENCE_KERNELS[activation],
                            "step": np.arange(1, n_steps + 1),
                            "sensitivity": s,
                            "normalised": s / s.max(),
                        }
                    )
                )
    return pd.concat(curves, ignore_index=True)


def dataset_sensitivity(
    dataset: Dataset, kernel: RNTK, n_pairs: int = 100, seed: int = 0
) -> pd.DataFrame:
    """Average s(t) over random pairs of different training series, each of unit norm.

    Returns
    -------
    DataFrame
        Columns pairs ("all", "same class" or "different classes"; groups without pairs are left
        out), step, n (the number of pairs that have this step), sensitivity, and normalised (the
        sensitivity divided by the maximum of "all"). Steps are 1, .., T if the series have equal
        lengths; otherwise they count from the end, and the last step is 0.

    Raises
    ------
    DataError
        If there are fewer than two training series.
    KernelError
        As `input_gradient`, and if the kernel does not depend on the series.
    """
    x, y = _draw_pairs(dataset.n_train, n_pairs, seed)
    if not len(x):
        raise DataError(
            f"{dataset.name} has a single training series, so there are no pairs; choose another "
            "dataset."
        )
    s = _aligned_sensitivities(dataset, kernel, x, y)
    maximum = np.nanmean(s, axis=0).max()
    if maximum == 0.0:
        raise KernelError(
            f"{kernel} does not depend on the series of {dataset.name}; choose other parameters."
        )
    same = dataset.y_train[x] == dataset.y_train[y]
    groups = {"all": np.full(len(x), True), "same class": same, "different classes": ~same}
    steps = np.arange(1, s.shape[1] + 1) - (0 if dataset.equal_length else s.shape[1])
    curves = []
    for name, in_group in groups.items():
        n = np.isfinite(s[in_group]).sum(axis=0)
        mean = np.nansum(s[in_group], axis=0)[n > 0] / n[n > 0]
        columns = {"pairs": name, "step": steps[n > 0], "n": n[n > 0]}
        curves.append(pd.DataFrame({**columns, "sensitivity": mean, "normalised": mean / maximum}))
    return pd.concat(curves, ignore_index=True)


@dataclass(frozen=True)
class SensitivityProfile:
    """How the sensitivity is distributed over the steps of a series.

    Attributes
    ----------
    thirds : tuple of three floats
        The fractions of the sum of s(t) in the first, the middle and the last third of the steps.
    ratio : float
        The largest s(t) divided by the smallest.
    """

    thirds: tuple[float, float, float]
    ratio: float

    @classmethod
    def from_sensitivity(cls, s: FloatArray) -> SensitivityProfile:
        """Summarise s (T,), not all zero.

        A single step is both the first and the last third.
        """
        T, relative = len(s), s / s.max()
        fractions = relative / relative.sum()
        third = max(round(T / 3), 1)
        first = float(fractions[:third].sum())
        middle = float(fractions[third : T - third].sum())
        last = float(fractions[T - third :].sum())
        with np.errstate(divide="ignore", over="ignore"):
            return cls((first, middle, last), float(1.0 / relative.min()))

    @property
    def early_steps(self) -> str:
        """How the gradients of the early steps behave: "vanish", "explode" or "level"."""
        first, _, last = self.thirds
        if first * LEVEL_FACTOR < last:
            return "vanish"
        return "explode" if last * LEVEL_FACTOR < first else "level"


def _draw_pairs(n: int, n_pairs: int, seed: int) -> tuple[IntArray, IntArray]:
    """Draw ordered pairs of different series of n, without replacement; all, if there are fewer."""
    n_all_pairs = n * (n - 1)
    rng = np.random.default_rng(seed)
    if n_all_pairs:
        pairs = rng.choice(n_all_pairs, size=min(n_pairs, n_all_pairs), replace=False)
    else:
        pairs = np.arange(0)
    x, y = np.divmod(pairs, max(n - 1, 1))
    return x, y + (y >= x)


def _aligned_sensitivities(dataset: Dataset, kernel: RNTK, x: IntArray, y: IntArray) -> FloatArray:
    """s(t) of the pairs, (P, T), aligned at their last steps and NaN before a series starts."""
    X = InputScaling("unit-norm")(dataset.X_train)
    s = np.full((len(x), max(len(X[i]) for i in x)), np.nan)
    lengths = np.array([(len(X[i]), len(X[j])) for i, j in zip(x, y, strict=True)])
    # Pairs of equal lengths are computed together.
    _, group = np.unique(lengths, axis=0, return_inverse=True)
    for number in range(group.max() + 1):
        pairs = np.flatnonzero(group == number)
        X_group, Y_group = (np.stack([X[i] for i in indices[pairs]]) for indices in (x, y))
        s[pairs, -X_group.shape[1] :] = step_sensitivity(kernel, X_group, Y_group)
    return s
