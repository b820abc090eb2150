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
from rntk_bench.estimators.cv_results import cv_results_dict
from rntk_bench.estimators.series import validate_series
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
        Name of a kernel method in `rntk_bench.methods.KERNEL_METHODS`, or a custom method.
    grid : dict of str to list, optional
        Parameter values that replace those of the method's grid; any parameter of the kernel may
        be given.
    ridges : sequence of float
        Candidates for the ridge, each >= 0; the default is the paper's grid (47).
    n_folds : int
        Number of folds of the shuffled cross-validation.
    unit_norm : bool
        Divide each series by its L2 norm; not by default.
    n_jobs : int, optional
        Number of threads; -1 means one per core, None means 1. The result does not depend on it.
    verbose : bool
        Show a progress bar.
    random_state : int, RandomState or None
        Seed of the folds.

    Attributes
    ----------
    grid_ : dict
        Values of each of the kernel's parameters, and of the ridge.
    kernel_ : Kernel
        The chosen kernel.
    ridge_ : float
    dual_coef_ : ndarray of shape (n,)
    best_params_ : dict
        The chosen parameters of the kernel, and the ridge.
    best_index_ : int
        The row of the choice in `cv_results_`; ties go to the first setting, then to the first
        ridge.
    best_score_ : float
        The negative mean squared error over all held-out series.
    cv_results_ : dict
        As in scikit-learn's `GridSearchCV`; the scores are negative mean squared errors, NaN if a
        kernel leaves the range of float64.
    n_features_in_ : int
        T, if X was one array.
    n_dimensions_in_ : int
        Number of values at each step.

    Notes
    -----
    X is as for `KernelClassifier`. There is no intercept: use a kernel with a bias, or targets of
    mean 0. A method's C, `n_repeats` and `gram_scale` are those of a classifier and have no effect.
    """

    unit_norm_default: ClassVar[bool] = False

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
        """Choose the kernel and the ridge, and fit to all series.

        Parameters
        ----------
        X : n series, at least two, as for `KernelClassifier`
        y : array of numbers of shape (n,)

        Raises
        ------
        ValueError
            If the input or a parameter is invalid.
        """
        method, ridges = self._resolve_method(), self._ridges()
        y = validate_data(self, y=y, y_numeric=True).astype(np.float64)
        X = validate_series(self, X, ensure_min_samples=2)
        check_consistent_length(X, y)
        method = method.for_training_set(X)
        n_folds = min(self._checked_n_folds(), len(y))
        fold = np.random.default_rng(self._seed()).permutation(len(y)) % n_folds
        kernels = method.kernels(max(map(len, X)))
        self.grid_ = {**method.grid, "ridge": ridges}
        errors = np.full((len(kernels), len(ridges), n_folds), np.inf)

        def evaluate(position: int, gram: FloatArray) -> None:
            if np.isfinite(gram).all():
                squares = validation_residuals(gram, y, fold, ridges) ** 2
                squares[np.isnan(squares)] = np.inf
                for q in range(n_folds):
                    errors[position, :, q] = squares[:, fold == q].mean(axis=1)

        with one_blas_thread, np.errstate(over="ignore"):
            fitted = self._evaluate_grams(method, kernels, X, evaluate)
            self._choose(errors, np.bincount(fold), method.name)
            gram = self._keep(method, kernels, fitted, self.best_index_ // len(ridges), X)
            self.ridge_ = self.best_params_["ridge"]
            spectrum = Spectrum.of(gram)
            self.dual_coef_ = spectrum.coefficients(y, (self.ridge_,))[0]
        return self

    def predict(self, X: Any) -> FloatArray:
        """Predict the targets, shape (n,)."""
        gram = self._gram_with_training_series(X)
        predictions: FloatArray = self.dual_coef_ @ gram
        return predictions

    def _ridges(self) -> tuple[float, ...]:
        ridges = self._number_sequence("ridges")
        if ridges is None or min(ridges) < 0:
            raise ConfigError(
                f"ridges is {short_repr(self.ridges)}, but must be finite numbers >= 0."
            )
        return ridges

    def _choose(self, errors: FloatArray, sizes: IntArray, name: str) -> None:
        """Choose the smallest mean of the squared errors (settings, ridges, folds)."""
        scores = -errors.reshape(-1, len(sizes))
        means = scores @ sizes / sizes.sum()
        if not np.isfinite(means).any():
            raise KernelError(
                f"No setting of {name}'s grid gives a finite Gram on these series; scale them down."
            )
        self.best_index_, self.best_score_ = int(np.argmax(means)), float(means.max())
        scores, means = (np.where(np.isfinite(each), each, np.nan) for each in (scores, means))
        self.cv_results_ = cv_results_dict(self.grid_, scores, means)
        self.best_params_ = self.cv_results_["params"][self.best_index_]


class RNTKRegressor(KernelRegressor):
    """`KernelRegressor` for the RNTK, with the same parameters and attributes.

    `method` must be one whose kernel is an RNTK, see `RNTKClassifier`.
    """

    kernel_class: ClassVar[type[Kernel]] = RNTK
