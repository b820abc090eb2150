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
from rntk_bench.config import MAX_SEED
from rntk_bench.datasets import InputScaling
from rntk_bench.errors import ConfigError, KernelError, short_repr
from rntk_bench.estimators.series import validate_series
from rntk_bench.kernels import Kernel, SumKernel
from rntk_bench.kernels.fittable import FittableKernel
from rntk_bench.kernels.normalised_sum import FittedKernel
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
            seed = int(self.random_state)
            if not 0 <= seed <= MAX_SEED:
                raise ConfigError(f"random_state is {seed}, but must be from 0 to {MAX_SEED}.")
            return seed
        return int(check_random_state(self.random_state).randint(2**31))

    def _gram_with_training_series(self, X: Any) -> FloatArray:
        """The kernel (n_fit, n) between the training series and X."""
        raise NotImplementedError


class KernelEstimator(SeriesEstimator):
    """Base class of estimators that choose a kernel from a grid."""

    kernel_class: ClassVar[type[Kernel]] = Kernel  # type: ignore[type-abstract]
    """The base class of the kernels that `method` may have."""
    unit_norm_default: ClassVar[bool] = True

    method: str | KernelMethod
    grid: Mapping[str, Any] | None
    unit_norm: bool
    verbose: bool
    input_: InputScaling
    gram_divisor_: float = 1.0

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
                if self.kernel_class is Kernel or issubclass(m.kernel, self.kernel_class)
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
        method = cast(KernelMethod, with_grid(method, grid))
        if "input" in method.grid and bool(self.unit_norm) is not self.unit_norm_default:
            raise ConfigError(
                f"unit_norm is {short_repr(self.unit_norm)}, but the grid of {method.name} has "
                "an input scaling; set grid['input'] instead."
            )
        return method

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

    def _inputs(self, method: KernelMethod) -> list[str]:
        """The name of the input scaling of each setting of the method's grid."""
        if "input" in method.grid:
            return method.inputs
        return ["unit-norm" if self.unit_norm else "archive"] * len(method.settings)

    def _evaluate_grams(
        self,
        method: KernelMethod,
        kernels: Sequence[Kernel],
        X: Any,
        evaluate: Callable[[int, FloatArray], None],
    ) -> dict[int, FittedKernel]:
        """Call `evaluate` with the position and the Gram (n, n) on X of each kernel of the grid.

        Returns
        -------
        The kernels that X determines, by their position in the grid; none if `kernels` are ordinary
        ones.
        """
        inputs = self._inputs(method)
        series = {name: InputScaling.fit(name, X)(X) for name in dict.fromkeys(inputs)}
        if method.is_fittable:
            fitted: dict[int, FittedKernel] = {}
            for position, kernel in enumerate(cast(Sequence[FittableKernel], kernels)):
                fitted[position] = kernel.fit(series[inputs[position]], self._n_threads())
                evaluate(position, fitted[position].gram)
            return fitted
        kernel_class = type(kernels[0])
        prepared = {
            name: kernel_class.prepare(*kernel_class.pad_to_common_length(train))
            for name, train in series.items()
        }

        def grams(batches: Sequence[Batch]) -> Iterator[tuple[int, FloatArray]]:
            for name in dict.fromkeys(inputs[batch[0]] for batch in batches):
                wanted = positions([batch for batch in batches if inputs[batch[0]] == name])
                some = kernel_class.grams([kernels[i] for i in wanted], prepared[name])
                yield from zip(wanted, some, strict=True)

        with tqdm(total=len(kernels), unit="kernel", leave=False, disable=not self.verbose) as bar:

            def progress(done: int) -> None:
                bar.update(done - bar.n)

            batches = method.batches(max(map(len, X)))
            evaluate_grid(batches, grams, evaluate, self._n_threads(), progress)
        return {}

    def _keep(
        self,
        method: KernelMethod,
        kernels: Sequence[Kernel],
        fitted: Mapping[int, FittedKernel],
        setting: int,
        X: Any,
    ) -> FloatArray:
        """Keep the chosen kernel and the series X as it reads them; return its Gram (n, n) on X."""
        self.input_ = InputScaling.fit(self._inputs(method)[setting], X)
        self.X_fit_ = self.input_(X)
        if setting in fitted:
            self.kernel_, gram = fitted[setting]
            return gram
        self.kernel_ = kernels[setting]
        return self.kernel_(*self.kernel_.pad_to_common_length(self.X_fit_))

    def _gram_with_training_series(self, X: Any) -> FloatArray:
        """The kernel (n_fit, n) between the training series and X.

        Raises
        ------
        ValueError
            If the shape of the series differs from that of the training series.
        """
        check_is_fitted(self)
        series = self.input_(validate_series(self, X, reset=False))
        kernel_class = type(self.kernel_)
        if not kernel_class.uses_time:
            _check_length(series, max(map(len, self.X_fit_)), kernel_class.name)
        train, new = kernel_class.pad_to_common_length(self.X_fit_, series)
        # Two sets, even if X are the training series: `kernel(X, X)` would treat them as one set.
        prepared = self.kernel_.prepare(train, new)
        if isinstance(self.kernel_, SumKernel):
            gram = self.kernel_.gram(prepared, self._n_threads())
        else:
            gram = self.kernel_.gram(prepared)
        return self.kernel_.check_finite(gram / self.gram_divisor_)


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
                f"Series {i} (counted from 0) has {len(x)} steps, but {name} treats "
                f"series as vectors of the {length} steps it was fitted with; shorten it, or use a "
                "method that processes series step by step, such as rntk."
            )
