"""Base classes of the estimators: validation of parameters, grid search, Gram with new series."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar, cast

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from rntk_bench.benchmark.parallel import Batch, evaluate_grid, positions
from rntk_bench.datasets import unit_norm
from rntk_bench.errors import ConfigError, KernelError, short_repr
from rntk_bench.estimators.series import validate_series
from rntk_bench.kernels import Kernel
from rntk_bench.kernels.parameters import as_integer, as_number
from rntk_bench.methods import KERNEL_METHODS, KernelMethod, with_grid
from rntk_bench.types import FloatArray


class SeriesEstimator(BaseEstimator):  # type: ignore[misc]
    """Base class of estimators that are fitted to series."""

    n_folds: int
    n_jobs: int | None
    random_state: Any
    kernel_: Kernel
    X_fit_: Any

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _n_threads(self) -> int:
        """The number of threads that `n_jobs` stands for."""
        if self.n_jobs is not None and not as_integer(self.n_jobs):
            raise ConfigError(
                f"n_jobs is {short_repr(self.n_jobs)}, but must be None or an integer other than 0."
            )
        return int(effective_n_jobs(as_integer(self.n_jobs)))

    def _checked_n_folds(self) -> int:
        n_folds = as_integer(self.n_folds)
        if n_folds is None or n_folds < 2:
            raise ConfigError(
                f"n_folds is {short_repr(self.n_folds)}, but must be an integer >= 2."
            )
        return n_folds

    def _number_sequence(self, name: str) -> tuple[float, ...] | None:
        """The value of a parameter as a tuple of finite numbers; None if it is something else."""
        numbers = [as_number(each) for each in _as_list(getattr(self, name))]
        finite = [number for number in numbers if number is not None and np.isfinite(number)]
        return tuple(finite) if finite and len(finite) == len(numbers) else None

    def _seed(self) -> int:
        """Return `random_state` itself if it is an integer, for the same folds as the benchmark."""
        if isinstance(self.random_state, Integral):
            if self.random_state < 0:
                raise ConfigError(f"random_state is {self.random_state}, but must be >= 0.")
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))

    def _gram_with_training_series(self, X: Any) -> FloatArray:
        """The kernel (n_fit, n) between the training series and X."""
        raise NotImplementedError


class KernelEstimator(SeriesEstimator):
    """Base class of estimators that choose a kernel from a grid."""

    kernel_class: ClassVar[type[Kernel]] = Kernel  # type: ignore[type-abstract]
    """The base class of the kernels that `method` may have."""

    method: str | KernelMethod
    grid: Mapping[str, Any] | None
    unit_norm: bool
    verbose: bool

    def _resolve_method(self) -> KernelMethod:
        """Return the method with its grid.

        Raises
        ------
        ConfigError
            If there is no method of this name with a kernel of `kernel_class`, the grid does not
            match the method, or another parameter is invalid.
        """
        method = self.method
        if not isinstance(method, KernelMethod):
            known = [
                name
                for name, m in KERNEL_METHODS.items()
                if issubclass(m.kernel, self.kernel_class)
            ]
            if not isinstance(method, str) or method not in known:
                raise ConfigError(
                    f"{type(self).__name__}: method is {short_repr(method)}, but must be one of "
                    f"{', '.join(known)}, or a KernelMethod."
                )
            method = KERNEL_METHODS[method]
        self._check_parameters()
        axes = (self.grid or {}).items()
        grid = {name: _check_axis(method.name, name, axis) for name, axis in axes}
        return cast(KernelMethod, with_grid(method, grid))

    def _check_parameters(self) -> None:
        """Check the types of the parameters that all estimators have."""
        for name in ("unit_norm", "prune"):
            value = getattr(self, name, False)
            if not isinstance(value, bool | np.bool_) and as_integer(value) not in (0, 1):
                raise ConfigError(f"{name} is {short_repr(value)}, but must be True or False.")
        self._n_threads()
        if not isinstance(self.grid, Mapping | None):
            raise ConfigError(
                f"grid is {short_repr(self.grid)}, but must be a dict with a list per parameter."
            )

    def _normalize(self, series: Any) -> Any:
        return unit_norm(series)[0] if self.unit_norm else series

    def _evaluate_grams(
        self, kernels: Sequence[Kernel], X: Any, evaluate: Callable[[int, FloatArray], None]
    ) -> None:
        """Call `evaluate` with the position and the Gram (n, n) on X of each kernel."""
        kernel_class = type(kernels[0])
        (train,) = kernel_class.pad_to_common_length(X)
        prepared = kernel_class.prepare(train)

        def grams(batches: Sequence[Batch]) -> Iterator[tuple[int, FloatArray]]:
            wanted = positions(batches)
            return zip(
                wanted, kernel_class.grams([kernels[i] for i in wanted], prepared), strict=True
            )

        with tqdm(total=len(kernels), unit="kernel", leave=False, disable=not self.verbose) as bar:

            def progress(done: int) -> None:
                bar.update(done - bar.n)

            evaluate_grid(
                kernel_class.batches(kernels),
                grams,
                evaluate,
                self._n_threads(),
                progress,
            )

    def _gram_with_training_series(self, X: Any) -> FloatArray:
        """The kernel (n_fit, n) between the training series and X.

        Raises
        ------
        ValueError
            If the shape of the series differs from that of the training series.
        """
        check_is_fitted(self)
        series = self._normalize(validate_series(self, X, reset=False))
        kernel_class = type(self.kernel_)
        if not kernel_class.uses_time:
            _check_length(series, max(map(len, self.X_fit_)), kernel_class.name)
        train, new = kernel_class.pad_to_common_length(self.X_fit_, series)
        # Two sets, even if X are the training series: `kernel(X, X)` would treat them as one set.
        return self.kernel_.check_finite(self.kernel_.gram(self.kernel_.prepare(train, new)))


def _check_axis(method: str, name: str, axis: Any) -> tuple[Any, ...]:
    """Convert the values of a grid parameter to a tuple; a single value becomes a tuple of one."""
    values = _as_list(axis)
    if not values:
        raise ConfigError(f"grid.{method}.{name} is empty, but must hold at least one value.")
    return tuple(values)


def _as_list(values: Any) -> list[Any]:
    """Convert values to a list; a single value becomes a list of one."""
    is_iterable = hasattr(values, "__iter__") and getattr(values, "ndim", 1) > 0
    return list(values) if is_iterable and not isinstance(values, str) else [values]


def _check_length(series: Any, length: int, name: str) -> None:
    """Raise an error for series that are longer than those a vector kernel was fitted to."""
    for i, x in enumerate(series):
        if len(x) > length:
            raise KernelError(
                f"Series {i} has {len(x)} steps, but {name} treats "
                f"series as vectors of the {length} steps it was fitted with; shorten it, or use a "
                "method that processes series step by step, such as rntk."
            )
