"""Support vector classification with the multiscale RNTK, which has nothing to choose."""

from __future__ import annotations

import warnings
from typing import Any, Self

from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from rntk_bench.errors import ConfigError, short_repr
from rntk_bench.estimators.labels import validate_labels
from rntk_bench.estimators.series import validate_series
from rntk_bench.estimators.support_vectors import SupportVectorClassifier
from rntk_bench.kernels import MultiscaleRNTK, SumKernel
from rntk_bench.kernels.parameters import as_number
from rntk_bench.types import FloatArray


class MultiscaleRNTKClassifier(SupportVectorClassifier):
    """C-SVC with the multiscale RNTK, a sum of kernels without parameters to choose.

    A fit computes one Gram matrix and trains one SVM per pair of classes. The series are read as
    they are; `MultiscaleRNTK` says how they are represented.

    Parameters
    ----------
    C : float
        The parameter C of the SVM; its Gram has a mean centred diagonal of 1.
    n_folds : int
        Number of folds on which `predict_proba` is calibrated.
    tolerance : float
        LIBSVM's stopping tolerance.
    max_iterations : int
        Limit of the solver's iterations per binary problem; reaching it is a
        `ConvergenceWarning`.
    n_jobs : int, optional
        Number of threads; -1 means one per core, None means 1. The result does not depend on it.
    random_state : int, RandomState or None
        Seed of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    kernel_ : SumKernel
        The kernel with the weights that the training set has determined.
    n_features_in_ : int
        T, if X was one array.
    n_dimensions_in_ : int
        Number of values at each step.

    Notes
    -----
    X has shape (n, T) or (n, T, m), or is a list of n arrays of shape (T_i,) or (T_i, m), as for
    `KernelClassifier`. The shortest series of the training set decides at which scales series are
    read; those to classify must have a step at each of them.

    Examples
    --------
    >>> import numpy as np
    >>> from rntk_bench.estimators import MultiscaleRNTKClassifier
    >>> y = np.arange(30) % 2
    >>> X = np.sin(np.arange(40) * (0.2 + 0.1 * y[:, None]) + np.arange(30)[:, None])
    >>> MultiscaleRNTKClassifier().fit(X[:20], y[:20]).score(X[20:], y[20:])
    1.0
    """

    kernel_: SumKernel

    def __init__(
        self,
        *,
        C: float = 10.0,
        n_folds: int = 10,
        tolerance: float = 1e-3,
        max_iterations: int = 1_000_000,
        n_jobs: int | None = None,
        random_state: Any = 0,
    ) -> None:
        self.C = C
        self.n_folds = n_folds
        self.tolerance = tolerance
        self.max_iterations = max_iterations
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Compute the Gram matrix, and train on all series.

        Parameters
        ----------
        X : n series, see the class's notes
        y : array of shape (n,)
            Labels of at least two classes.

        Raises
        ------
        ValueError
            If the input or a parameter is invalid, or all series are the same.
        """
        C = as_number(self.C)
        if C is None or not 0 < C < float("inf"):
            raise ConfigError(f"C is {short_repr(self.C)}, but must be a finite number > 0.")
        options, n_threads = self._svc_options((C,)), self._n_threads()
        labels, X = validate_labels(self, y), validate_series(self, X)
        self.X_fit_, codes, (fold,) = self._sort_by_class(
            X, labels, self._checked_n_folds(), 1, self._seed()
        )
        self.kernel_, gram = MultiscaleRNTK().fit(self.X_fit_, n_threads)
        self._train(gram, codes, fold, C, options)
        if self.svc_.unfinished:
            warnings.warn(
                f"{self.svc_.unfinished} SVMs stopped at max_iterations={self.max_iterations}.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _gram_with_training_series(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        series = validate_series(self, X, reset=False)
        prepared = self.kernel_.prepare(self.X_fit_, series)
        return self.kernel_.check_finite(self.kernel_.gram(prepared, self._n_threads()))
