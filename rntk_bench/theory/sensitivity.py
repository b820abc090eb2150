"""How much Theta(x, x') depends on every step of x: s(t) = |grad_{x_t} Theta(x, x')|_2, (23).

If s(t) is far larger at early steps than at late ones, gradients explode; if it is far smaller,
they vanish and the kernel has forgotten the start of the series. Ideally it is level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rntk_bench.datasets import Dataset, unit_norm
from rntk_bench.errors import DataError, KernelError
from rntk_bench.kernels import RNTK
from rntk_bench.kernels.base import Sequences
from rntk_bench.kernels.gradients.inputs import input_gradient
from rntk_bench.types import FloatArray, IntArray

CENTRES = {
    "relu": RNTK(math.sqrt(2.0), 1.0, 0.0, 0.0),
    "erf": RNTK(1.0, 0.01, 0.05, 0.0, activation="erf"),
}
"""S_ReLU and S_erf, the settings around which Figure 3 varies one parameter at a time."""

VARIED: dict[str, dict[str, tuple[float, ...]]] = {
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
"""Values in Figure 3. The paper does not print its own."""

LEVEL = 10.0
"""Sensitivities of the first and last third within this factor count as level."""


def sensitivity(kernel: RNTK, X: Sequences, Y: Sequences) -> FloatArray:
    """s(t) of pairs of series, (23).

    Parameters
    ----------
    kernel : RNTK
    X, Y : array of shape (P, T) or (P, T, m)
        P pairs x, x' of different series; those in Y may have another length.

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


def figure_3(seed: int, n_pairs: int = 1000, n_steps: int = 100) -> pd.DataFrame:
    """Curves of Figure 3: s(t) averaged over pairs with x_t, x'_t ~ N(0, 1).

    The curve of a single pair follows its values x'_t and is too rough to show the trend.

    Returns
    -------
    DataFrame
        Columns activation, parameter, value, centre (whether it is the value of S_ReLU or
        S_erf), step, sensitivity and normalised, the sensitivity over its largest. The same pairs
        are behind all curves.
    """
    X, Y = np.random.default_rng(seed).standard_normal((2, n_pairs, n_steps))
    curves = []
    for activation, panels in VARIED.items():
        for parameter, values in panels.items():
            for value in values:
                kernel = replace(CENTRES[activation], **{parameter: value})  # type: ignore[arg-type]
                s = sensitivity(kernel, X, Y).mean(axis=0)
                curves.append(
                    pd.DataFrame(
                        {
                            "activation": activation,
                            "parameter": parameter,
                            "value": value,
                            "centre": kernel == CENTRES[activation],
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
    """s(t) averaged over random pairs of different training series, each of unit norm.

    Returns
    -------
    DataFrame
        Columns pairs ("all", "same class" or "different classes", those that were drawn), step,
        n (how many pairs reach that step), sensitivity, and normalised, the sensitivity over the
        largest of "all". Steps are 1 .. T; where lengths differ they count back from 0, the last.

    Raises
    ------
    DataError
        If there are not two training series.
    KernelError
        As `input_gradient`, and if the kernel does not depend on the series.
    """
    x, y = _draw_pairs(dataset.n_train, n_pairs, seed)
    if not len(x):
        raise DataError(f"{dataset.name} has a single training series, so there are no pairs.")
    s = _from_the_end(dataset, kernel, x, y)
    largest = np.nanmean(s, axis=0).max()
    if largest == 0.0:
        raise KernelError(f"{kernel} does not depend on the series of {dataset.name}.")
    same = dataset.y_train[x] == dataset.y_train[y]
    groups = {"all": np.full(len(x), True), "same class": same, "different classes": ~same}
    steps = np.arange(1, s.shape[1] + 1) - (0 if dataset.equal_length else s.shape[1])
    curves = []
    for name, chosen in groups.items():
        n = np.isfinite(s[chosen]).sum(axis=0)
        mean = np.nansum(s[chosen], axis=0)[n > 0] / n[n > 0]
        columns = {"pairs": name, "step": steps[n > 0], "n": n[n > 0]}
        curves.append(pd.DataFrame({**columns, "sensitivity": mean, "normalised": mean / largest}))
    return pd.concat(curves, ignore_index=True)


@dataclass(frozen=True)
class Profile:
    """Where along a series the sensitivity lies.

    `thirds` are the shares of the first, middle and last third of the steps in the sum of s(t);
    `ratio` is the largest s(t) over the smallest.
    """

    thirds: tuple[float, float, float]
    ratio: float

    @classmethod
    def of(cls, s: FloatArray) -> Profile:
        """From s (T,), not all zero; a single step is both the first and the last third."""
        T, relative = len(s), s / s.max()
        share = relative / relative.sum()
        third = max(round(T / 3), 1)
        parts = share[:third], share[third : T - third], share[T - third :]
        first, middle, last = (float(part.sum()) for part in parts)
        with np.errstate(divide="ignore", over="ignore"):
            return cls((first, middle, last), float(1.0 / relative.min()))

    @property
    def verdict(self) -> str:
        """What early steps do: "vanish", "explode" or "level"."""
        first, _, last = self.thirds
        if first * LEVEL < last:
            return "vanish"
        return "explode" if last * LEVEL < first else "level"


def _draw_pairs(n: int, n_pairs: int, seed: int) -> tuple[IntArray, IntArray]:
    """Indices of different ordered pairs of different series, all of them if there are fewer."""
    total = n * (n - 1)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(total, size=min(n_pairs, total), replace=False) if total else np.arange(0)
    x, y = np.divmod(chosen, max(n - 1, 1))
    return x, y + (y >= x)


def _from_the_end(dataset: Dataset, kernel: RNTK, x: IntArray, y: IntArray) -> FloatArray:
    """s(t) of the pairs (P, T), their last steps aligned, nan before a series begins."""
    X, _ = unit_norm(dataset.X_train)
    s = np.full((len(x), max(len(X[i]) for i in x)), np.nan)
    lengths = np.array([(len(X[i]), len(X[j])) for i, j in zip(x, y, strict=True)])
    for group in _equal_rows(lengths):
        mine, others = (np.stack([X[i] for i in side[group]]) for side in (x, y))
        s[group, -mine.shape[1] :] = sensitivity(kernel, mine, others)
    return s


def _equal_rows(rows: IntArray) -> Iterator[IntArray]:
    """Positions of equal rows, group by group."""
    _, group = np.unique(rows, axis=0, return_inverse=True)
    for number in range(group.max() + 1):
        yield np.flatnonzero(group == number)
