"""Support vector classification with a kernel chosen from its grid."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from rntk_bench.config import GRAM_SCALES
from rntk_bench.errors import ConfigError, KernelError, short_repr
from rntk_bench.estimators.base import KernelEstimator
from rntk_bench.estimators.cv_results import cv_results_dict
from rntk_bench.estimators.labels import validate_labels
from rntk_bench.estimators.series import validate_series
from rntk_bench.estimators.support_vectors import SupportVectorClassifier
from rntk_bench.kernels import RNTK, Kernel
from rntk_bench.kernels.parameters import as_integer
from rntk_bench.methods import KernelMethod
from rntk_bench.svm.folds import fold_weights
from rntk_bench.svm.gram_scale import gram_divisor
from rntk_bench.svm.grid_search import NOT_EVALUATED, Search, undecided_message
from rntk_bench.svm.options import SearchOptions
from rntk_bench.svm.svc import RepeatedCrossValidation


class UndecidedWarning(UserWarning):
    """All settings have the same cross-validation accuracy, so the default setting was taken."""


class KernelClassifier(SupportVectorClassifier, KernelEstimator):
    """C-SVC whose kernel and C are chosen by cross-validation, as in the benchmark.

    With the default parameters it follows the paper's protocol: `predict` returns the predictions
    that `rntk-bench run` records for the same data, seed and grid.

    Parameters
    ----------
    method : str or KernelMethod
        Name of a kernel method in `rntk_bench.methods.KERNEL_METHODS`, or a custom method.
    grid : dict of str to list, optional
        Parameter values that replace those of the method's grid, such as ``{"sigma_w": [1.4],
        "activation": ["relu", "erf"]}``; any parameter of the kernel may be given.
    C : sequence of float, optional
        Grid of the SVM parameter C; None for the method's, which is 0.01, 0.1, 1, 10, 100 unless
        `rntk-bench methods` says otherwise.
    n_folds : int
        Number of folds of the cross-validation, by `StratifiedKFold` with shuffling and the seed
        `random_state`; fewer if no class has as many series.
    n_repeats : int, optional
        Number of cross-validations, each with folds of its own; None for the method's.
    gram_scale : str, optional
        "centred": Gram matrices are divided by the mean diagonal of the centred Gram of the
        training set, trace(K) / n - mean(K). "none": they are not. None for the method's.
    unit_norm : bool
        Divide each series by its L2 norm over all steps and dimensions. It must be True if the grid
        has `input`, the name of an `rntk_bench.datasets.InputScaling`, which then decides.
    tolerance : float
        LIBSVM's stopping tolerance.
    max_iterations : int
        Limit of the solver's iterations per binary problem; reaching it is a
        `ConvergenceWarning`.
    prune : bool
        Skip folds that cannot change the choice. Their scores in `cv_results_` are NaN.
    n_jobs : int, optional
        Number of threads; -1 means one per core, None means 1. The result does not depend on it.
    verbose : bool
        Show a progress bar.
    random_state : int, RandomState or None
        Seed of the folds. An integer gives the same folds as the benchmark with that seed.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    grid_ : dict
        Values of each of the kernel's parameters, and of C.
    kernel_ : Kernel
        The chosen kernel.
    input_ : InputScaling
        How series are scaled before the kernel reads them.
    gram_divisor_ : float
        The number by which the kernel is divided, see `gram_scale`.
    best_params_ : dict
        The chosen parameters of the kernel, and C.
    best_index_ : int
        The row of the choice in `cv_results_`.
    best_score_ : float
        Mean validation accuracy of the choice.
    n_ties_ : int
        Number of pairs of setting and C with this accuracy. Of these the smallest C is chosen,
        then the first setting. If all pairs tie, the method's default setting is taken with the
        middle C; if moreover all predictions are wrong, there is an `UndecidedWarning`.
    cv_results_ : dict
        As in scikit-learn's `GridSearchCV`.
    n_features_in_ : int
        T, if X was one array.
    n_dimensions_in_ : int
        Number of values at each step.

    Notes
    -----
    X has shape (n, T) or (n, T, m), n series of T steps of m values, or is a list of n arrays of
    shape (T_i,) or (T_i, m). The last two axes of sktime's numpy3D are in the opposite order; the
    adapters in `rntk_bench.estimators.sktime_adapters` swap them. An array must have the same T as
    the training series; series in a list may have any lengths. Kernels that treat a series as one
    vector pad it with zeros at the end to the length of the longest training series; longer series
    are an error.

    `predict_proba` is the softmax of `decision_function` times one factor, which is fitted to the
    decision values of held-out folds (temperature scaling, `rntk_bench.svm.calibration`).
    """

    def __init__(
        self,
        method: str | KernelMethod = "rntk",
        *,
        grid: Mapping[str, Any] | None = None,
        C: Sequence[float] | None = None,
        n_folds: int = 10,
        n_repeats: int | None = None,
        gram_scale: str | None = None,
        unit_norm: bool = True,
        tolerance: float = 1e-3,
        max_iterations: int = 1_000_000,
        prune: bool = True,
        n_jobs: int | None = None,
        verbose: bool = False,
        random_state: Any = 0,
    ) -> None:
        self.method = method
        self.grid = grid
        self.C = C
        self.n_folds = n_folds
        self.n_repeats = n_repeats
        self.gram_scale = gram_scale
        self.unit_norm = unit_norm
        self.tolerance = tolerance
        self.max_iterations = max_iterations
        self.prune = prune
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Choose the kernel and C, and train on all series.

        Parameters
        ----------
        X : n series, see the class's notes
        y : array of shape (n,)
            Labels of at least two classes.

        Raises
        ------
        ValueError
            If the input or a parameter is invalid.
        """
        method = self._resolve_method()
        options = self._search_options(method)
        labels, X = validate_labels(self, y), validate_series(self, X)
        X, codes, folds = self._sort_by_class(
            X, labels, options.n_folds, options.n_repeats, options.seed
        )
        method = method.for_training_set(X)
        kernels = method.kernels(max(map(len, X)))
        self.grid_ = {**method.grid, "C": options.C}
        validation = RepeatedCrossValidation(codes, folds, options)
        search = Search(validation, len(kernels), self.prune, gram_scale=options.gram_scale)
        fitted = self._evaluate_grams(method, kernels, X, search.evaluate)
        validation.free_memory()
        self._choose(search, method)
        gram = self._keep(method, kernels, fitted, self.best_index_ // len(options.C), X)
        self.gram_divisor_ = gram_divisor(gram, options.gram_scale)
        gram = gram / self.gram_divisor_
        self._train(gram, codes, folds[0], self.best_params_["C"], options)
        return self

    def _search_options(self, method: KernelMethod) -> SearchOptions:
        """The parameters as options of a search, with those of the method where they are None.

        Raises
        ------
        ConfigError
            If a parameter is invalid.
        """
        C = method.C if self.C is None else self._number_sequence("C")
        if C is None or min(C) <= 0:
            raise ConfigError(f"C is {short_repr(self.C)}, but must be numbers > 0, at least one.")
        gram_scale = method.gram_scale if self.gram_scale is None else self.gram_scale
        if not isinstance(gram_scale, str) or gram_scale not in GRAM_SCALES:
            raise ConfigError(
                f"gram_scale is {short_repr(gram_scale)}, but must be None or one of "
                f"{', '.join(GRAM_SCALES)}."
            )
        n_repeats = method.n_repeats if self.n_repeats is None else as_integer(self.n_repeats)
        if n_repeats is None or n_repeats < 1:
            raise ConfigError(
                f"n_repeats is {short_repr(self.n_repeats)}, but must be None or an integer > 0."
            )
        return SearchOptions(
            **vars(self._svc_options(tuple(sorted(set(C))))),
            n_folds=self._checked_n_folds(),
            n_repeats=n_repeats,
            gram_scale=gram_scale,
            seed=self._seed(),
        )

    def _choose(self, search: Search, method: KernelMethod) -> None:
        try:
            choice = search.choose(method.default_setting)
        except ValueError:
            reasons = " or ".join(sorted(set(search.invalid_reasons.values())))
            size = getattr(self, "n_features_in_", None)  # None for lists of series
            described = "these series" if size is None else f"series of {size} feature(s)"
            raise KernelError(
                f"No setting of {method.name}'s grid can be used on {described}: the Gram "
                f"{reasons}; take series that differ, scale them down, or take other values."
            ) from None
        if n_unfinished := search.unfinished_settings:
            warnings.warn(
                f"In {n_unfinished} settings an SVM stopped at max_iterations="
                f"{self.max_iterations}.",
                ConvergenceWarning,
                stacklevel=3,
            )
        if choice.by_default and choice.accuracy == 0.0:
            tied = f"{choice.ties} pairs of setting and C"
            warnings.warn(undecided_message(tied, choice.accuracy), UndecidedWarning, stacklevel=3)
        sizes, n_C = search.validation.fold_sizes, len(self.grid_["C"])
        n_correct = search.n_correct.reshape(-1, len(sizes))
        n_correct = np.where(n_correct == NOT_EVALUATED, np.nan, n_correct)
        weights, max_score = fold_weights(sizes)  # exact, so that ties are preserved
        means = n_correct @ weights / max_score
        self.cv_results_ = cv_results_dict(self.grid_, n_correct / sizes, means)
        self.n_ties_ = choice.ties
        self.best_index_ = choice.setting * n_C + choice.C
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = choice.accuracy


class RNTKClassifier(KernelClassifier):
    """`KernelClassifier` for the RNTK, with the same parameters and attributes.

    `method` must be one whose kernel is an RNTK: "rntk" (the paper's), "rntk-avg",
    "rntk-both", "rntk-extended", "rntk-shared", or "nngp".
    """

    kernel_class: ClassVar[type[Kernel]] = RNTK
