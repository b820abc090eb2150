"""Kernel ridge regression with a kernel chosen from its grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import validate_data

from rntk_bench.errors import ConfigError, KernelError, short_repr
from rntk_bench.estimators.base import KernelEstimator
from rntk_bench.estimators.cv_results import table
from rntk_bench.estimators.series import read
from rntk_bench.kernels import RNTK, Kernel
from rntk_bench.kernels.blas import one_blas_thread
from rntk_bench.methods import KernelMethod
from rntk_bench.svm.ridge import RIDGES, Spectrum, validation_residuals
from rntk_bench.types import FloatArray, IntArray


class KernelRegressor(RegressorMixin, KernelEstimator):  # type: ignore[misc]
    """Kernel ridge regression whose kernel and ridge are chosen by cross-validation (A.2).

    Parameters
    ----------
    method : str or KernelMethod
        Name of a kernel method in `rntk_bench.methods.KERNEL_METHODS`, or one's own.
    grid : dict of str to list, optional
        Axes that replace those of the method's grid; any parameter of the kernel may be one.
    ridges : sequence of float
        What to choose the ridge from, each >= 0; the default is (47).
    n_folds : int
        Of the shuffled cross-validation.
    unit_norm : bool
        Divide each series by its L2 norm; by default they are taken as they are.
    n_jobs : int, optional
        Threads; -1 is one a core. None is 1. The result does not depend on it.
    verbose : bool
        Draw a progress bar.
    random_state : int, RandomState or None
        Seed of the folds.

    Attributes
    ----------
    grid_ : dict
        Values of each of the kernel's parameters, and of the ridge.
    kernel_ : Kernel
        The chosen one.
    ridge_ : float
    dual_coef_ : ndarray of shape (n,)
    best_params_ : dict
        The kernel's setting, and the ridge.
    best_index_ : int
        Its row in `cv_results_`; ties go to the first setting, then to the first ridge.
    best_score_ : float
        The negative mean squared error on held-out series, all counted alike.
    cv_results_ : dict
        As of scikit-learn's `GridSearchCV`; scores are negative mean squared errors, NaN where a
        kernel leaves float64's range.
    n_features_in_ : int
        T, where X was one array.
    n_dimensions_in_ : int
        Values at each step.

    Notes
    -----
    X is as for `KernelClassifier`. Nothing is centred: a kernel with a bias, or targets of mean 0,
    take the place of an intercept.
    """

    def __init__(
        self,
        method: str | KernelMethod = "rntk",
        *,
        grid: Mapping[str, Any] | None = None,
        ridges: Sequence[float] = RIDGES,
        n_folds: int = 5,
        unit_norm: bool = False,
        n_jobs: int | None = None,
        verbose: bool = False,
        random_state: Any = 0,
    ) -> None:
        self.method = method
        self.grid = grid
        self.ridges = ridges
        self.n_folds = n_folds
        self.unit_norm = unit_norm
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Choose kernel and ridge, and fit to everything.

        Parameters
        ----------
        X : n series, at least two, as for `KernelClassifier`
        y : array of numbers of shape (n,)

        Raises
        ------
        ValueError
            For input or a grid that cannot be used; the message says what.
        """
        method, ridges = self._resolved(), self._ridges()
        y = validate_data(self, y=y, y_numeric=True).astype(np.float64)
        X = read(self, X, ensure_min_samples=2)
        check_consistent_length(X, y)
        self.X_fit_ = self._normalised(X)
        n_folds = min(self._folds(), len(y))
        fold = np.random.default_rng(self._seed()).permutation(len(y)) % n_folds
        kernels = method.kernels()
        self.grid_ = {**method.grid, "ridge": ridges}
        errors = np.full((len(kernels), len(ridges), n_folds), np.inf)

        def evaluate(position: int, gram: FloatArray) -> None:
            if np.isfinite(gram).all():
                squares = validation_residuals(gram, y, fold, ridges) ** 2
                for q in range(n_folds):
                    errors[position, :, q] = squares[:, fold == q].mean(axis=1)

        with one_blas_thread, np.errstate(over="ignore"):
            self._search(kernels, self.X_fit_, evaluate)
            self._choose(errors, np.bincount(fold), method.name)
            self.kernel_ = kernels[self.best_index_ // len(ridges)]
            self.ridge_ = self.best_params_["ridge"]
            (train,) = method.kernel.read_alike(self.X_fit_)
            spectrum = Spectrum.of(self.kernel_(train))
            self.dual_coef_ = spectrum.coefficients(y, (self.ridge_,))[0]
        return self

    def predict(self, X: Any) -> FloatArray:
        """Predictions, shape (n,)."""
        gram = self._gram(X)
        found: FloatArray = self.dual_coef_ @ gram
        return found

    def _ridges(self) -> tuple[float, ...]:
        ridges = self._numbers("ridges")
        if ridges is None or min(ridges) < 0:
            raise ConfigError(
                f"ridges is {short_repr(self.ridges)}, but must be finite numbers >= 0."
            )
        return ridges

    def _choose(self, errors: FloatArray, sizes: IntArray, name: str) -> None:
        """Take the least mean of the squared errors (settings, ridges, folds)."""
        scores = -errors.reshape(-1, len(sizes))
        means = scores @ sizes / sizes.sum()
        if not np.isfinite(means).any():
            raise KernelError(
                f"No setting of {name}'s grid gives a finite Gram on these series; scale them down."
            )
        self.best_index_, self.best_score_ = int(np.argmax(means)), float(means.max())
        scores, means = (np.where(np.isfinite(each), each, np.nan) for each in (scores, means))
        self.cv_results_ = table(self.grid_, scores, means)
        self.best_params_ = self.cv_results_["params"][self.best_index_]


class RNTKRegressor(KernelRegressor):
    """`KernelRegressor` of the RNTK; parameters and attributes as there.

    `method` is one of those whose kernel is an RNTK, see `RNTKClassifier`.
    """

    family: ClassVar[type[Kernel]] = RNTK
