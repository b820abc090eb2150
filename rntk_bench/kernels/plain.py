"""The RNTK's recursion written down in NumPy: the baseline of `speed`, also in single precision."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from rntk_bench.errors import KernelError
from rntk_bench.kernels.rntk import RNTK
from rntk_bench.kernels.series import Sequences, read_series
from rntk_bench.types import FloatArray


def numpy_rntk(X: FloatArray, kernel: RNTK, dtype: DTypeLike = np.float64) -> FloatArray:
    """The recursion (15)-(18) and its tangent kernel, vectorised in NumPy over all pairs.

    Parameters
    ----------
    X : (n, T) univariate series
    kernel : RNTK
        One layer, relu, read forward at the last step.
    dtype : dtype of the computation

    Returns
    -------
    (n, n) Gram of this dtype
    """
    x = np.asarray(X, dtype)
    n, T = x.shape
    w, u, b = (float(kernel.per_layer(name)[0]) ** 2 for name in ("sigma_w", "sigma_u", "sigma_b"))
    h = kernel.sigma_h**2
    sigma = w * h * np.eye(n, dtype=dtype) + u * np.outer(x[:, 0], x[:, 0]) + b
    theta = sigma.copy()
    for t in range(1, T + 1):
        std = np.sqrt(np.diag(sigma))
        scale = np.outer(std, std)
        c = np.divide(sigma, scale, out=np.zeros_like(sigma), where=scale > 0.0)
        np.clip(c, -1.0, 1.0, out=c)
        angle = math.pi - np.arccos(c)
        V = scale * (c * angle + np.sqrt(1.0 - c * c)) / (2.0 * math.pi)
        slope = angle / (2.0 * math.pi)
        if t < T:
            sigma = w * V + u * np.outer(x[:, t], x[:, t]) + b
            theta = sigma + w * slope * theta
    gram: FloatArray = kernel.sigma_v**2 * (V + slope * theta)
    return gram


@dataclass(frozen=True)
class SinglePrecisionRNTK(RNTK):
    """The RNTK as `numpy_rntk` computes it in single precision, with its rounding errors.

    It serves to tell what such code can have computed, for univariate series of one length.

    Raises
    ------
    KernelError
        For a parameter outside its range, or one of which `numpy_rntk` has no other value.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("n_layers", "activation", "pooling", "direction"):
            if getattr(self, name) != getattr(RNTK, name):
                raise KernelError(
                    f"In single precision {name} is {getattr(RNTK, name)!r}, not "
                    f"{getattr(self, name)!r}."
                )

    @classmethod
    def prepare(cls, X: Sequences, Y: Sequences | None = None) -> Any:
        """The series (n_x + n_y, T), and n_x."""
        sets = [read_series(each)[:, :, 0] for each in ((X,) if Y is None else (X, Y))]
        if len({series.shape[1] for series in sets}) > 1:
            raise KernelError("In single precision all series must have one length.")
        return np.concatenate(sets), len(sets[0]), Y is None

    def gram(self, prepared: Any) -> FloatArray:
        """Theta, shape (n_x, n_y)."""
        series, n, one_set = prepared
        whole = numpy_rntk(series, self, np.float32).astype(np.float64)
        return whole if one_set else whole[:n, n:]

    @classmethod
    def grams(cls, kernels: Sequence[Self], prepared: Any) -> Iterator[FloatArray]:
        """Yield the Gram of each kernel."""
        for kernel in kernels:
            yield kernel.gram(prepared)
