"""Adapter of the kernels for scikit-learn's Gaussian processes."""

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

DEFAULT_BOUNDS = {"sigma_w": (0.1, 2.0), "alpha": (1e-3, 1e3), "r": (1e-3, 1e3)}
"""Default bounds of the optimisation. With a larger sigma_w the RNTK of a series of several hundred
steps overflows."""
DEFAULT_SIGMA_BOUNDS = (1e-3, 1e2)


class GaussianProcessKernel(sklearn_kernels.GenericKernelMixin, sklearn_kernels.Kernel):  # type: ignore[misc]
    """Adapter of a kernel for scikit-learn's Gaussian process regressor and classifier.

    Its free parameters are optimised with exact gradients. It can be combined with scikit-learn's
    kernels, such as `WhiteKernel`, by sums and products.

    Parameters
    ----------
    kernel : Kernel
    free : dict of str to (low, high), or sequence of str
        Parameters that are optimised, with their bounds; per-layer parameters share the bounds. The
        default bounds are 0.1 to 2 for sigma_w, 0.001 to 100 for other sigmas, and 0.001 to 1000
        for alpha and r. The initial values must be > 0. By default no parameter is optimised.

    Raises
    ------
    KernelError
        On use, if the kernel has no derivative with respect to a free parameter, or its value is 0.

    Notes
    -----
    X is an array (n, T). Series of different lengths or several dimensions must be converted by
    `as_objects`, because scikit-learn's Gaussian processes accept no other arrays. There are
    derivatives for the RNTK and NNGP with relu, leaky_relu and erf, for the NTK, RBF and
    polynomial kernels; with other activations `free` must be empty.
    """

    def __init__(self, kernel: Kernel, free: Mapping[str, Any] | Sequence[str] = ()) -> None:
        self.kernel = kernel
        self.free = free

    @property
    def hyperparameters(self) -> list[sklearn_kernels.Hyperparameter]:
        """The free parameters."""
        return [
            sklearn_kernels.Hyperparameter(name, "numeric", bounds, np.size(self._value(name)))
            for name, bounds in self._bounds().items()
        ]

    @property
    def theta(self) -> FloatArray:
        """Logarithms of the free parameters, concatenated."""
        values = [np.ravel(self._value(name)) for name in self._bounds()]
        return np.asarray(np.log(np.concatenate([*values, []])))

    @theta.setter
    def theta(self, theta: ArrayLike) -> None:
        rest = np.exp(np.asarray(theta, dtype=float)).tolist()
        changed: dict[str, Any] = {}
        for name in self._bounds():
            old = self._value(name)
            n = np.size(old)
            new, rest = rest[:n], rest[n:]
            changed[name] = tuple(new) if np.ndim(old) else new[0]
        self.kernel = replace(self.kernel, **changed)  # type: ignore[type-var]

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        """Gram matrix (n_x, n_y), optionally with its gradient (n_x, n_x, n_dims) in `theta`.

        Raises
        ------
        ValueError
            If the gradient for two sets is requested, or the kernel cannot be computed.
        """
        x = _series(X)
        gram = self.kernel(x, None if Y is None or Y is X else _series(Y))
        if not eval_gradient:
            return gram
        if Y is not None:
            raise ValueError("Gradient can only be evaluated when Y is None.")
        names = list(self._bounds())
        if not names:
            return gram, np.empty((*gram.shape, 0))
        return gram, parameter_gradient(self.kernel, x, names) * np.exp(self.theta)

    def diag(self, X: Any) -> FloatArray:
        """Diagonal of `self(X)`, shape (n,)."""
        return self.kernel.diag(_series(X))

    def is_stationary(self) -> bool:
        """Whether the kernel depends only on the difference of two series."""
        return self.kernel.name == "rbf"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.kernel!r}, free={self.free!r})"

    def _bounds(self) -> dict[str, tuple[float, float]]:
        if isinstance(self.free, Mapping):
            return dict(self.free)
        return {name: DEFAULT_BOUNDS.get(name, DEFAULT_SIGMA_BOUNDS) for name in self.free}

    def _value(self, name: str) -> Any:
        known = [field.name for field in fields(self.kernel)]  # type: ignore[arg-type]
        if name not in known:
            raise KernelError(f"{self.kernel} has no parameter {name}; it has {', '.join(known)}.")
        value = getattr(self.kernel, name)
        if isinstance(value, str) or np.any(np.asarray(value) <= 0):
            raise KernelError(
                f"{name} is {value!r}, but a free parameter must have an initial value > 0; "
                "set it, or remove it from `free`."
            )
        return value


class SeriesObject:
    """A wrapper of one series as an object, which scikit-learn does not convert."""

    def __init__(self, values: ArrayLike) -> None:
        self.values = np.asarray(values)

    def __repr__(self) -> str:
        return f"SeriesObject{self.values.shape}"


def as_objects(X: Any) -> NDArray[np.object_]:
    """Convert series of any lengths and dimensions to an array (n,) of objects.

    scikit-learn's Gaussian processes accept it as X.

    Parameters
    ----------
    X : n series, as for a kernel

    Raises
    ------
    KernelError
        If X is something else.
    """
    series = read_sequences(X)
    objects = np.empty(len(series), dtype=object)
    objects[:] = [SeriesObject(x) for x in series]
    return objects


def _series(X: Any) -> Any:
    X = np.asarray(X)
    return [x.values for x in X] if X.dtype == object else X
