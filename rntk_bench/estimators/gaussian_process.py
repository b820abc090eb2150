"""The kernels for scikit-learn's Gaussian processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.gaussian_process import kernels as sklearn_kernels

from rntk_bench.errors import KernelError
from rntk_bench.kernels import Kernel
from rntk_bench.kernels.gradients.parameters import parameter_gradient
from rntk_bench.kernels.series import read_sequences
from rntk_bench.types import FloatArray

RANGES = {"sigma_w": (0.1, 2.0), "alpha": (1e-3, 1e3), "r": (1e-3, 1e3)}
"""Where a parameter is looked for, if nothing else is said: a larger sigma_w makes the RNTK of a
series of several hundred steps overflow."""
SIGMA_RANGE = (1e-3, 1e2)


class GaussianProcessKernel(sklearn_kernels.GenericKernelMixin, sklearn_kernels.Kernel):  # type: ignore[misc]
    """A kernel of this package in scikit-learn's `GaussianProcessRegressor` and `-Classifier`.

    Its free parameters are optimised by exact derivatives. It can be added to and multiplied with
    scikit-learn's kernels, such as `WhiteKernel`.

    Parameters
    ----------
    kernel : Kernel
    free : dict of str to (low, high), or sequence of str
        Parameters that are optimised, each in its range; per-layer parameters share one. Of names
        alone the ranges are 0.1 to 2 for sigma_w, 0.001 to 100 for other sigmas, 0.001 to 1000 for
        alpha and r. The parameters' values must be > 0. Empty: all are fixed.

    Raises
    ------
    KernelError
        In use, for a free parameter that the kernel has no derivative by, or that is 0.

    Notes
    -----
    X is an array (n, T), or, for series of different lengths or several dimensions, what
    `as_objects` makes of them, since scikit-learn's Gaussian processes take no other arrays. The
    derivatives are there for the RNTK and NNGP with relu, leaky_relu and erf, for the NTK, RBF and
    polynomial kernels; with other activations let `free` be empty.
    """

    def __init__(self, kernel: Kernel, free: Mapping[str, Any] | Sequence[str] = ()) -> None:
        self.kernel = kernel
        self.free = free

    @property
    def hyperparameters(self) -> list[sklearn_kernels.Hyperparameter]:
        """The free parameters."""
        return [
            sklearn_kernels.Hyperparameter(name, "numeric", bounds, np.size(self._value(name)))
            for name, bounds in self._ranges().items()
        ]

    @property
    def theta(self) -> FloatArray:
        """Logarithms of the free parameters, one after the other."""
        values = [np.ravel(self._value(name)) for name in self._ranges()]
        return np.asarray(np.log(np.concatenate([*values, []])))

    @theta.setter
    def theta(self, theta: ArrayLike) -> None:
        rest = np.exp(np.asarray(theta, dtype=float)).tolist()
        changed: dict[str, Any] = {}
        for name in self._ranges():
            old = self._value(name)
            n = np.size(old)
            taken, rest = rest[:n], rest[n:]
            changed[name] = tuple(taken) if np.ndim(old) else taken[0]
        self.kernel = replace(self.kernel, **changed)  # type: ignore[type-var]

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        """Gram matrix (n_x, n_y), and its derivatives (n_x, n_x, n_dims) by `theta` if asked.

        Raises
        ------
        ValueError
            If derivatives are asked for two sets, or the kernel cannot be computed.
        """
        x = _series(X)
        gram = self.kernel(x, None if Y is None or Y is X else _series(Y))
        if not eval_gradient:
            return gram
        if Y is not None:
            raise ValueError("Gradient can only be evaluated when Y is None.")
        names = list(self._ranges())
        if not names:
            return gram, np.empty((*gram.shape, 0))
        return gram, parameter_gradient(self.kernel, x, names) * np.exp(self.theta)

    def diag(self, X: Any) -> FloatArray:
        """Diagonal of `self(X)`, shape (n,)."""
        return self.kernel.diag(_series(X))

    def is_stationary(self) -> bool:
        """Whether it depends on differences of series alone."""
        return self.kernel.name == "rbf"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.kernel!r}, free={self.free!r})"

    def _ranges(self) -> dict[str, tuple[float, float]]:
        if isinstance(self.free, Mapping):
            return dict(self.free)
        return {name: RANGES.get(name, SIGMA_RANGE) for name in self.free}

    def _value(self, name: str) -> Any:
        known = [field.name for field in fields(self.kernel)]  # type: ignore[arg-type]
        if name not in known:
            raise KernelError(f"{self.kernel} has no parameter {name}; it has {', '.join(known)}.")
        value = getattr(self.kernel, name)
        if isinstance(value, str) or np.any(np.asarray(value) <= 0):
            raise KernelError(
                f"{name} is {value!r}, but a free parameter must begin > 0; "
                "set it, or leave it out of `free`."
            )
        return value


class Series:
    """One series as an object, so that scikit-learn leaves it as it is."""

    def __init__(self, values: ArrayLike) -> None:
        self.values = np.asarray(values)

    def __repr__(self) -> str:
        return f"Series{self.values.shape}"


def as_objects(X: Any) -> NDArray[np.object_]:
    """Series of any lengths and dimensions as an array (n,) of objects, for Gaussian processes.

    Parameters
    ----------
    X : n series, as a kernel takes them

    Raises
    ------
    KernelError
        If X is something else.
    """
    series = read_sequences(X)
    objects = np.empty(len(series), dtype=object)
    objects[:] = [Series(x) for x in series]
    return objects


def _series(X: Any) -> Any:
    X = np.asarray(X)
    return [x.values for x in X] if X.dtype == object else X
