"""What the estimators share: a method of the registry with its grid, and the series fitted to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar, cast

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from rntk_bench.benchmark.parallel import Batch, evaluate_grid, positions
from rntk_bench.datasets import unit_norm
from rntk_bench.errors import ConfigError, KernelError, short_repr
from rntk_bench.estimators.series import read
from rntk_bench.kernels import Kernel
from rntk_bench.kernels.parameters import as_integer, as_number
from rntk_bench.methods import KERNEL_METHODS, KernelMethod, with_grid

Array = NDArray[np.float64]


class KernelEstimator(BaseEstimator):  # type: ignore[misc]
    """An estimator that chooses a kernel from a grid."""

    family: ClassVar[type[Kernel]] = Kernel  # type: ignore[type-abstract]
    """What the kernels of its methods must be."""

    method: str | KernelMethod
    grid: Mapping[str, Any] | None
    unit_norm: bool
    n_folds: int
    n_jobs: int | None
    verbose: bool
    random_state: Any
    kernel_: Kernel
    X_fit_: Any

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _resolved(self) -> KernelMethod:
        """The method with its grid.

        Raises
        ------
        ConfigError
            If there is none of this name and family, the grid is not one of it, or another
            parameter is not what it must be.
        """
        method = self.method
        if not isinstance(method, KernelMethod):
            known = [
                name for name, m in KERNEL_METHODS.items() if issubclass(m.kernel, self.family)
            ]
            if not isinstance(method, str) or method not in known:
                raise ConfigError(
                    f"{type(self).__name__}: method is {short_repr(method)}, but must be one of "
                    f"{', '.join(known)}, or a KernelMethod."
                )
            method = KERNEL_METHODS[method]
        self._check_parameters()
        grid = {name: _axis(method.name, name, axis) for name, axis in (self.grid or {}).items()}
        return cast(KernelMethod, with_grid(method, grid))

    def _check_parameters(self) -> None:
        """Refuse what is not of a parameter's type, of those that all estimators have."""
        for name in ("unit_norm", "prune"):
            value = getattr(self, name, False)
            if not isinstance(value, bool | np.bool_) and as_integer(value) not in (0, 1):
                raise ConfigError(f"{name} is {short_repr(value)}, but must be True or False.")
        if self.n_jobs is not None and not as_integer(self.n_jobs):
            raise ConfigError(
                f"n_jobs is {short_repr(self.n_jobs)}, but must be None or an integer other than 0."
            )
        if not isinstance(self.grid, Mapping | None):
            raise ConfigError(
                f"grid is {short_repr(self.grid)}, but must be a dict of a list for each parameter."
            )

    def _folds(self) -> int:
        n_folds = as_integer(self.n_folds)
        if n_folds is None or n_folds < 2:
            raise ConfigError(
                f"n_folds is {short_repr(self.n_folds)}, but must be an integer >= 2."
            )
        return n_folds

    def _numbers(self, name: str) -> tuple[float, ...] | None:
        """A parameter's finite numbers, one or several; None if it holds none or something else."""
        numbers = [as_number(each) for each in _listed(getattr(self, name))]
        found = [number for number in numbers if number is not None and np.isfinite(number)]
        return tuple(found) if found and len(found) == len(numbers) else None

    def _seed(self) -> int:
        """`random_state` itself where it is a number, so that folds are those of the benchmark."""
        if isinstance(self.random_state, Integral):
            if self.random_state < 0:
                raise ConfigError(f"random_state is {self.random_state}, but must be >= 0.")
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))

    def _normalised(self, series: Any) -> Any:
        return unit_norm(series)[0] if self.unit_norm else series

    def _search(
        self, kernels: Sequence[Kernel], X: Any, evaluate: Callable[[int, Array], None]
    ) -> None:
        """Evaluate every kernel's Gram (n, n) of the series X."""
        family = type(kernels[0])
        (train,) = family.read_alike(X)
        prepared = family.prepare(train)

        def grams(batches: Sequence[Batch]) -> Iterator[tuple[int, Array]]:
            wanted = positions(batches)
            return zip(wanted, family.grams([kernels[i] for i in wanted], prepared), strict=True)

        with tqdm(total=len(kernels), unit="kernel", leave=False, disable=not self.verbose) as bar:

            def progress(done: int) -> None:
                bar.update(done - bar.n)

            evaluate_grid(
                family.batches(kernels),
                grams,
                evaluate,
                effective_n_jobs(as_integer(self.n_jobs)),
                progress,
            )

    def _gram(self, X: Any) -> Array:
        """Kernel (n_fit, n) of the series fitted to with those of X.

        Raises
        ------
        ValueError
            If the series do not fit those that the estimator was fitted to.
        """
        check_is_fitted(self)
        series = self._normalised(read(self, X, reset=False))
        family = type(self.kernel_)
        if not family.uses_time:
            _refuse_longer(series, max(map(len, self.X_fit_)), family.name)
        train, new = family.read_alike(self.X_fit_, series)
        # Always two sets, also where the series to predict are the very ones fitted to.
        return self.kernel_.checked(self.kernel_.gram(self.kernel_.prepare(train, new)))


def _axis(method: str, name: str, axis: Any) -> tuple[Any, ...]:
    """An axis of a grid as plain values; a single value is an axis of one."""
    values = _listed(axis)
    if not values:
        raise ConfigError(f"grid.{method}.{name} is empty, but must hold at least one value.")
    return tuple(values)


def _listed(values: Any) -> list[Any]:
    """Several values as a list, or a list of the one."""
    several = hasattr(values, "__iter__") and getattr(values, "ndim", 1) > 0
    return list(values) if several and not isinstance(values, str) else [values]


def _refuse_longer(series: Any, length: int, name: str) -> None:
    """A kernel of vectors cannot see more steps than it was fitted with."""
    for i, x in enumerate(series):
        if len(x) > length:
            raise KernelError(
                f"Series {i} has {len(x)} steps, but {name} sees "
                f"series as vectors of the {length} steps it was fitted with; shorten it, or use a "
                "method that reads series step by step, such as rntk."
            )
